package cut

import "github.com/kvfarm/kvfarm/engine/ir"

// Trim makes of the inputs of s opaque what it cannot look at: types grow fields
// that most functions never see. Sizes, alignment and what is next to it stay. Nothing is assumed of
// what is opaque, so that no proof can come of it; should a slice look there all the same, the
// verdict is UNKNOWN.
func Trim(s *ir.Slice) { trim(s, &looks{s: s}) }

// TrimOverlapping is Trim where inputs may lie over one another in proofs. What is opaque in one may be uninitialised, and
// so may then be what lies over it: what holds a lock or a count of references, which is much, stays as it is.
func TrimOverlapping(s *ir.Slice) { trim(s, &looks{s: s, overlapping: true}) }

func trim(s *ir.Slice, l *looks) {
	l.find()
	t := trimmer{l, map[*ir.Shape]*ir.Shape{}}
	params := make([]ir.Shape, len(s.Inputs.Params))
	for i := range params {
		params[i] = t.shape(&s.Inputs.Params[i], 0, nil)
	}
	s.Inputs = &ir.RootSpec{Params: params}
}

type trimmer struct {
	*looks
	elems map[*ir.Shape]*ir.Shape // what is left of each
}

// shape is what is left of sh at offset at of p; nil: it is looked at.
func (t *trimmer) shape(sh *ir.Shape, at int64, p *region) ir.Shape {
	out := *sh
	switch sh.Kind {
	case ir.ShapeRef, ir.ShapeRawPtr:
		if sh.Elem != nil {
			out.Elem = t.elem(sh.Elem)
		}
		if sh.Kind == ir.ShapeRawPtr && sh.Elem != nil && !t.sized(sh.Elem) {
			out.Whole, out.Elem = false, sizeless(sh.Elem)
		}
	case ir.ShapeStruct:
		out.Fields = t.fields(sh, at, p)
	case ir.ShapeArray:
		if sh.Elem != nil {
			elem := t.shape(sh.Elem, at, nil)
			out.Elem = &elem
		}
	case ir.ShapeEnum:
		out.Variants = make([]ir.Variant, len(sh.Variants))
		for i, v := range sh.Variants {
			out.Variants[i] = v
			out.Variants[i].Fields = t.alike(v.Fields)
		}
		out.Fields = append(sh.Fields[:1:1], t.alike(sh.Fields[1:])...)
	}
	return out
}

// alike are fields of which nothing becomes opaque but what their pointers lead to.
func (t *trimmer) alike(fields []ir.Shape) []ir.Shape {
	out := make([]ir.Shape, len(fields))
	for i := range fields {
		out[i] = t.shape(&fields[i], 0, nil)
	}
	return out
}

// sized reports whether the size of what lies behind pointers to sh may matter.
func (t *trimmer) sized(sh *ir.Shape) bool {
	n, ok := t.inputs[sh]
	return ok && (t.places[n].sized || t.places[n].all)
}

// sizeless is what is left of sh behind a raw pointer, where it does not matter how much of it there is.
func sizeless(sh *ir.Shape) *ir.Shape {
	if sh.Kind == ir.ShapeOpaque || sh.Size == 0 {
		return &ir.Shape{Kind: sh.Kind, Align: sh.Align, Unset: sh.Unset}
	}
	return &ir.Shape{Kind: ir.ShapeStruct, Size: 1, Align: sh.Align, Fields: opaqueBytes(0, 1)}
}

// elem is what is left of sh behind a pointer.
func (t *trimmer) elem(sh *ir.Shape) *ir.Shape {
	if out := t.elems[sh]; out != nil {
		return out
	}
	var out ir.Shape
	n, ok := t.inputs[sh]
	switch {
	case ok && t.places[n].all:
		out = *sh
	case ok && t.places[n].seen.any(0, sh.Size):
		out = t.shape(sh, 0, t.places[n])
	case sh.Kind == ir.ShapeOpaque || sh.Size == 0:
		out = *sh
	default:
		// A struct, since behind a pointer opaque says that the kind of memory is not known.
		out = ir.Shape{Kind: ir.ShapeStruct, Size: sh.Size, Align: sh.Align, Fields: opaqueBytes(0, sh.Size)}
	}
	t.elems[sh] = &out
	return &out
}

// fields are what is left of those of sh. Padding that is looked at stays, and so does what has all beside it stay.
func (t *trimmer) fields(sh *ir.Shape, at int64, p *region) []ir.Shape {
	if p == nil {
		return t.alike(sh.Fields)
	}
	var out []ir.Shape
	end, gone := int64(0), false // where the last field of out ends, and whether one behind it is left out
	for i := range sh.Fields {
		f := &sh.Fields[i]
		pair := paired(sh.Fields, i)
		if !pair && !p.seen.any(at+f.Off, at+f.Off+f.Size) {
			gone = gone || f.Size > 0
			continue
		}
		if gone {
			out = append(out, unseen(end, f.Off, at, p)...)
		}
		g := *f
		if !pair {
			g = t.shape(f, at+f.Off, p)
		}
		out, end, gone = append(out, g), f.Off+f.Size, false
	}
	if gone {
		out = append(out, unseen(end, sh.Size, at, p)...)
	}
	return out
}

// unseen are those of the bytes [lo, hi) of a struct at offset at of p that nobody looks at.
func unseen(lo, hi, at int64, p *region) (out []ir.Shape) {
	for _, r := range p.seen { // padding, which stays
		if from := max(lo, r.Lo-at); from < min(hi, r.Hi-at) {
			out = append(out, opaqueBytes(lo, from)...)
			lo = r.Hi - at
		}
	}
	return append(out, opaqueBytes(lo, hi)...)
}

// opaqueBytes are bytes [lo, hi) of which nothing is known, not even that they are initialised.
func opaqueBytes(lo, hi int64) []ir.Shape {
	if lo >= hi {
		return nil
	}
	return []ir.Shape{{Kind: ir.ShapeOpaque, Size: hi - lo, Align: 1, Off: lo, Unset: true}}
}

// paired reports whether field i belongs with the one before it or behind it.
func paired(fields []ir.Shape, i int) bool {
	two := func(k ir.ShapeKind) bool { return k == ir.ShapeSlicePtr || k == ir.ShapeStr || k == ir.ShapeIter }
	return two(fields[i].Kind) || i > 0 && two(fields[i-1].Kind)
}
