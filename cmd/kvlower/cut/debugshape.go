package cut

import (
	"math/big"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// maxPointers is how many pointers deep a shape goes; what lies behind is opaque.
const maxPointers = 3

// maxArray is the number of elements up to which an array of anything but
// plain bits is described.
const maxArray = 1 << 12

// maxShapes is the number of shapes that one root's inputs may have; types
// beyond that are opaque. Inputs are part of a proof's key: a field that is
// described and changes loses the proof.
const maxShapes = 400

// leastShapes is how many each parameter may have, whatever those before it took: without
// them the parameters of the source cannot even be laid over LLVM's.
const leastShapes = 50

// describer turns types of the source into shapes.
type describer struct{ made, limit int }

// parameter describes the type of a root's next parameter.
func (d *describer) parameter(t *module.DebugType) ir.Shape {
	d.limit = max(maxShapes, d.made+leastShapes)
	return d.shapeOf(t, 0)
}

// shapeOf describes a type. depth counts the pointers above it.
func (d *describer) shapeOf(t *module.DebugType, depth int) ir.Shape {
	if d.made++; d.made > d.limit {
		return opaqueShape(t.Size, alignOf(t))
	}
	switch t.Tag {
	case module.TagBase:
		return baseShape(t)
	case module.TagPointer:
		return d.pointerShape(t, depth)
	case module.TagTypedef:
		if t.Base != nil {
			return d.shapeOf(t.Base, depth)
		}
	case module.TagEnumeration:
		return enumerationShape(t)
	case module.TagArray:
		return d.arrayShape(t, depth)
	case module.TagStructure:
		return d.structShape(t, depth)
	}
	s := opaqueShape(t.Size, alignOf(t))
	s.Unset = t.Tag == module.TagUnion && t.Scope == "core::mem::maybe_uninit" && strings.HasPrefix(t.Name, "MaybeUninit<")
	return s
}

func alignOf(t *module.DebugType) int64 {
	if t.Align > 0 && t.Align&(t.Align-1) == 0 {
		return t.Align
	}
	align := int64(1)
	for align < min(t.Size, 16) {
		align *= 2
	}
	return align
}

func baseShape(t *module.DebugType) ir.Shape {
	switch {
	case t.Size == 0:
		return ir.Shape{Kind: ir.ShapeStruct, Align: 1}
	case t.Name == "bool":
		return rangeShape(1, 0, 1)
	case t.Name == "char":
		s := rangeShape(4, 0, 0xd7ff)
		s.Ranges = append(s.Ranges, span(0xe000, 0x10ffff))
		return s
	case strings.HasPrefix(t.Name, "f"):
		return opaqueShape(t.Size, alignOf(t))
	}
	s := bitsShape(t.Size, alignOf(t))
	s.Signed = signed[t.Name]
	return s
}

// signed are the types of Rust and C that have a sign.
var signed = map[string]bool{"i8": true, "i16": true, "i32": true, "i64": true, "i128": true, "isize": true,
	"signed char": true, "short": true, "int": true, "long": true, "long long": true}

// pointerShape tells references from raw pointers by the name, which alone says it. A function itself, as a
// type parameter may be one, is a pointer of no size.
func (d *describer) pointerShape(t *module.DebugType, depth int) ir.Shape {
	if t.Size == 0 {
		return ir.Shape{Kind: ir.ShapeStruct, Align: 1}
	}
	raw := strings.HasPrefix(t.Name, "*")
	elem := opaqueShape(0, 1)
	switch {
	case t.Base == nil:
	case depth >= maxPointers:
		elem = opaqueShape(t.Base.Size, alignOf(t.Base))
	case raw: // what lies further on is up to the precondition that its use needs
		elem = d.shapeOf(t.Base, maxPointers)
	default:
		elem = d.shapeOf(t.Base, depth+1)
	}
	mut := strings.HasPrefix(t.Name, "&mut ") || strings.HasPrefix(t.Name, "*mut ")
	s := ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: mut, Elem: &elem}
	switch {
	case strings.HasPrefix(t.Name, "&") && t.Base != nil:
		return s
	case raw:
		s.Kind, s.Null = ir.ShapeRawPtr, true
		return s
	}
	return opaqueShape(8, 8) // function pointers and what has no name
}

func enumerationShape(t *module.DebugType) ir.Shape {
	if t.Size == 0 {
		return ir.Shape{Kind: ir.ShapeStruct, Align: 1}
	}
	s := ir.Shape{Kind: ir.ShapeRange, Size: t.Size, Align: alignOf(t)}
	values := slices.Clone(t.Values)
	mask := new(big.Int).Lsh(big.NewInt(1), uint(8*t.Size))
	mask.Sub(mask, big.NewInt(1))
	for i, v := range values {
		values[i] = new(big.Int).And(v, mask)
	}
	slices.SortFunc(values, (*big.Int).Cmp)
	for _, v := range values {
		s.Ranges = extend(s.Ranges, v)
	}
	if len(s.Ranges) == 0 {
		return opaqueShape(t.Size, s.Align)
	}
	return s
}

// extend adds v, which is not below what is there, to the ranges.
func extend(ranges []ir.Span, v *big.Int) []ir.Span {
	if n := len(ranges); n > 0 {
		last := &ranges[n-1]
		next := new(big.Int).Add(last.Hi, big.NewInt(1))
		if v.Cmp(next) <= 0 {
			last.Hi = v
			return ranges
		}
	}
	return append(ranges, ir.Span{Lo: v, Hi: v})
}

func (d *describer) arrayShape(t *module.DebugType, depth int) ir.Shape {
	if t.Base == nil || t.Len < 0 {
		return opaqueShape(t.Size, alignOf(t))
	}
	elem := d.shapeOf(t.Base, depth)
	if elem.Size*t.Len != t.Size || elem.Kind != ir.ShapeBits && t.Len > maxArray {
		s := opaqueShape(t.Size, alignOf(t))
		s.Unset = elem.Unset
		return s
	}
	return ir.Shape{Kind: ir.ShapeArray, Size: t.Size, Align: elem.Align, Len: t.Len, Elem: &elem}
}

// structShape is opaque where parts lie outside of the whole: debug information
// describes variants that no value can have, and they take no space.
func (d *describer) structShape(t *module.DebugType, depth int) ir.Shape {
	s, ok := d.knownStruct(t, depth)
	if !ok {
		s = d.plainStruct(t, depth)
	}
	if isOpaque(t) {
		initialised(&s)
	}
	if owns(t) {
		promise(&s)
	}
	if !holds(s.Size, s.Fields) || slices.ContainsFunc(s.Variants, func(v ir.Variant) bool { return !holds(s.Size, v.Fields) }) {
		return opaqueShape(t.Size, alignOf(t))
	}
	return s
}

// holds reports whether fields lie within size bytes.
func holds(size int64, fields []ir.Shape) bool {
	return !slices.ContainsFunc(fields, func(f ir.Shape) bool { return f.Off < 0 || f.Size > size-f.Off })
}

func (d *describer) plainStruct(t *module.DebugType, depth int) ir.Shape {
	s := ir.Shape{Kind: ir.ShapeStruct, Size: t.Size, Align: alignOf(t), Fields: d.fields(t.Members, depth)}
	if !t.HasVariants {
		return s
	}
	if t.Selector == nil { // at most one variant can exist
		if len(t.Variants) != 1 || t.Variants[0].Type == nil {
			return opaqueShape(t.Size, s.Align)
		}
		only := d.shapeOf(t.Variants[0].Type, depth)
		only.Size, only.Align = s.Size, s.Align
		return only
	}
	return d.enumShape(t, s, depth)
}

func (d *describer) fields(members []module.Member, depth int) []ir.Shape {
	var out []ir.Shape
	for _, m := range members {
		if m.Type == nil {
			continue
		}
		f := d.shapeOf(m.Type, depth)
		if f.Size == 0 {
			continue
		}
		f.Off = m.Offset
		f.Name, f.Private = m.Name, m.Private
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b ir.Shape) int { return int(a.Off - b.Off) })
	return out
}

func (d *describer) enumShape(t *module.DebugType, s ir.Shape, depth int) ir.Shape {
	tag := bitsShape(t.Selector.Size, 1)
	if t.Selector.Type != nil {
		tag = bitsShape(t.Selector.Type.Size, alignOf(t.Selector.Type))
	}
	tag.Off, tag.Name = t.Selector.Offset, "tag"
	s.Kind = ir.ShapeEnum
	s.Fields = append([]ir.Shape{tag}, s.Fields...)
	for _, v := range t.Variants {
		variant := ir.Variant{Name: v.Name}
		if v.Value != nil {
			mask := new(big.Int).Lsh(big.NewInt(1), uint(8*tag.Size))
			value := new(big.Int).And(v.Value, mask.Sub(mask, big.NewInt(1)))
			variant.Tags = []ir.Span{{Lo: value, Hi: value}}
		}
		if v.Type != nil {
			variant.Fields = d.fields(v.Type.Members, depth)
		}
		s.Variants = append(s.Variants, variant)
	}
	return s
}

// knownStruct describes the structures of core whose debug information does
// not tell what they may hold.
func (d *describer) knownStruct(t *module.DebugType, depth int) (ir.Shape, bool) {
	switch {
	case len(t.Members) == 2 && t.Members[0].Name == "data_ptr" && (strings.HasPrefix(t.Name, "&") || strings.HasPrefix(t.Name, "*")):
		return d.sliceShape(t, depth), true
	case len(t.Members) == 2 && t.Members[1].Name == "vtable":
		pair := []ir.Shape{opaqueShape(8, 8), opaqueShape(8, 8)}
		pair[1].Off = 8
		return ir.Shape{Kind: ir.ShapeStruct, Size: 16, Align: 8, Fields: pair}, true
	case t.Scope == "core::ptr::non_null" && strings.HasPrefix(t.Name, "NonNull<") && t.Size == 8:
		s := d.fields(t.Members, depth)
		if len(s) == 1 && s[0].Kind == ir.ShapeRawPtr {
			s[0].Null = false
			return s[0], true
		}
	}
	if s, ok := d.iterShape(t, depth); ok {
		return s, true
	}
	if s, ok := foreign(t); ok {
		return s, true
	}
	ranges := niche(t)
	if len(ranges) == 0 {
		return ir.Shape{}, false
	}
	return ir.Shape{Kind: ir.ShapeRange, Size: t.Size, Align: alignOf(t), Ranges: ranges}, true
}

// niche gives the values of the types of core that have a range of their own,
// which debug information does not tell; nil if t is none.
func niche(t *module.DebugType) []ir.Span {
	if t.Size == 0 || t.Scope != "core::num::niche_types" && t.Scope != "core::num::nonzero" {
		return nil
	}
	top := func(bit uint, n int64) *big.Int { // the largest number of as many bits less bit, and less n
		v := new(big.Int).Lsh(big.NewInt(1), uint(8*t.Size)-bit)
		return v.Sub(v, big.NewInt(1+n))
	}
	switch {
	case t.Name == "NonZeroCharInner":
		return []ir.Span{span(1, 0xd7ff), span(0xe000, 0x10ffff)}
	case t.Name == "CodePointInner":
		return []ir.Span{span(0, 0x10ffff)}
	case t.Name == "Nanoseconds":
		return []ir.Span{span(0, 999_999_999)}
	case strings.HasPrefix(t.Name, "NonZero"):
		return []ir.Span{{Lo: big.NewInt(1), Hi: top(0, 0)}}
	case strings.HasSuffix(t.Name, "NoHighBit"):
		return []ir.Span{{Lo: big.NewInt(0), Hi: top(1, 0)}}
	case strings.HasSuffix(t.Name, "NotAllOnes"):
		return []ir.Span{{Lo: big.NewInt(0), Hi: top(0, 1)}}
	}
	return nil
}

// sliceShape is a fat pointer: the data, then the length.
func (d *describer) sliceShape(t *module.DebugType, depth int) ir.Shape {
	data := opaqueShape(8, 8)
	e, hidden := element(t)
	if e != nil {
		elem := opaqueShape(e.Size, alignOf(e))
		if depth < maxPointers {
			elem = d.shapeOf(e, depth+1)
		}
		data = ir.Shape{Kind: ir.ShapeSlicePtr, Size: 8, Align: 8, Elem: &elem, Mut: strings.HasPrefix(t.Name, "&mut ")}
		switch {
		case t.Name == "&str" || t.Name == "&mut str":
			data.Kind, data.Elem = ir.ShapeStr, nil
		case !strings.HasPrefix(t.Name, "&"):
			data = rawShape(elem, true)
		}
	}
	length := ir.Shape{Kind: ir.ShapeSliceLen, Name: "len()", Size: 8, Align: 8, Off: 8, Private: hidden}
	none := data.Elem != nil && data.Elem.Size == 0 // there may be any number of elements of no size
	if data.Kind == ir.ShapeRawPtr || data.Kind == ir.ShapeOpaque || none {
		length.Kind = ir.ShapeBits
	}
	return ir.Shape{Kind: ir.ShapeStruct, Size: 16, Align: 8, Fields: []ir.Shape{data, length}}
}

// element is the type of the elements behind a fat pointer with a length. Of a
// structure that ends in a slice, such as CStr, debug information gives the size of what
// comes before: there it is known only if that is nothing. The slice itself is a field of
// no size whose type is the element's, or an array's without a length. nil if it is not known. hidden says that the slice is a
// private field: how long it may be is for that structure's module to say, as that a CStr has a last byte.
func element(t *module.DebugType) (e *module.DebugType, hidden bool) {
	p := t.Members[0].Type
	if p == nil || p.Base == nil {
		return nil, false
	}
	to := strings.TrimPrefix(strings.TrimPrefix(t.Name, "&"), "mut ")
	if to == "str" || strings.HasPrefix(to, "[") || strings.HasPrefix(to, "*") { // a raw pointer's object has any size
		return p.Base, false
	}
	for e = p.Base; e.Tag == module.TagStructure && e.Size == 0 && len(e.Members) == 1 && !e.HasVariants && e.Members[0].Type != nil; {
		tail := &e.Members[0]
		hidden = hidden || tail.Private
		if e = tail.Type; tail.Size == 0 && e.Size > 0 {
			return e, hidden
		}
	}
	if e.Tag != module.TagArray {
		return nil, false
	}
	return e.Base, hidden
}
