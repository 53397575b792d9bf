package expr

// Rules for products with a choice of constants: a base of 10 or 16, a stride.

// mul-choice, where k1 or k2 is 0 or a power of two:
//
//	ite(c, k1, k2) * x  =>  ite(c, k1 * x, k2 * x)
//
// A shift and one product with a constant are less than a product of two unknowns.
func mulChoice(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		x, mark := b.constITE(p[0])
		if x == nil {
			continue
		}
		k1, k2 := x.b^mark, x.c^mark
		_, shift1 := b.powerOf(k1)
		_, shift2 := b.powerOf(k2)
		if shift1 || shift2 || b.isZero(k1) || b.isZero(k2) {
			return b.ITE(x.a, b.Mul(k1, p[1]), b.Mul(k2, p[1]))
		}
	}
	return None
}

// umulovf-choice, smulovf-choice:
//
//	ovf(ite(c, k1, k2), x)  =>  ite(c, ovf(k1, x), ovf(k2, x))
func ovfChoice(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		if x, mark := b.constITE(p[0]); x != nil {
			return b.ITE(x.a, b.predicate(n.op, x.b^mark, p[1]), b.predicate(n.op, x.c^mark, p[1]))
		}
	}
	return None
}
