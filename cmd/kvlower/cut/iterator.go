package cut

import (
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// iterShape describes the iterator of a slice: a pointer to the first element
// and one to their end, fields that only core can write. If elements have no size the end
// is a number.
func (d *describer) iterShape(t *module.DebugType, depth int) (ir.Shape, bool) {
	mut := strings.HasPrefix(t.Name, "IterMut<")
	if t.Scope != "core::slice::iter" || !mut && !strings.HasPrefix(t.Name, "Iter<") || t.Size != 16 {
		return ir.Shape{}, false
	}
	begin, end := member(t, "ptr"), member(t, "end_or_len")
	if begin == nil || end == nil || begin.Offset != 0 || end.Offset != 8 || begin.Type == nil {
		return ir.Shape{}, false
	}
	at := begin.Type // NonNull<T>
	for at.Tag == module.TagStructure && len(at.Members) == 1 && at.Members[0].Type != nil {
		at = at.Members[0].Type
	}
	if at.Tag != module.TagPointer || at.Base == nil {
		return ir.Shape{}, false
	}
	elem := opaqueShape(at.Base.Size, alignOf(at.Base))
	if depth < maxPointers {
		elem = d.shapeOf(at.Base, depth+1)
	}
	if elem.Size == 0 {
		return ir.Shape{}, false
	}
	first := ir.Shape{Kind: ir.ShapeIter, Size: 8, Align: 8, Mut: mut, Elem: &elem}
	last := ir.Shape{Kind: ir.ShapeIterEnd, Size: 8, Align: 8, Off: 8}
	return ir.Shape{Kind: ir.ShapeStruct, Size: 16, Align: 8, Fields: []ir.Shape{first, last}}, true
}

// member is the member of t that is called so, nil if there is none.
func member(t *module.DebugType, name string) *module.Member {
	i := slices.IndexFunc(t.Members, func(m module.Member) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Members[i]
}
