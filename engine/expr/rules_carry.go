package expr

// Whether a sum overflows is asked in more ways than one: as a flag, by comparing the sum
// with a summand, and of either summand with the room that the other leaves. In one form,
// what a branch found out is what the flag asks, and no adder has to be a circuit for it.

// ult-carry; k is a constant and not 0:
//
//	x + y < x  =>  ~y < x           x < k + x  =>  ~(~k < x)
//
// and so for ~x < ~(x + y) and ~(k + x) < ~x.
func ultCarry(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b ^ 1, n.a ^ 1}} {
		if x, y := b.otherSummand(p[0], p[1]); y != None {
			return b.UAddOvf(x, y)
		}
		if x, y := b.otherSummand(p[1], p[0]); y != None && b.IsConst(y) && !b.isZero(y) {
			return b.UAddOvf(x, y) ^ 1
		}
	}
	return None
}

// otherSummand returns part and what it is added to in sum, None if it is no part of it.
func (b *Builder) otherSummand(sum, part Expr) (x, y Expr) {
	s := b.as(sum, OpAdd)
	switch {
	case s == nil:
	case s.a == part:
		return part, s.b
	case s.b == part:
		return part, s.a
	}
	return part, None
}

// ult-order, slt-order, where one of x and y is a complement, no constant, and y is older:
//
//	x < y  =>  ~y < ~x
func compareOrder(b *Builder, n node) Expr {
	if n.a.neg() == n.b.neg() || b.IsConst(n.a) || b.IsConst(n.b) || n.a.node() <= n.b.node() {
		return None
	}
	n.a, n.b = n.b^1, n.a^1
	return b.make(n)
}
