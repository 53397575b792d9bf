package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// cond is a path condition: a conjunction kept as a list that grows at its end,
// so that paths share what they have in common. nil is the empty conjunction.
type cond struct {
	parent *cond
	lit    expr.Expr
	depth  int
}

func (c *cond) len() int {
	if c == nil {
		return 0
	}
	return c.depth
}

// with returns c and lit. A conjunction in lit is taken apart.
func (c *cond) with(b *expr.Builder, lit expr.Expr) *cond {
	if lit == expr.True || c.has(lit) {
		return c
	}
	if b.Op(lit) == expr.OpAnd {
		return c.with(b, b.Arg(lit, 0)).with(b, b.Arg(lit, 1))
	}
	return &cond{parent: c, lit: lit, depth: c.len() + 1}
}

// has reports whether lit is among the last conjuncts; looking further back costs more than it saves.
func (c *cond) has(lit expr.Expr) bool {
	for n := 0; c != nil && n < 64; n++ {
		if c.lit == lit {
			return true
		}
		c = c.parent
	}
	return false
}

// lits returns the conjuncts after base, oldest first.
func (c *cond) lits(base *cond) []expr.Expr {
	out := make([]expr.Expr, c.len()-base.len())
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = c.lit
		c = c.parent
	}
	return out
}

// common returns the longest shared beginning.
func common(p, q *cond) *cond {
	for p.len() > q.len() {
		p = p.parent
	}
	for q.len() > p.len() {
		q = q.parent
	}
	for p != q {
		p, q = p.parent, q.parent
	}
	return p
}

// join returns the condition of the path made of p and q, and how to choose
// between what the two paths hold. The two never hold together: every
// choice of a run is an input.
func join(b *expr.Builder, p, q *cond) (*cond, junction) {
	base := common(p, q)
	ps, qs := p.lits(base), q.lits(base)
	ps, qs, shared := unshare(ps, qs)
	pc, sel := disjoin(b, base, ps, qs, shared)
	return pc, junction{sel: sel, left: decide(b, ps), right: decide(b, qs)}
}

// disjoin returns base and shared and one of ps and qs, and a selector that,
// under it, is true exactly where ps holds.
func disjoin(b *expr.Builder, base *cond, ps, qs, shared []expr.Expr) (*cond, expr.Expr) {
	for _, l := range shared {
		base = base.with(b, l)
	}
	if sel, ok := opposite(ps, qs); ok {
		for _, l := range ps {
			if l != sel {
				base = base.with(b, either(b, b.Not(sel), l))
			}
		}
		for _, l := range qs {
			if l != b.Not(sel) {
				base = base.with(b, either(b, sel, l))
			}
		}
		return base, sel
	}
	if len(ps)*len(qs) <= 16 {
		for _, x := range ps {
			for _, y := range qs {
				base = base.with(b, either(b, x, y))
			}
		}
	} else {
		base = base.with(b, either(b, all(b, ps), all(b, qs)))
	}
	if len(qs) < len(ps) {
		return base, b.Not(all(b, qs))
	}
	return base, all(b, ps)
}

// unshare takes out the conjuncts that both lists hold.
func unshare(ps, qs []expr.Expr) (p, q, both []expr.Expr) {
	in := make(map[expr.Expr]bool, len(qs))
	for _, l := range qs {
		in[l] = true
	}
	for _, l := range ps {
		if in[l] {
			both = append(both, l)
			in[l] = false
			continue
		}
		p = append(p, l)
	}
	for _, l := range qs {
		if in[l] {
			q = append(q, l)
		}
	}
	return p, q, both
}

// opposite finds a conjunct of ps whose complement is in qs.
func opposite(ps, qs []expr.Expr) (expr.Expr, bool) {
	in := make(map[expr.Expr]bool, len(qs))
	for _, l := range qs {
		in[l] = true
	}
	for _, l := range ps {
		if in[l^1] {
			return l, true
		}
	}
	return 0, false
}

func all(b *expr.Builder, ls []expr.Expr) expr.Expr {
	e := expr.True
	for _, l := range ls {
		e = b.And(e, l)
	}
	return e
}

// either is the disjunction of x and y, true at once where a disjunct of the one is opposed to one of the other.
func either(b *expr.Builder, x, y expr.Expr) expr.Expr {
	seen := make(map[expr.Expr]bool)
	out := expr.False
	work := []expr.Expr{y, x}
	for n := 0; len(work) > 0 && n < 256; n++ {
		e := work[len(work)-1]
		work = work[:len(work)-1]
		if b.Op(e) == expr.OpNot && b.Op(e^1) == expr.OpAnd {
			work = append(work, b.Not(b.Arg(e^1, 1)), b.Not(b.Arg(e^1, 0)))
			continue
		}
		if seen[e^1] {
			return expr.True
		}
		if !seen[e] {
			seen[e] = true
			out = b.Or(out, e)
		}
	}
	for _, e := range work {
		out = b.Or(out, e)
	}
	return out
}
