package cut

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// inputs says how the parameters of an automatic root are made, from what the
// signature alone tells.
func inputs(sig *ir.Sig) *ir.RootSpec {
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
		return ir.Shape{Kind: ir.ShapeRange, Size: size, Align: align, Ranges: spans(p)}
	case p.Type.Kind == ir.Int && p.Type.Bits == 1:
		return ir.Shape{Kind: ir.ShapeRange, Size: 1, Align: 1, Ranges: []ir.Span{{Lo: big.NewInt(0), Hi: big.NewInt(1)}}}
	case p.Type.Kind == ir.Int:
		return ir.Shape{Kind: ir.ShapeBits, Size: size, Align: align}
	case p.Type.Kind == ir.Ptr && p.Attr.SRet != nil:
		t := p.Attr.SRet
		elem := ir.Shape{Kind: ir.ShapeStruct, Size: t.Size(), Align: max(p.Attr.Align, t.Align())} // all of it padding: uninitialised
		return ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: true, Elem: &elem}
	case p.Type.Kind == ir.Ptr && p.Attr.NonNull && p.Attr.Deref > 0:
		elem := ir.Shape{Kind: ir.ShapeOpaque, Size: p.Attr.Deref, Align: max(1, p.Attr.Align)}
		return ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Mut: !p.Attr.ReadOnly, Elem: &elem}
	case p.Type.Kind == ir.Ptr:
		elem := ir.Shape{Kind: ir.ShapeOpaque, Size: 0, Align: 1}
		return ir.Shape{Kind: ir.ShapeRawPtr, Size: 8, Align: 8, Null: !p.Attr.NonNull, Elem: &elem}
	}
	return ir.Shape{Kind: ir.ShapeOpaque, Size: size, Align: align}
}

// spans turns the half-open, possibly wrapping range of a parameter into inclusive ones.
func spans(p *ir.Param) []ir.Span {
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
