package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// operand returns the value of an operand.
func (x *exec) operand(s *state, v *ir.Value) (*value, error) {
	if v.Kind != ir.Reg {
		return x.constant(v)
	}
	r := s.top.regs[v.Index]
	if r == nil {
		return nil, stopf("register %d is used before it is set", v.Index)
	}
	return r, nil
}

// constant returns the value of an operand that is no register.
func (x *exec) constant(v *ir.Value) (*value, error) {
	switch v.Kind {
	case ir.ConstInt:
		if v.Type.Kind == ir.Ptr {
			return x.pointer(noObject, x.b.ConstBig(v.Big, 64)), nil
		}
		if v.Type.Kind != ir.Int || v.Type.Bits > expr.MaxWidth {
			return nil, stopf("unsupported: constant of type %v", v.Type)
		}
		return intValue(x.b.ConstBig(v.Big, v.Type.Bits)), nil
	case ir.Null:
		return x.pointer(noObject, x.b.Const(0, 64)), nil
	case ir.Zero:
		return x.filled(v.Type, expr.False)
	case ir.Poison, ir.Undef:
		return x.filled(v.Type, expr.True)
	case ir.GlobalAddr:
		return x.pointer(x.globalObj+v.Index, x.b.Const(uint64(v.Off), 64)), nil
	case ir.FuncAddr:
		return x.pointer(x.funcObj+v.Index, x.b.Const(0, 64)), nil
	case ir.ExternAddr:
		return x.pointer(x.externObj+v.Index, x.b.Const(0, 64)), nil
	case ir.AddrInt:
		p, err := x.constant(&v.Elems[0])
		if err != nil {
			return nil, err
		}
		return intValue(x.resize(x.asInt(p), v.Type.Bits)), nil
	case ir.Aggregate:
		return x.aggregate(v)
	}
	return nil, stopf("unsupported operand")
}

func (x *exec) aggregate(v *ir.Value) (*value, error) {
	out := &value{agg: make([]*value, len(v.Elems)), poison: expr.False}
	for i := range v.Elems {
		f, err := x.constant(&v.Elems[i])
		if err != nil {
			return nil, err
		}
		out.agg[i] = f
	}
	return out, nil
}

// filled returns zero, or poison, of a type.
func (x *exec) filled(t *ir.Type, poison expr.Expr) (*value, error) {
	switch t.Kind {
	case ir.Int:
		if t.Bits <= expr.MaxWidth {
			return &value{e: x.b.Const(0, t.Bits), poison: poison, exact: true}, nil
		}
	case ir.Ptr:
		v := x.pointer(noObject, x.b.Const(0, 64))
		v.poison, v.exact = poison, true
		return v, nil
	case ir.Struct, ir.Array, ir.Vector:
		out := &value{agg: make([]*value, t.NumFields()), poison: poison, exact: true}
		for i := range out.agg {
			f, err := x.filled(t.Field(i), poison)
			if err != nil {
				return nil, err
			}
			out.agg[i] = f
		}
		return out, nil
	}
	return nil, stopf("unsupported: value of type %v", t)
}

func (x *exec) resize(e expr.Expr, width int) expr.Expr {
	switch w := x.b.Width(e); {
	case width < w:
		return x.b.Trunc(e, width)
	case width > w:
		return x.b.ZExt(e, width)
	}
	return e
}

// binary executes integer arithmetic. Division by zero and overflow of a
// division are undefined; a violated flag makes poison.
func (x *exec) binary(s *state, in *ir.Inst, v, w *value) (*value, error) {
	if in.Type.Kind != ir.Int {
		return nil, stopf("unsupported: %v of %v", in.Op, in.Type)
	}
	b, l, r := x.b, x.asInt(v), x.asInt(w)
	poison := b.Or(v.poison, w.poison)
	out := func(e expr.Expr, also ...expr.Expr) (*value, error) {
		return &value{e: e, poison: b.Or(poison, b.OrAll(also...)), exact: poison == expr.False}, nil
	}
	has := func(f ir.Flags, e func(l, r expr.Expr) expr.Expr) expr.Expr {
		if in.Flags&f == 0 {
			return expr.False
		}
		return e(l, r)
	}
	switch in.Op {
	case ir.Add:
		return out(b.Add(l, r), has(ir.NUW, b.UAddOvf), has(ir.NSW, b.SAddOvf))
	case ir.Sub:
		return out(b.Sub(l, r), has(ir.NUW, b.USubOvf), has(ir.NSW, b.SSubOvf))
	case ir.Mul:
		return out(b.Mul(l, r), has(ir.NUW, b.UMulOvf), has(ir.NSW, b.SMulOvf))
	case ir.And:
		return out(b.And(l, r))
	case ir.Or:
		return out(b.Or(l, r), has(ir.Disjoint, func(l, r expr.Expr) expr.Expr { return b.Not(b.IsZero(b.And(l, r))) }))
	case ir.Xor:
		return out(b.Xor(l, r))
	case ir.Shl, ir.LShr, ir.AShr:
		e, bad := x.shift(in, l, r)
		return out(e, bad)
	}
	if err := x.divisor(s, in, r, l, w.poison, v.poison); err != nil {
		return nil, err
	}
	q, rest := x.divide(in.Op, l, r)
	return out(q, has(ir.Exact, func(l, r expr.Expr) expr.Expr { return b.Not(b.IsZero(rest)) }))
}

func (x *exec) shift(in *ir.Inst, l, r expr.Expr) (e, poison expr.Expr) {
	b, width := x.b, x.b.Width(l)
	poison = b.Not(b.Ult(r, b.ConstInt(int64(width), width)))
	if width == 1 { // a shift by 1 is past the width, and 1 does not fit the comparison above
		poison = r
	}
	lost := expr.False
	switch in.Op {
	case ir.Shl:
		e = b.Shl(l, r)
		if in.Flags&ir.NUW != 0 {
			lost = b.Ne(b.LShr(e, r), l)
		}
		if in.Flags&ir.NSW != 0 {
			lost = b.Or(lost, b.Ne(b.AShr(e, r), l))
		}
	case ir.LShr, ir.AShr:
		e = b.LShr(l, r)
		if in.Op == ir.AShr {
			e = b.AShr(l, r)
		}
		if in.Flags&ir.Exact != 0 {
			lost = b.Ne(b.Shl(e, r), l)
		}
	}
	return e, b.Or(poison, lost)
}

// divisor checks a division. A dividend that is poison overflows with -1, as it may be
// the least number, and makes poison with any other divisor.
func (x *exec) divisor(s *state, in *ir.Inst, r, l, rPoison, lPoison expr.Expr) error {
	b := x.b
	if err := x.require(s, rPoison, UninitUse); err != nil {
		return err
	}
	if err := x.require(s, b.IsZero(r), DivZero); err != nil {
		return err
	}
	if in.Op == ir.SDiv || in.Op == ir.SRem {
		minusOne := b.Eq(r, b.ConstInt(-1, b.Width(r)))
		return x.require(s, b.Or(b.SDivOvf(l, r), b.And(lPoison, minusOne)), DivOverflow)
	}
	return nil
}

// divide returns the result, and the remainder that must be 0 for an exact division.
func (x *exec) divide(op ir.Op, l, r expr.Expr) (q, rest expr.Expr) {
	b := x.b
	switch op {
	case ir.UDiv:
		return b.UDiv(l, r), b.URem(l, r)
	case ir.SDiv:
		return b.SDiv(l, r), b.SRem(l, r)
	case ir.URem:
		return b.URem(l, r), b.Const(0, b.Width(l))
	}
	return b.SRem(l, r), b.Const(0, b.Width(l))
}

func (x *exec) cast(in *ir.Inst, v *value) (*value, error) {
	b := x.b
	switch in.Op {
	case ir.PtrToInt:
		return &value{e: x.resize(x.asInt(v), in.Type.Bits), poison: v.poison, exact: v.whole() && in.Type.Bits <= 64}, nil
	case ir.IntToPtr:
		return &value{ptr: x.intToPtr(x.resize(v.e, 64)), poison: v.poison, exact: v.whole() && b.Width(v.e) >= 64}, nil
	case ir.BitCast:
		return v, nil
	}
	if in.Type.Kind != ir.Int || v.e == expr.None {
		return nil, stopf("unsupported: %v to %v", in.Op, in.Type)
	}
	from, to := b.Width(v.e), in.Type.Bits
	poison := v.poison
	switch in.Op {
	case ir.Trunc:
		e := b.Trunc(v.e, to)
		if in.Flags&ir.NUW != 0 {
			poison = b.Or(poison, b.Ne(b.ZExt(e, from), v.e))
		}
		if in.Flags&ir.NSW != 0 {
			poison = b.Or(poison, b.Ne(b.SExt(e, from), v.e))
		}
		if v.bytes != nil && in.Flags == 0 && to%8 == 0 { // the bytes that are left, whatever became of the others
			kept := v.bytes[:to/8]
			return &value{e: e, poison: b.OrAll(kept...), bytes: kept, exact: v.exact}, nil
		}
		return &value{e: e, poison: poison, exact: v.whole()}, nil
	case ir.ZExt:
		if in.Flags&ir.NNeg != 0 {
			poison = b.Or(poison, b.Sign(v.e))
		}
		return &value{e: b.ZExt(v.e, to), poison: poison, exact: v.poison == expr.False}, nil
	case ir.SExt:
		return &value{e: b.SExt(v.e, to), poison: poison}, nil
	}
	return nil, stopf("unsupported: %v", in.Op)
}

func (x *exec) icmp(in *ir.Inst, v, w *value) (*value, error) {
	b := x.b
	poison := b.Or(v.poison, w.poison)
	if v.agg != nil || w.agg != nil {
		return nil, stopf("unsupported: comparison of aggregates")
	}
	if v.ptr != nil || w.ptr != nil {
		return &value{e: x.comparePtr(in.Pred, x.asPtr(v), x.asPtr(w)), poison: poison}, nil
	}
	if in.Flags&ir.SameSign != 0 {
		poison = b.Or(poison, b.Ne(b.Sign(v.e), b.Sign(w.e)))
	}
	return &value{e: x.compare(in.Pred, v.e, w.e), poison: poison, exact: v.poison == expr.False && w.poison == expr.False}, nil
}

func (x *exec) compare(p ir.Pred, l, r expr.Expr) expr.Expr {
	b := x.b
	switch p {
	case ir.EQ:
		return b.Eq(l, r)
	case ir.NE:
		return b.Ne(l, r)
	case ir.UGT:
		return b.Ult(r, l)
	case ir.UGE:
		return b.Ule(r, l)
	case ir.ULT:
		return b.Ult(l, r)
	case ir.ULE:
		return b.Ule(l, r)
	case ir.SGT:
		return b.Slt(r, l)
	case ir.SGE:
		return b.Sle(r, l)
	case ir.SLT:
		return b.Slt(l, r)
	}
	return b.Sle(l, r)
}
