package expr

// Subst returns e with every variable in repl replaced by an expression of the
// same width, simplified again.
func (b *Builder) Subst(e Expr, repl map[Expr]Expr) Expr {
	done := make(map[uint32]Expr, len(repl))
	b.Walk(func(x Expr) { done[x.node()] = b.substNode(x, repl, done) }, e)
	return done[e.node()] ^ (e & 1)
}

func (b *Builder) substNode(x Expr, repl map[Expr]Expr, done map[uint32]Expr) Expr {
	if to, ok := repl[x]; ok {
		b.same(OpVar, x, to)
		return to
	}
	n := b.nodes[x.node()]
	same := true
	for i, arg := range [...]*Expr{&n.a, &n.b, &n.c} {
		if i >= opArity[n.op] {
			break
		}
		to := done[arg.node()] ^ (*arg & 1)
		same = same && to == *arg
		*arg = to
	}
	switch {
	case same:
		return x
	case n.op == OpRead:
		return b.Read(Array(n.aux), n.a)
	}
	n.facts = 0
	return b.make(n)
}
