package cut

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Debug information describes variants that no value can have, with fields
// where the type has no room.
func TestVariantWithoutRoomIsOpaque(t *testing.T) {
	byteType := &module.DebugType{Tag: module.TagBase, Name: "u8", Size: 1}
	variant := &module.DebugType{Tag: module.TagStructure, Name: "Err", Members: []module.Member{{Name: "__0", Size: 1, Type: byteType}}}
	whole := &module.DebugType{
		Tag: module.TagStructure, Name: "Result<(), E>", HasVariants: true,
		Variants: []module.Member{{Name: "Err", Type: variant}},
	}
	for _, selector := range []*module.Member{nil, {Type: byteType}} {
		whole.Selector = selector
		if got := (&describer{}).structShape(whole, 0); got.Kind != ir.ShapeOpaque || got.Size != 0 {
			t.Errorf("selector %v: shape %v of %d bytes, want opaque of 0", selector, got.Kind, got.Size)
		}
	}
}

// A struct of more room than the reference that it holds is passed by its own
// address, which is not the reference.
func TestReferenceInLargerStruct(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	ref := &module.DebugType{Tag: module.TagPointer, Name: "&u64", Size: 8, Align: 8, Base: num}
	wide := &module.DebugType{Tag: module.TagStructure, Name: "Wide", Size: 16, Align: 16, Members: []module.Member{{Name: "r", Size: 8, Type: ref}}}
	sig := &ir.Sig{Params: []ir.Param{{Type: ir.PtrType, Attr: ir.Attr{NonNull: true, Align: 16, Deref: 16}}}}
	got := inputs(sig, []*module.DebugType{wide}).Params[0]
	if got.Kind != ir.ShapeRef || got.Elem.Kind != ir.ShapeStruct || got.Elem.Size != 16 || got.Elem.Fields[0].Kind != ir.ShapeRef {
		t.Errorf("the parameter is %+v, want the address of a struct that holds a reference", got)
	}
}
