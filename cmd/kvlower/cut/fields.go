package cut

import (
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

// maxFields bounds the names beside one slice: what is near the root comes first,
// and a structure of C has fields without end.
const maxFields = 160

// maxField is the size up to which bytes are told as one number, in bytes.
const maxField = 16

// namer lists the names of what lies behind a root's parameters. They stand
// beside the slice, not in it: renaming a field proves nothing again.
type namer struct {
	out  []position.Field
	todo []object
}

// object is memory behind a pointer.
type object struct {
	position.Field // where, and what its own name is; no size
	shape          ir.Shape
}

// fields names the inputs of spec, the nearest objects first. params are the parameters' names.
func fields(spec *ir.RootSpec, params []string) []position.Field {
	var n namer
	for i, s := range spec.Params {
		if i < len(params) && params[i] != "" {
			n.behind(position.Field{Param: i, Name: params[i]}, s)
		}
	}
	for len(n.todo) > 0 && len(n.out) < maxFields {
		o := n.todo[0]
		n.todo = n.todo[1:]
		n.content(o.Field, o.shape)
	}
	return n.out[:min(len(n.out), maxFields)]
}

// behind puts off what the pointer p leads to.
func (n *namer) behind(p position.Field, s ir.Shape) {
	elem := s.Elem
	switch s.Kind {
	case ir.ShapeStr:
		elem = &ir.Shape{Kind: ir.ShapeBits, Size: 1, Align: 1}
		fallthrough
	case ir.ShapeSlicePtr, ir.ShapeIter:
		if elem == nil || elem.Size == 0 {
			return
		}
		p.Name, p.Stride = p.Name+"[]", elem.Size
	case ir.ShapeRawPtr:
		if elem == nil || elem.Size == 0 {
			return
		}
		p.Name, p.Stride = p.Name+"[]", elem.Size // nobody says how many
	case ir.ShapeRef:
		if elem == nil {
			return
		}
		if elem.Kind == ir.ShapeBits || elem.Kind == ir.ShapeRange {
			p.Name = "*" + p.Name
		}
	default:
		return
	}
	n.todo = append(n.todo, object{p, *elem})
}

// content names what s holds at f.
func (n *namer) content(f position.Field, s ir.Shape) {
	switch s.Kind {
	case ir.ShapeStruct:
		n.members(f, s.Fields)
	case ir.ShapeEnum:
		n.variants(f, s)
	case ir.ShapeArray:
		if f.Stride == 0 && s.Elem != nil && s.Elem.Size > 0 {
			f.Name, f.Stride, f.Count = f.Name+"[]", s.Elem.Size, s.Len
			n.content(f, *s.Elem)
		}
	default:
		n.emit(f, s)
		if f.Stride == 0 { // else it lies at as many offsets as there are elements
			f.At, f.Off = append(slices.Clone(f.At), f.Off), 0
			n.behind(f, s)
		}
	}
}

func (n *namer) emit(f position.Field, s ir.Shape) {
	if s.Size > 0 && s.Size <= maxField {
		f.Size, f.Signed = s.Size, s.Signed
		n.out = append(n.out, f)
	}
}

// members names the fields of what f is. A field without a name is all that there is to say of it.
func (n *namer) members(f position.Field, fields []ir.Shape) {
	for _, s := range fields {
		if len(n.out) >= maxFields {
			return
		}
		if s.Name == "" && s.Kind == ir.ShapeOpaque {
			continue // nobody looks at it
		}
		m := f
		m.Off += s.Off
		if s.Name != "" {
			m.Name += "." + strings.TrimPrefix(s.Name, "__")
		}
		n.content(m, s)
	}
}

// variants names the fields of an enum's only variant with any: those of several lie over one
// another. The tag is the enum's own name, if it is no part of a field.
func (n *namer) variants(f position.Field, s ir.Shape) {
	var full []ir.Variant
	for _, v := range s.Variants {
		if len(v.Fields) > 0 {
			full = append(full, v)
		}
	}
	if len(full) != 1 || full[0].Tags != nil {
		tag := f
		tag.Off += s.Fields[0].Off
		n.emit(tag, s.Fields[0])
	}
	n.members(f, s.Fields[1:])
	if len(full) == 1 {
		f.Name += "." + full[0].Name
		n.members(f, full[0].Fields)
	}
}
