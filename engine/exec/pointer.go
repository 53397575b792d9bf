package exec

import (
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// gep moves a pointer. inbounds makes poison of a step that wraps around or
// leaves the object.
func (x *exec) gep(in *ir.Inst, args []*value) (*value, error) {
	if args[0].agg != nil {
		return nil, stopf("unsupported: pointer vectors")
	}
	poison, exact := args[0].poison, args[0].whole()
	step := indexed{idx: expr.None, scale: 0, sum: x.b.Const(uint64(in.Off), 64), exact: in.Flags&(ir.InBounds|ir.NUSW) != 0, off: in.Off}
	for i, a := range args[1:] {
		exact = exact && a.whole()
		poison = x.b.Or(poison, a.poison)
		poison = x.b.Or(poison, x.addIndex(&step, x.asInt(a), in.Scales[i], in.Flags))
	}
	p := x.asPtr(args[0])
	out := make([]alt, 0, len(p))
	for _, a := range p {
		moved, bad := x.move(a, step, in.Flags)
		poison = x.b.Or(poison, x.b.And(a.guard, bad))
		out = append(out, moved)
	}
	return &value{ptr: out, poison: poison, exact: exact}, nil
}

// indexed is what a gep adds: sum, made of off and scale*idx if there is one index.
type indexed struct {
	sum   expr.Expr
	off   int64
	idx   expr.Expr
	scale int64
	many  bool
	exact bool // overflow makes poison
}

// addIndex adds scale*index and says where that is poison.
func (x *exec) addIndex(st *indexed, index expr.Expr, scale int64, flags ir.Flags) expr.Expr {
	b := x.b
	idx := index
	if w := b.Width(idx); w < 64 {
		idx = b.SExt(idx, 64)
	} else if w > 64 {
		idx = b.Trunc(idx, 64)
	}
	if c, ok := b.Uint64(idx); ok {
		st.off += int64(c) * scale
		st.sum = b.Add(st.sum, b.Const(c*uint64(scale), 64))
		return expr.False
	}
	k := b.Const(uint64(scale), 64)
	product := b.Mul(idx, k)
	bad := expr.False
	if st.exact && scale > 1 {
		bad = b.Not(x.within(idx, (1<<63-1)/scale))
	}
	if flags&ir.NUW != 0 && scale > 1 {
		bad = b.Or(bad, b.Ult(b.Const(^uint64(0)/uint64(scale), 64), idx))
	}
	if st.exact && st.sum != b.Const(0, 64) {
		bad = b.Or(bad, b.SAddOvf(st.sum, product))
	}
	if flags&ir.NUW != 0 && st.sum != b.Const(0, 64) {
		bad = b.Or(bad, b.UAddOvf(st.sum, product))
	}
	st.many = st.many || st.idx != expr.None
	st.idx, st.scale = idx, scale
	st.sum = b.Add(st.sum, product)
	return bad
}

// within is -limit <= e <= limit, signed.
func (x *exec) within(e expr.Expr, limit int64) expr.Expr {
	b := x.b
	return b.And(b.Sle(b.ConstInt(-limit, 64), e), b.Sle(e, b.ConstInt(limit, 64)))
}

// move adds a step to one alternative.
func (x *exec) move(a alt, st indexed, flags ir.Flags) (alt, expr.Expr) {
	b := x.b
	out := alt{guard: a.guard, obj: a.obj, off: b.Add(a.off, st.sum)}
	bad := expr.False
	if !isNumber(a.obj) {
		out.lin = x.moveLinear(a, st, flags)
		if st.exact && out.off != a.off {
			bad = b.SAddOvf(a.off, st.sum)
		}
		if flags&ir.InBounds != 0 {
			bad = b.Or(bad, b.Or(x.outOf(out), x.outOf(a)))
		}
	} else if a.obj == noObject && flags&ir.InBounds != 0 && st.sum != b.Const(0, 64) {
		bad = b.Not(b.IsZero(st.sum)) // no object: only a step of 0 stays in bounds
	}
	if flags&ir.NUW != 0 && out.off != a.off && a.obj != wildObject {
		bad = b.Or(bad, b.And(b.UAddOvf(a.off, st.sum), b.Not(x.ahead(a))))
	}
	return out, bad
}

// outOf says where a pointer is outside of its object, which inbounds excludes.
func (x *exec) outOf(a alt) expr.Expr {
	return x.b.And(x.b.Ult(x.infos[a.obj].size, a.off), x.b.Not(x.ahead(a)))
}

// moveLinear carries along that an offset is a multiple of a step. It must be
// exact where the result is not poison; a power of two is so without any flag.
func (x *exec) moveLinear(a alt, st indexed, flags ir.Flags) linear {
	if st.many {
		return linear{}
	}
	if st.idx == expr.None {
		if a.lin.step == 0 || a.lin.rem+st.off < 0 || !st.exact && bits.OnesCount64(uint64(a.lin.step)) != 1 {
			return linear{}
		}
		out := a.lin
		out.rem += st.off
		if out.least += st.off; out.least < 0 || !st.exact {
			out.least = 0
		}
		return out
	}
	c, ok := x.b.Uint64(a.off)
	if !ok || int64(c)+st.off < 0 || int64(c) < 0 || st.scale <= 0 {
		return linear{}
	}
	step, idx := st.scale, st.idx
	if pow := int64(1) << bits.TrailingZeros64(uint64(step)); !st.exact && pow != step {
		idx = x.b.Mul(idx, x.b.Const(uint64(step/pow), 64))
		step = pow
	}
	out := linear{idx: idx, step: step, rem: int64(c) + st.off}
	if flags&ir.NUW != 0 {
		out.least = int64(c)
	}
	return out
}

// comparePtr compares addresses. Within one object the offsets decide; those of
// different objects are compared as addresses.
func (x *exec) comparePtr(p ir.Pred, l, r []alt) expr.Expr {
	b := x.b
	out := expr.False
	for _, v := range l {
		for _, w := range r {
			g := b.And(v.guard, w.guard)
			if g == expr.False {
				continue
			}
			out = b.Or(out, b.And(g, x.compareAlts(p, v, w)))
		}
	}
	return out
}

func (x *exec) compareAlts(p ir.Pred, v, w alt) expr.Expr {
	b := x.b
	equality := p == ir.EQ || p == ir.NE
	if v.obj == w.obj && (equality || isNumber(v.obj)) {
		return x.compare(p, v.off, w.off)
	}
	signs := p == ir.SLT || p == ir.SLE || p == ir.SGT || p == ir.SGE // an object may lie around the middle of all addresses
	if v.obj == w.obj && !signs {
		size := x.infos[v.obj].size
		in := b.And(b.Ule(v.off, size), b.Ule(w.off, size))
		near := x.compare(p, v.off, w.off)
		if in == expr.True {
			return near
		}
		far := x.compare(p, x.offsetAlone(v), x.offsetAlone(w))
		return b.ITE(in, near, far)
	}
	x.compares(v.obj, w.obj)
	if equality && x.apart(v, w) && !(x.cfg.Overlaps && x.overlapping(v.obj, w.obj)) {
		return b.Bool(p == ir.NE)
	}
	if isNumber(v.obj) && b.IsConst(v.off) || isNumber(w.obj) && b.IsConst(w.off) {
		return x.compare(p, x.offsetAlone(v), x.offsetAlone(w))
	}
	return x.compare(p, x.addressOf(v), x.addressOf(w))
}

// apart reports whether two pointers to different objects cannot be equal: both
// are known to point inside, or one is null.
func (x *exec) apart(v, w alt) bool {
	return x.inside(v) && x.inside(w) || x.isNull(v) && x.upTo(w) || x.isNull(w) && x.upTo(v)
}

func (x *exec) isNull(a alt) bool {
	c, ok := x.b.Uint64(a.off)
	return a.obj == noObject && ok && c == 0
}

// inside reports whether an offset is known to lie before its object's end.
func (x *exec) inside(a alt) bool {
	o := x.infos[a.obj]
	_, hi := x.bounds(a.off)
	if o.kind == objFunc || o.kind == objExtern {
		return false // functions with the same code may be one
	}
	return !isNumber(a.obj) && o.bytes >= 0 && hi < uint64(o.bytes) && !x.shared(o)
}

// upTo reports whether an offset is known to be at most the object's size.
func (x *exec) upTo(a alt) bool {
	o := x.infos[a.obj]
	_, hi := x.bounds(a.off)
	return !isNumber(a.obj) && (hi == 0 || o.bytes >= 0 && hi <= uint64(o.bytes))
}

// shared reports whether an object's address may equal another's.
func (x *exec) shared(o *info) bool {
	return o.kind == objGlobal && x.slice.Globals[o.ref].UnnamedAddr
}

// offsetAlone is addressOf where it does not matter where other objects are.
func (x *exec) offsetAlone(a alt) expr.Expr {
	if isNumber(a.obj) {
		return a.off
	}
	return x.b.Add(x.addressAlone(a.obj), a.off)
}

func (x *exec) addressOf(a alt) expr.Expr {
	if isNumber(a.obj) {
		return a.off
	}
	return x.b.Add(x.address(a.obj), a.off)
}
