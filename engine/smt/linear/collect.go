package linear

import "github.com/kvfarm/kvfarm/engine/expr"

// collection is conditions that hold, taken apart. What was asked is collected
// once; a case adds what it assumes, so that it costs what it is about.
type collection struct {
	truth   map[expr.Expr]bool // of conditions, without complement; of what was asked there is settled
	settled settled
	lits    []expr.Expr
	clauses []expr.Expr // conjunctions that do not hold
}

// settled is the truth of conditions that was asked about, by node: 1+2*value, 0 if it is not known.
type settled []byte

func (s settled) truth(e expr.Expr) (value, known bool) {
	i := e.Index()
	if i >= len(s) || s[i] == 0 {
		return false, false
	}
	return s[i] == 3 != e.Complemented(), true
}

// litsPerStep is how many conditions are taken up in the time of a step.
const litsPerStep = 8

// newBase returns a collection for what is asked, which no condition is younger than.
func newBase(b *expr.Builder) *collection { return &collection{settled: make(settled, b.Len()+1)} }

func newCollection() *collection { return &collection{truth: map[expr.Expr]bool{}} }

// collect takes conjunctions apart and puts their parts into c, unless they are
// known there or of what was asked. It reports a condition beside its complement.
func (p *prover) collect(c *collection, conds []expr.Expr) (clash bool) {
	b := p.b
	work := append([]expr.Expr(nil), conds...)
	defer func() { p.steps -= len(c.lits) / litsPerStep }()
	for len(work) > 0 {
		e := work[0]
		work = work[1:]
		if v, known := p.known(c, e); known {
			if !v {
				return true
			}
			continue
		}
		c.learn(b, e)
		switch {
		case b.Op(e) == expr.OpAnd:
			work = append(work, b.Arg(e, 0), b.Arg(e, 1))
		case b.Op(e) == expr.OpNot && b.Op(b.Not(e)) == expr.OpAnd:
			c.clauses = append(c.clauses, b.Not(e))
		}
	}
	return false
}

func (c *collection) learn(b *expr.Builder, e expr.Expr) {
	c.lits = append(c.lits, e)
	switch {
	case c.settled != nil:
		c.settled[e.Index()] = 1
		if !e.Complemented() {
			c.settled[e.Index()] = 3
		}
	case e.Complemented():
		c.truth[b.Not(e)] = false
	default:
		c.truth[e] = true
	}
}

// known returns the truth of a condition by what was asked and by c.
func (p *prover) known(c *collection, e expr.Expr) (value, known bool) {
	if v, ok := p.b.Uint64(e); ok {
		return v != 0, true
	}
	if v, ok := p.base.settled.truth(e); ok {
		return v, true
	}
	not := e.Complemented()
	if not {
		e = p.b.Not(e)
	}
	v, ok := c.truth[e]
	return v != not, ok
}

// known returns the truth of a condition in this case.
func (s *system) known(e expr.Expr) (value, known bool) { return s.p.known(s.collection, e) }

// choices returns a condition that must be decided first, if there is one, or
// reports that all parts hold of a conjunction that does not.
func (s *system) choices() (open expr.Expr, clash bool) {
	for _, of := range []*collection{s.collection, s.p.base} {
		for _, e := range of.clauses {
			if c, clash := s.clause(e); c != expr.None || clash {
				return c, clash
			}
		}
	}
	return expr.None, false
}
