package expr

import (
	"math/big"
	"math/bits"
)

// Comparisons of k * x with a number, where k is a positive constant and the
// product is known not to overflow, are comparisons of x with the quotient.
// That x was extended is the usual way to know: it is how programs avoid overflow.

// scaled returns k and x if e is k * x.
func (b *Builder) scaled(e Expr) (k *big.Int, x Expr) {
	n := b.as(e, OpMul)
	if n == nil || !b.IsConst(n.a) {
		return nil, None
	}
	v, _ := b.Value(n.a)
	if k = v.Signed(int(n.width)); k.Sign() <= 0 {
		return nil, None
	}
	return k, n.b
}

// signedScaled is scaled where the product does not overflow, signed.
func (b *Builder) signedScaled(e Expr) (k *big.Int, x Expr) {
	if k, x = b.scaled(e); k != nil && b.signedBits(x, 8)+k.BitLen() <= b.Width(e) {
		return k, x
	}
	return nil, None
}

// unsignedScaled is scaled where the product does not overflow, unsigned.
func (b *Builder) unsignedScaled(e Expr) (k *big.Int, x Expr) {
	if k, x = b.scaled(e); k != nil && b.unsignedBits(x)+k.BitLen() <= b.Width(e) {
		return k, x
	}
	return nil, None
}

// signedBits returns a width at which e's number can be written in two's
// complement, looking depth operations deep into wide expressions.
func (b *Builder) signedBits(e Expr, depth int) int {
	n := &b.nodes[e.node()]
	width := int(n.width)
	if width <= 64 {
		f := b.Facts(e)
		return max(bits.Len64(uint64(f.SMin^f.SMin>>63)), bits.Len64(uint64(f.SMax^f.SMax>>63))) + 1
	}
	if depth == 0 {
		return width
	}
	depth--
	need := width
	switch n.op { // a complement needs as many bits
	case OpConst:
		v, _ := b.Value(e)
		k := v.Signed(width)
		if k.Sign() < 0 {
			k.Not(k)
		}
		need = k.BitLen() + 1
	case OpSExt:
		need = b.signedBits(n.a, depth)
	case OpZExt:
		need = b.Width(n.a) + 1
	case OpAdd:
		need = max(b.signedBits(n.a, depth), b.signedBits(n.b, depth)) + 1
	case OpMul:
		need = b.signedBits(n.a, depth) + b.signedBits(n.b, depth)
	case OpITE:
		need = max(b.signedBits(n.b, depth), b.signedBits(n.c, depth))
	}
	return min(need, width)
}

// unsignedBits returns how many low bits of e can be set.
func (b *Builder) unsignedBits(e Expr) int {
	if b.Width(e) <= 64 {
		return bits.Len64(b.Facts(e).UMax)
	}
	if n := b.as(e, OpZExt); n != nil {
		return b.Width(n.a)
	}
	return b.Width(e)
}

// eq-scale:
//
//	k1 = k * x  =>  k1/k = x, or false where k does not divide k1
func eqScale(b *Builder, n node) Expr {
	v, ok := b.Value(n.a)
	if !ok {
		return None
	}
	width := b.Width(n.a)
	number := v.Signed(width)
	k, x := b.signedScaled(n.b)
	if k == nil {
		number = v.Big()
		k, x = b.unsignedScaled(n.b)
	}
	if k == nil {
		return None
	}
	quo, rem := new(big.Int).QuoRem(number, k, new(big.Int))
	if rem.Sign() != 0 {
		return False
	}
	return b.Eq(b.ConstBig(quo, width), x)
}

// ult-scale:
//
//	k1 < k * x  =>  floor(k1/k) < x        k * x < k1  =>  x < ceil(k1/k)
func ultScale(b *Builder, n node) Expr {
	width := b.Width(n.a)
	if v, ok := b.Value(n.a); ok {
		if k, x := b.unsignedScaled(n.b); k != nil {
			return b.Ult(b.ConstBig(floor(v.Big(), k), width), x)
		}
	}
	if v, ok := b.Value(n.b); ok {
		if k, x := b.unsignedScaled(n.a); k != nil {
			return b.Ult(x, b.ConstBig(ceil(v.Big(), k), width))
		}
	}
	return None
}

// slt-scale:
//
//	k1 < k * x  =>  floor(k1/k) < x        k * x < k1  =>  x < ceil(k1/k)
func sltScale(b *Builder, n node) Expr {
	width := b.Width(n.a)
	if v, ok := b.Value(n.a); ok {
		if k, x := b.signedScaled(n.b); k != nil {
			return b.Slt(b.ConstBig(floor(v.Signed(width), k), width), x)
		}
	}
	if v, ok := b.Value(n.b); ok {
		if k, x := b.signedScaled(n.a); k != nil {
			return b.Slt(x, b.ConstBig(ceil(v.Signed(width), k), width))
		}
	}
	return None
}

// floor returns x/k rounded down; k is positive. big.Int's Div rounds so.
func floor(x, k *big.Int) *big.Int { return new(big.Int).Div(x, k) }

// ceil returns x/k rounded up.
func ceil(x, k *big.Int) *big.Int {
	q := floor(new(big.Int).Neg(x), k)
	return q.Neg(q)
}
