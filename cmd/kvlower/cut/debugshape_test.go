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
