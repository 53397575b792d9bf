package expr

// atLeast reports whether x >= y, both as natural numbers, follows from how they
// are made: a sum is at least each summand, a choice at least what all it
// chooses from are. Widths may differ. yFirst says which is taken apart first.
func (c *Context) atLeast(x, y Expr, yFirst bool) bool {
	x, y = c.unextended(x), c.unextended(y)
	if x == y {
		return true
	}
	if c.b.Width(x) > 64 || c.b.Width(y) > 64 || *c.steps <= 0 || c.empty {
		return false
	}
	if c.facts(x).UMin >= c.facts(y).UMax {
		return true
	}
	if x.neg() || y.neg() {
		return false
	}
	key := [2]Expr{x, y}
	known, ok := c.order[key]
	if !ok {
		*c.steps--
		known = c.atLeastParts(x, y, yFirst)
		c.order[key] = known
	}
	return known
}

// unextended takes off zero extensions: they do not change a number.
func (c *Context) unextended(x Expr) Expr {
	for !x.neg() && c.b.Op(x) == OpZExt {
		x = c.b.Arg(x, 0)
	}
	return x
}

// atLeastParts takes y apart and then x, or the other way round: in turns, so
// that the sum and the maximum of a list are compared along the list.
func (c *Context) atLeastParts(x, y Expr, yFirst bool) bool {
	n, m := c.b.nodes[x.node()], c.b.nodes[y.node()]
	if n.op == OpITE && m.op == OpITE && n.a == m.a {
		return c.eachChosen(&n, func(i int, e Expr) bool { return c.atLeast(e, [2]Expr{m.b, m.c}[i], yFirst) })
	}
	if yFirst {
		return c.atLeastSmaller(x, &m) || c.someAtLeast(&n, y)
	}
	return c.someAtLeast(&n, y) || c.atLeastSmaller(x, &m)
}

// atLeastSmaller reports whether x is at least something that m is not more than.
func (c *Context) atLeastSmaller(x Expr, m *node) bool {
	switch m.op {
	case OpITE:
		return c.eachChosen(m, func(_ int, e Expr) bool { return c.atLeast(x, e, false) })
	case OpAnd:
		return c.atLeast(x, m.a, false) || c.atLeast(x, m.b, false)
	case OpLShr, OpURem:
		return c.atLeast(x, m.a, false)
	case OpUDiv:
		return c.facts(m.b).UMin > 0 && c.atLeast(x, m.a, false)
	}
	return false
}

// someAtLeast reports whether something that n is not less than is at least y.
func (c *Context) someAtLeast(n *node, y Expr) bool {
	switch n.op {
	case OpITE:
		return c.eachChosen(n, func(_ int, e Expr) bool { return c.atLeast(e, y, true) })
	case OpAdd:
		p, q := c.facts(n.a).UMax, c.facts(n.b).UMax
		if sum := p + q; sum < p || sum > mask(int(n.width)) {
			return false
		}
		return c.atLeast(n.b, y, true) || c.atLeast(n.a, y, true) // of a long sum n.a is the longer part
	}
	return false
}

// eachChosen reports whether f holds for each branch of an ITE that can be taken.
func (c *Context) eachChosen(n *node, f func(i int, e Expr) bool) bool {
	on := c.facts(n.a)
	if on.UMin != on.UMax {
		c.open(n.a)
	}
	return (on.UMax == 0 || f(0, n.b)) && (on.UMin == 1 || f(1, n.c))
}
