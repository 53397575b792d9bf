package interp

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// Integers of more than 64 bits are rare: they go through math/big.

// wideOp computes on non-negative numbers below 2^width. The result may be any
// number, it is cut to the width. ok is false for poison.
type wideOp func(in *inst, a, b *big.Int) (r *big.Int, ok bool)

var wideBinaries = map[ir.Op]wideOp{
	ir.Add: wideExact((*big.Int).Add), ir.Sub: wideExact((*big.Int).Sub), ir.Mul: wideExact((*big.Int).Mul),
	ir.And: wideBits((*big.Int).And), ir.Or: wideOr, ir.Xor: wideBits((*big.Int).Xor),
	ir.Shl: wideShl, ir.LShr: wideLShr, ir.AShr: wideAShr,
}

// wideExact checks nuw and nsw by computing without bounds, once on the
// unsigned and once on the signed numbers.
func wideExact(f func(z, a, b *big.Int) *big.Int) wideOp {
	return func(in *inst, a, b *big.Int) (*big.Int, bool) {
		r := f(new(big.Int), a, b)
		if in.flags&ir.NUW != 0 && !fitsUnsigned(r, in.width) {
			return nil, false
		}
		s := f(new(big.Int), bigSigned(a, in.width), bigSigned(b, in.width))
		return r, in.flags&ir.NSW == 0 || fitsSigned(s, in.width)
	}
}

func wideBits(f func(z, a, b *big.Int) *big.Int) wideOp {
	return func(_ *inst, a, b *big.Int) (*big.Int, bool) { return f(new(big.Int), a, b), true }
}

func wideOr(in *inst, a, b *big.Int) (*big.Int, bool) {
	both := new(big.Int).And(a, b)
	return new(big.Int).Or(a, b), in.flags&ir.Disjoint == 0 || both.Sign() == 0
}

func wideShl(in *inst, a, b *big.Int) (*big.Int, bool) {
	n, ok := shift(in, b)
	if !ok {
		return nil, false
	}
	r := new(big.Int).Lsh(a, n)
	if in.flags&ir.NUW != 0 && !fitsUnsigned(r, in.width) {
		return nil, false
	}
	s := new(big.Int).Lsh(bigSigned(a, in.width), n)
	return r, in.flags&ir.NSW == 0 || fitsSigned(s, in.width)
}

func wideLShr(in *inst, a, b *big.Int) (*big.Int, bool) {
	n, ok := shift(in, b)
	if !ok {
		return nil, false
	}
	return new(big.Int).Rsh(a, n), in.flags&ir.Exact == 0 || a.TrailingZeroBits() >= n || a.Sign() == 0
}

func wideAShr(in *inst, a, b *big.Int) (*big.Int, bool) {
	n, ok := shift(in, b)
	if !ok {
		return nil, false
	}
	return new(big.Int).Rsh(bigSigned(a, in.width), n), in.flags&ir.Exact == 0 || a.TrailingZeroBits() >= n || a.Sign() == 0
}

func shift(in *inst, b *big.Int) (uint, bool) {
	if !b.IsUint64() || b.Uint64() >= uint64(in.width) {
		return 0, false
	}
	return uint(b.Uint64()), true
}

func bigSigned(v *big.Int, width int32) *big.Int {
	if v.Bit(int(width)-1) == 0 {
		return v
	}
	return new(big.Int).Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(width)))
}

func fitsUnsigned(v *big.Int, width int32) bool { return v.Sign() >= 0 && v.BitLen() <= int(width) }

func fitsSigned(v *big.Int, width int32) bool {
	lim := new(big.Int).Lsh(big.NewInt(1), uint(width-1))
	return v.Cmp(lim) < 0 && v.Cmp(new(big.Int).Neg(lim)) >= 0
}

// wideOperands reads both operands; ok is false if one is undefined.
func (m *machine) wideOperands(in *inst) (a, b *big.Int, ok bool) {
	n := limbs(in.width)
	x, y := m.many(in.a, n), m.many(in.b, n)
	if undefined(x) || undefined(y) {
		return nil, nil, false
	}
	return toBig(x), toBig(y), true
}

func doWide(m *machine, in *inst) *Outcome {
	a, b, ok := m.wideOperands(in)
	if !ok {
		return m.spoil(in.dst, int(in.n))
	}
	r, ok := in.x.wide(in, a, b)
	if !ok {
		return m.spoil(in.dst, int(in.n))
	}
	put(m.many(in.dst, int(in.n)), r, in.width)
	return nil
}

func doWideDivide(m *machine, in *inst) *Outcome {
	n := limbs(in.width)
	if undefined(m.many(in.b, n)) {
		return m.ub(UBUninit, "divisor is undefined")
	}
	b := toBig(m.many(in.b, n))
	if b.Sign() == 0 {
		return m.ub(UBDivZero, "")
	}
	op := in.x.ir.Op
	signs := op == ir.SDiv || op == ir.SRem
	if undefined(m.many(in.a, n)) {
		if signs && bigSigned(b, in.width).IsInt64() && bigSigned(b, in.width).Int64() == -1 {
			return m.ub(UBDivOverflow, "")
		}
		return m.spoil(in.dst, n)
	}
	a := toBig(m.many(in.a, n))
	if signs {
		a, b = bigSigned(a, in.width), bigSigned(b, in.width)
	}
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if signs && !fitsSigned(q, in.width) {
		return m.ub(UBDivOverflow, "")
	}
	if op == ir.URem || op == ir.SRem {
		q = r
	} else if in.flags&ir.Exact != 0 && r.Sign() != 0 {
		return m.spoil(in.dst, n)
	}
	put(m.many(in.dst, n), q, in.width)
	return nil
}

func doWideICmp(m *machine, in *inst) *Outcome {
	a, b, ok := m.wideOperands(in)
	if !ok {
		return m.spoil(in.dst, 1)
	}
	x, y := bigSigned(a, in.width), bigSigned(b, in.width)
	if in.flags&ir.SameSign != 0 && (x.Sign() < 0) != (y.Sign() < 0) {
		return m.spoil(in.dst, 1)
	}
	return m.set(in, bit(holds(in.pred, a.Cmp(b), x.Cmp(y))))
}

// holds decides a predicate from the unsigned and the signed order.
func holds(p ir.Pred, unsigned, signed int) bool {
	switch p {
	case ir.EQ:
		return unsigned == 0
	case ir.NE:
		return unsigned != 0
	case ir.UGT:
		return unsigned > 0
	case ir.UGE:
		return unsigned >= 0
	case ir.ULT:
		return unsigned < 0
	case ir.ULE:
		return unsigned <= 0
	case ir.SGT:
		return signed > 0
	case ir.SGE:
		return signed >= 0
	case ir.SLT:
		return signed < 0
	}
	return signed <= 0
}
