package expr

// Substitution replaces expressions by others of the same width, in any number
// of expressions; what they share is rewritten once.
type Substitution struct {
	b          *Builder
	repl, done map[Expr]Expr
}

// NewSubstitution returns the Substitution of the keys of repl by their values.
// A key is a handle without complement mark: not the result of a Not.
func (b *Builder) NewSubstitution(repl map[Expr]Expr) *Substitution {
	return &Substitution{b: b, repl: repl, done: map[Expr]Expr{}}
}

// Apply returns e with the replacements made, simplified again.
func (s *Substitution) Apply(e Expr) Expr {
	s.b.Walk(e, func(x Expr) bool { return s.done[x] != None }, func(x Expr) { s.done[x] = s.b.substNode(x, s.repl, s.done) })
	return s.done[e&^1] ^ (e & 1)
}

// Subst returns e with every key of repl replaced by its value, simplified again.
func (b *Builder) Subst(e Expr, repl map[Expr]Expr) Expr { return b.NewSubstitution(repl).Apply(e) }

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
