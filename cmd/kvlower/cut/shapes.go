package cut

import (
	"math/big"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// inputs says how the parameters of an automatic root are made: from the types
// of its parameters when they are known and fit the signature, otherwise from
// what the signature alone tells.
func inputs(sig *ir.Sig, types []*module.DebugType) *ir.RootSpec {
	if types != nil {
		m := matcher{params: sig.Params}
		if m.all(types) {
			return &ir.RootSpec{Params: m.out}
		}
	}
	spec := &ir.RootSpec{}
	for i := range sig.Params {
		spec.Params = append(spec.Params, fromParam(&sig.Params[i]))
	}
	return spec
}

func fromParam(p *ir.Param) ir.Shape {
	size, align := p.Type.StoreSize(), p.Type.Align()
	switch {
	case p.Type.Kind == ir.Int && p.Attr.RangeLo != nil:
		return ir.Shape{Kind: ir.ShapeRange, Size: size, Align: align, Ranges: paramRange(p)}
	case p.Type.Kind == ir.Int && p.Type.Bits == 1:
		return rangeShape(1, 0, 1)
	case p.Type.Kind == ir.Int:
		return bitsShape(size, align)
	case p.Type.Kind == ir.Ptr && p.Attr.SRet != nil:
		return resultShape(p)
	case p.Type.Kind == ir.Ptr && p.Attr.Deref > 0:
		elem := opaqueShape(p.Attr.Deref, max(1, p.Attr.Align))
		return ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: !p.Attr.ReadOnly, Elem: &elem}
	case p.Type.Kind == ir.Ptr:
		return rawShape(opaqueShape(0, 1), !p.Attr.NonNull)
	}
	return opaqueShape(size, align)
}

func bitsShape(size, align int64) ir.Shape {
	return ir.Shape{Kind: ir.ShapeBits, Size: size, Align: align}
}

func opaqueShape(size, align int64) ir.Shape {
	return ir.Shape{Kind: ir.ShapeOpaque, Size: size, Align: align}
}

func rawShape(elem ir.Shape, null bool) ir.Shape {
	return ir.Shape{Kind: ir.ShapeRawPtr, Size: 8, Align: 8, Null: null, Mut: true, Elem: &elem}
}

func rangeShape(size int64, lo, hi uint64) ir.Shape {
	return ir.Shape{Kind: ir.ShapeRange, Size: size, Align: size, Ranges: []ir.Span{span(lo, hi)}}
}

func span(lo, hi uint64) ir.Span {
	return ir.Span{Lo: new(big.Int).SetUint64(lo), Hi: new(big.Int).SetUint64(hi)}
}

// resultShape is memory for a result: uninitialised, so a struct without fields.
func resultShape(p *ir.Param) ir.Shape {
	t := p.Attr.SRet
	elem := ir.Shape{Kind: ir.ShapeStruct, Size: t.Size(), Align: max(p.Attr.Align, t.Align())}
	return ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: true, Elem: &elem}
}

// paramRange turns the half-open, possibly wrapping range of a parameter into
// inclusive ones.
func paramRange(p *ir.Param) []ir.Span {
	one := big.NewInt(1)
	lo, hi := p.Attr.RangeLo, new(big.Int).Sub(p.Attr.RangeHi, one)
	top := new(big.Int).Lsh(one, uint(p.Type.Bits))
	top.Sub(top, one)
	switch {
	case p.Attr.RangeHi.Sign() == 0:
		return []ir.Span{{Lo: lo, Hi: top}}
	case lo.Cmp(p.Attr.RangeHi) < 0:
		return []ir.Span{{Lo: lo, Hi: hi}}
	}
	return []ir.Span{{Lo: new(big.Int), Hi: hi}, {Lo: lo, Hi: top}}
}

// matcher lays the parameters of the source, in order, over those of LLVM:
// parameters of size zero vanish, a slice or another pair of scalars becomes
// two, a large value becomes a pointer.
type matcher struct {
	params []ir.Param
	out    []ir.Shape
}

func (m *matcher) all(types []*module.DebugType) bool {
	if len(m.params) > 0 && m.params[0].Attr.SRet != nil {
		m.out = append(m.out, resultShape(&m.params[0]))
	}
	var d describer
	for _, t := range types {
		if t == nil || !m.one(d.parameter(t)) {
			return false
		}
	}
	return len(m.out) == len(m.params)
}

// one lays a parameter of shape s over the next ones.
func (m *matcher) one(s ir.Shape) bool {
	if s.Size == 0 {
		return true
	}
	rest := m.params[len(m.out):]
	if len(rest) == 0 {
		return false
	}
	p := &rest[0]
	isPtr := p.Type.Kind == ir.Ptr
	ls := leaves(s)
	switch {
	case len(ls) == 1 && ls[0].Size == s.Size && fits(ls[0], p): // a pointer in a larger struct is passed within it
		m.out = append(m.out, sharpen(ls[0], p))
	case len(ls) == 2 && len(rest) > 1 && fits(ls[0], p) && fits(ls[1], &rest[1]):
		m.out = append(m.out, sharpen(ls[0], p), sharpen(ls[1], &rest[1]))
	case isPtr && p.Attr.Deref == s.Size:
		elem := s
		m.out = append(m.out, ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: true, Elem: &elem})
	case !isPtr && p.Type.StoreSize() == s.Size:
		m.out = append(m.out, s)
	default:
		return false
	}
	return true
}

// leaves are the scalars that s consists of, at their offsets from the start,
// nil if it holds more than scalars.
func leaves(s ir.Shape) []ir.Shape {
	switch s.Kind {
	case ir.ShapeStruct:
		return fieldLeaves(s.Fields)
	case ir.ShapeEnum:
		if len(s.Fields) > 1 {
			return nil
		}
		if data := dataful(s.Variants); data != nil {
			return nicheLeaves(s, data)
		}
		return taggedLeaves(s)
	case ir.ShapeArray:
		return nil
	}
	s.Off = 0
	return []ir.Shape{s}
}

func fieldLeaves(fields []ir.Shape) []ir.Shape {
	var out []ir.Shape
	for _, f := range fields {
		ls := leaves(f)
		if ls == nil && f.Size > 0 {
			return nil
		}
		for _, l := range ls {
			l.Off += f.Off
			l.Private = l.Private || f.Private
			out = append(out, l)
		}
	}
	return out
}

// dataful is the variant that has no tag of its own, nil if all have one.
func dataful(variants []ir.Variant) *ir.Variant {
	for i := range variants {
		if variants[i].Tags == nil {
			return &variants[i]
		}
	}
	return nil
}

// nicheLeaves are the scalars of the variant with data, the one over the tag
// widened by the tags of the others, which hold nothing.
func nicheLeaves(s ir.Shape, data *ir.Variant) []ir.Shape {
	out := fieldLeaves(data.Fields)
	for i := range out {
		if l := &out[i]; l.Off == s.Fields[0].Off && l.Size == s.Fields[0].Size {
			for _, v := range s.Variants {
				if v.Tags != nil && (len(v.Fields) > 0 || !widen(l, v.Tags)) {
					return nil
				}
			}
			return out
		}
	}
	return nil
}

// widen lets l hold the tags too. It reports whether l has a way to say that.
func widen(l *ir.Shape, tags []ir.Span) bool {
	switch l.Kind {
	case ir.ShapeBits, ir.ShapeOpaque: // anything already
		return true
	case ir.ShapeRange:
		l.Ranges = append(slices.Clone(l.Ranges), tags...)
		return true
	case ir.ShapeRef, ir.ShapeRawPtr, ir.ShapeSlicePtr, ir.ShapeStr, ir.ShapeIter:
		l.Null = true
		return len(tags) == 1 && tags[0].Hi.Sign() == 0
	}
	return false
}

// taggedLeaves are the tag and the payload, if there is one of one size. The
// payload is any bits: which of them are valid depends on the tag.
func taggedLeaves(s ir.Shape) []ir.Shape {
	tag := s.Fields[0]
	tag.Kind, tag.Ranges = ir.ShapeRange, nil
	out := []ir.Shape{tag}
	for _, v := range s.Variants {
		tag.Ranges = append(tag.Ranges, v.Tags...)
		ls := fieldLeaves(v.Fields)
		switch {
		case len(v.Fields) == 0:
			continue
		case len(ls) != 1 || len(out) == 2 && (out[1].Size != ls[0].Size || out[1].Off != ls[0].Off):
			return nil
		case len(out) == 2:
			out[1].Unset = out[1].Unset || ls[0].Unset
		default:
			payload := opaqueShape(ls[0].Size, ls[0].Align)
			payload.Off, payload.Private, payload.Unset = ls[0].Off, ls[0].Private, ls[0].Unset
			out = append(out, payload)
		}
	}
	out[0] = tag
	return out
}

// fits reports whether the scalar s can be the LLVM parameter p.
func fits(s ir.Shape, p *ir.Param) bool {
	pointer := s.Kind == ir.ShapeRef || s.Kind == ir.ShapeRawPtr || s.Kind == ir.ShapeSlicePtr || s.Kind == ir.ShapeStr ||
		s.Kind == ir.ShapeIter || s.Kind == ir.ShapeIterEnd
	if s.Size != p.Type.StoreSize() || p.Attr.SRet != nil || p.Attr.ByVal != nil {
		return false
	}
	if s.Kind == ir.ShapeOpaque {
		return p.Type.Kind == ir.Ptr || p.Type.Kind == ir.Int
	}
	return pointer == (p.Type.Kind == ir.Ptr)
}

// sharpen adds to s what the attributes of its parameter promise.
func sharpen(s ir.Shape, p *ir.Param) ir.Shape {
	s.Off = 0
	switch {
	case (s.Kind == ir.ShapeBits || s.Kind == ir.ShapeOpaque) && p.Type.Kind == ir.Int && p.Attr.RangeLo != nil:
		s.Kind, s.Ranges, s.Unset = ir.ShapeRange, paramRange(p), false
	case s.Kind == ir.ShapeOpaque && p.Type.Kind == ir.Int:
		s.Kind = ir.ShapeBits
	case s.Kind == ir.ShapeRawPtr && (p.Attr.NonNull || p.Attr.Deref > 0):
		s.Null = false
	}
	return s
}
