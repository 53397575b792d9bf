package expr

// Rules for choices of constants: a base of 10 or 16, a stride, a counter that some
// ways through the code count up and others do not. What is computed of such a choice
// is a choice too, and what it is compared with leaves a condition of its conditions:
// no adder and no comparison is left to be a circuit.

// mostLeaves is how many constants an expression may choose from to be called a choice of constants.
const mostLeaves = 8

// choiceOf takes a choice apart: e is x where c holds, else y. c is None if e is none.
func (b *Builder) choiceOf(e Expr) (c, x, y Expr) {
	mark := e & 1
	switch n := &b.nodes[e.node()]; {
	case n.op == OpITE:
		return n.a, n.b ^ mark, n.c ^ mark
	case n.op == OpZExt && b.Width(n.a) == 1:
		w := int(n.width)
		return n.a, b.Const(1, w) ^ mark, b.Const(0, w) ^ mark
	}
	return None, None, None
}

// leaves counts the constants that e chooses from, one twice that is there twice, up to
// limit; beyond that, and where something else is among them, it returns 0.
func (b *Builder) leaves(e Expr, limit int) int {
	n := &b.nodes[e.node()]
	switch {
	case limit <= 0:
		return 0
	case n.op == OpConst:
		return 1
	case n.op == OpZExt && b.Width(n.a) == 1 && limit >= 2:
		return 2
	case n.op != OpITE:
		return 0
	}
	x := b.leaves(n.b, limit-1)
	if x == 0 {
		return 0
	}
	y := b.leaves(n.c, limit-x)
	if y == 0 {
		return 0
	}
	return x + y
}

// overITE moves an operation on a constant and a choice of constants, or on that choice
// alone, into the branches.
func (b *Builder) overITE(n node) Expr {
	switch {
	case n.b == None:
		return b.intoFirst(n)
	case b.IsConst(n.a):
		return b.intoSecond(n)
	case b.IsConst(n.b):
		return b.intoFirst(n)
	}
	return None
}

func (b *Builder) intoFirst(n node) Expr {
	if b.IsConst(n.a) || b.leaves(n.a, mostLeaves) == 0 {
		return None
	}
	c, x, y := b.choiceOf(n.a)
	then, els := n, n
	then.a, els.a = x, y
	return b.ITE(c, b.make(then), b.make(els))
}

func (b *Builder) intoSecond(n node) Expr {
	if b.IsConst(n.b) || b.leaves(n.b, mostLeaves) == 0 {
		return None
	}
	c, x, y := b.choiceOf(n.b)
	then, els := n, n
	then.b, els.b = x, y
	return b.ITE(c, b.make(then), b.make(els))
}

// mostPairs is how many pairs of constants two choices that are compared may come to.
const mostPairs = 16

// eq-choice, ult-choice, slt-choice, where both are constants or choices of constants:
//
//	ite(c, k1, k2) < y  =>  ite(c, k1 < y, k2 < y), and so for the other side
func compareChoices(b *Builder, n node) Expr {
	x := b.leaves(n.a, mostLeaves)
	if x == 0 || x*b.leaves(n.b, min(mostLeaves, mostPairs/x)) == 0 {
		return None
	}
	if x > 1 {
		return b.intoFirst(n)
	}
	return b.intoSecond(n)
}

// mul-choice, where k1 or k2 is 0 or a power of two:
//
//	ite(c, k1, k2) * x  =>  ite(c, k1 * x, k2 * x)
//
// A shift and one product with a constant are less than a product of two unknowns.
func mulChoice(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		c, k1, k2 := b.choiceOf(p[0])
		if c == None || !b.IsConst(k1) || !b.IsConst(k2) {
			continue
		}
		_, shift1 := b.powerOf(k1)
		_, shift2 := b.powerOf(k2)
		if shift1 || shift2 || b.isZero(k1) || b.isZero(k2) {
			return b.ITE(c, b.Mul(k1, p[1]), b.Mul(k2, p[1]))
		}
	}
	return None
}

// umulovf-choice, smulovf-choice:
//
//	ovf(ite(c, k1, k2), x)  =>  ite(c, ovf(k1, x), ovf(k2, x))
func ovfChoice(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		if c, k1, k2 := b.choiceOf(p[0]); c != None && b.IsConst(k1) && b.IsConst(k2) {
			return b.ITE(c, b.predicate(n.op, k1, p[1]), b.predicate(n.op, k2, p[1]))
		}
	}
	return None
}
