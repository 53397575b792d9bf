package expr

// Context is what is known of expressions where some conditions hold: facts that
// the conditions narrow, found without solving.
type Context struct {
	b      *Builder
	given  map[Expr]Facts // by plain handle; of width 1: 0 or 1
	order  map[[2]Expr]bool
	steps  *int
	choice Expr
	empty  bool
	round  uint64 // of what is remembered under these conditions
}

// NewContext returns a Context without conditions. It and its branches take at
// most so many steps together, each some 100 nanoseconds; then they know nothing new.
func (b *Builder) NewContext(steps int) *Context {
	c := &Context{b: b, given: map[Expr]Facts{}, order: map[[2]Expr]bool{}, steps: &steps, choice: None}
	c.forget()
	return c
}

// Branch returns a copy of c to which conditions can be added.
func (c *Context) Branch() *Context {
	d := &Context{b: c.b, given: make(map[Expr]Facts, len(c.given)+4), order: map[[2]Expr]bool{}, steps: c.steps, choice: None}
	d.forget()
	for e, f := range c.given {
		d.given[e] = f
	}
	return d
}

// Steps returns how many steps are left.
func (c *Context) Steps() int { return *c.steps }

// Grant lets c and what it branched from take n steps from now on.
func (c *Context) Grant(n int) { *c.steps = n }

// Empty reports whether the conditions were seen to contradict each other.
func (c *Context) Empty() bool { return c.empty }

// Choice returns the condition of the first ITE that Truth could not decide
// since it was last asked, or None.
func (c *Context) Choice() Expr {
	e := c.choice
	c.choice = None
	return e
}

// Truth returns True or False if e, of width 1, has that value wherever the
// conditions hold, as far as that follows from its parts; else None. That e
// itself was assumed counts for nothing.
func (c *Context) Truth(e Expr) Expr {
	v, known := c.asked(e)
	if !known {
		return None
	}
	return c.b.Bool(v)
}

// asked decides what is asked, not what it depends on: for each condition on the
// way it would cost too much to compare how things are made.
func (c *Context) asked(e Expr) (value, known bool) {
	v, known := c.truth(e &^ 1)
	if !known && !c.empty {
		switch n := c.b.nodes[e.node()]; n.op {
		case OpITE:
			v, known = c.askedITE(&n)
		case OpUlt:
			known = c.b.Width(n.a) <= 64 && c.atLeast(n.a, n.b, true)
		}
	}
	return v != e.neg(), known
}

func (c *Context) askedITE(n *node) (value, known bool) {
	on := c.facts(n.a)
	x, xKnown := c.asked(n.b)
	y, yKnown := c.asked(n.c)
	switch {
	case on.UMin == 1:
		return x, xKnown
	case on.UMax == 0:
		return y, yKnown
	}
	return x, xKnown && yKnown && x == y
}

// Assume adds the condition e.
func (c *Context) Assume(e Expr) {
	b := c.b
	if b.IsConst(e) {
		c.empty = c.empty || e == False
		return
	}
	n := b.nodes[e.node()]
	if n.op == OpAnd && !e.neg() {
		c.Assume(n.a)
		c.Assume(n.b)
		return
	}
	c.set(e, single(1, 1))
	if b.Width(n.a) > 64 {
		return
	}
	switch n.op {
	case OpEq:
		c.assumeEq(n.a, n.b, !e.neg())
	case OpUlt:
		c.assumeLess(n.a, n.b, !e.neg())
	case OpSlt:
		c.assumeSignedLess(n.a, n.b, !e.neg())
	}
}

func single(v uint64, width int) Facts {
	s := sext64(v, width)
	return Facts{^v & mask(width), v, v, v, s, s}
}

func (c *Context) assumeEq(x, y Expr, holds bool) {
	width := c.b.Width(x)
	f, g := c.quick(x), c.quick(y)
	if holds {
		c.set(x, g)
		c.set(y, f)
		return
	}
	for _, p := range [2]struct {
		e    Expr
		f, g Facts
	}{{x, f, g}, {y, g, f}} {
		if p.g.UMin != p.g.UMax {
			continue
		}
		not := anything(width)
		if p.f.UMin == p.g.UMin && p.f.UMin < mask(width) {
			not.UMin = p.f.UMin + 1
		}
		if p.f.UMax == p.g.UMin && p.f.UMax > 0 {
			not.UMax = p.f.UMax - 1
		}
		c.set(p.e, not)
	}
}

// assumeLess adds x < y, or that it does not hold.
func (c *Context) assumeLess(x, y Expr, holds bool) {
	width := c.b.Width(x)
	more := uint64(0)
	if holds {
		more = 1
	} else {
		x, y = y, x
	}
	f, g := c.quick(x), c.quick(y)
	if f.UMin > mask(width)-more || g.UMax < more {
		c.empty = true
		return
	}
	below, above := anything(width), anything(width)
	below.UMax, above.UMin = g.UMax-more, f.UMin+more
	c.set(x, below)
	c.set(y, above)
}

func (c *Context) assumeSignedLess(x, y Expr, holds bool) {
	all := anything(c.b.Width(x))
	more := int64(0)
	if holds {
		more = 1
	} else {
		x, y = y, x
	}
	f, g := c.quick(x), c.quick(y)
	if f.SMin > all.SMax-more || g.SMax < all.SMin+more {
		c.empty = true
		return
	}
	below, above := all, all
	below.SMax, above.SMin = g.SMax-more, f.SMin+more
	c.set(x, below)
	c.set(y, above)
}

// quick returns what is known of e, of at most 64 bits, without looking into it.
func (c *Context) quick(e Expr) Facts {
	f, ok := c.given[e&^1]
	if !ok {
		return c.b.Facts(e)
	}
	return flip(f, e, c.b.Width(e))
}

// flip returns the facts of e from those of its plain handle.
func flip(f Facts, e Expr, width int) Facts {
	if !e.neg() {
		return f
	}
	m := mask(width)
	return Facts{f.Ones, f.Zeros, ^f.UMax & m, ^f.UMin & m, ^f.SMax, ^f.SMin}
}

// set narrows what is given of e, of at most 64 bits, and of what e extends.
func (c *Context) set(e Expr, f Facts) {
	width := c.b.Width(e)
	if f = meet(c.quick(e), f); !f.consistent(width) {
		c.empty = true
		return
	}
	if c.b.IsConst(e) {
		return
	}
	c.forget()
	plain := e &^ 1
	c.given[plain] = flip(f, e, width)
	n := c.b.nodes[plain.node()]
	if from := n.a; n.op == OpZExt && !e.neg() && c.b.Width(from) > 1 {
		inner := anything(c.b.Width(from))
		inner.UMin, inner.UMax = min(f.UMin, inner.UMax), min(f.UMax, inner.UMax)
		c.set(from, inner)
	}
}

func meet(f, g Facts) Facts {
	return Facts{
		f.Zeros | g.Zeros, f.Ones | g.Ones,
		max(f.UMin, g.UMin), min(f.UMax, g.UMax),
		max(f.SMin, g.SMin), min(f.SMax, g.SMax),
	}
}

// consistent tightens f and reports whether any number of width bits fits it.
func (f *Facts) consistent(width int) bool {
	if !f.some() {
		return false
	}
	f.tighten(width)
	return f.some()
}

func (f *Facts) some() bool { return f.UMin <= f.UMax && f.SMin <= f.SMax && f.Zeros&f.Ones == 0 }

// facts returns what is known of e, of at most 64 bits, looking into it.
func (c *Context) facts(e Expr) Facts {
	if c.b.IsConst(e) {
		return c.b.Facts(e)
	}
	plain, width := e&^1, c.b.Width(e)
	if m := c.b.memo(plain); m.round == c.round {
		return flip(m.facts, e, width)
	}
	f := c.quick(plain)
	if *c.steps <= 0 || c.empty {
		return flip(f, e, width)
	}
	*c.steps--
	if f.UMin != f.UMax {
		f = c.inner(plain, f)
	}
	*c.b.memo(plain) = remembered{c.round, f}
	return flip(f, e, width)
}

// remembered is what a Context knows of a node, as long as its conditions stay as they are.
type remembered struct {
	round uint64
	facts Facts
}

// memo returns the place for what is known of e in a Context. All contexts of
// a builder share these: a round belongs to one of them, and to its conditions as they are.
func (b *Builder) memo(e Expr) *remembered {
	i := int(e.node())
	if i >= len(b.remembered) {
		b.remembered = append(b.remembered, make([]remembered, len(b.nodes)-len(b.remembered))...)
	}
	return &b.remembered[i]
}

// forget drops what was found under fewer conditions.
func (c *Context) forget() {
	c.b.rounds++
	c.round = c.b.rounds
	clear(c.order)
}

// inner narrows f by what follows from the parts of e, a plain handle.
func (c *Context) inner(e Expr, f Facts) Facts {
	width := c.b.Width(e)
	g := anything(width)
	if width == 1 {
		v, ok := c.truth(e)
		if !ok {
			return f
		}
		g = single(b2u(v), 1)
	} else if n := c.b.nodes[e.node()]; n.op != OpVar && n.op != OpRead {
		g = c.parts(&n)
	}
	if f = meet(f, g); !f.consistent(width) {
		c.empty = true
		return c.b.Facts(e)
	}
	return f
}

// parts derives the facts of n, of 2 to 64 bits, from those of its arguments.
func (c *Context) parts(n *node) Facts {
	if n.op == OpITE {
		return c.chosen(n)
	}
	if c.b.Width(n.a) > 64 {
		return anything(int(n.width))
	}
	var y Facts
	x := c.facts(n.a)
	if opArity[n.op] == 2 {
		y = c.facts(n.b)
	}
	if c.empty { // the facts may be such as no number has
		return anything(int(n.width))
	}
	return c.b.deriveFrom(n, x, y)
}

func (c *Context) chosen(n *node) Facts {
	switch f := c.facts(n.a); {
	case f.UMin == 1:
		return c.facts(n.b)
	case f.UMax == 0:
		return c.facts(n.c)
	}
	c.open(n.a)
	return join(c.facts(n.b), c.facts(n.c))
}

func (c *Context) open(choice Expr) {
	if c.choice == None {
		c.choice = choice
	}
}

// truth decides e, a plain handle of width 1, from its parts.
func (c *Context) truth(e Expr) (value, known bool) {
	if c.b.IsConst(e) {
		return false, true
	}
	n := c.b.nodes[e.node()]
	if opArity[n.op] == 0 || n.op == OpRead || c.b.Width(n.a) > 64 {
		return false, false
	}
	x := c.facts(n.a)
	switch n.op {
	case OpITE:
		f := c.chosen(&n)
		return f.UMin == 1, f.UMin == f.UMax
	case OpExtract:
		f := deriveShape(OpExtract, x, int(n.aux), c.b.Width(n.a), 1)
		return f.Ones == 1, f.Zeros|f.Ones == 1
	case OpAnd:
		y := c.facts(n.b)
		return x.UMin&y.UMin == 1, x.UMax&y.UMax == 0 || x.UMin&y.UMin == 1
	case OpXor:
		y := c.facts(n.b)
		return x.UMin != y.UMin, x.UMin == x.UMax && y.UMin == y.UMax
	}
	return c.predicate(&n, x)
}

func (c *Context) predicate(n *node, x Facts) (value, known bool) {
	y := c.facts(n.b)
	if c.empty {
		return false, false
	}
	if p := predicate(n.op, c.b.Width(n.a), x, y); p != None {
		return p == True, true
	}
	return false, false
}
