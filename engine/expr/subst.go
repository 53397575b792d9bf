package expr

// Subst returns e with every variable in repl replaced by an expression of the
// same width, simplified again.
func (b *Builder) Subst(e Expr, repl map[Expr]Expr) Expr {
	done := make(map[Expr]Expr, len(repl))
	b.Walk(e, func(x Expr) bool { return done[x] != None }, func(x Expr) { done[x] = b.substNode(x, repl, done) })
	return done[e&^1] ^ (e & 1)
}

func (b *Builder) substNode(x Expr, repl map[Expr]Expr, done map[Expr]Expr) Expr {
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
		to := done[*arg&^1] ^ (*arg & 1)
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
