package smt

import "github.com/kvfarm/kvfarm/engine/expr"

// ranges refutes by bounds: what some conditions say of ranges may contradict
// what others say. Where a choice is open that matters it looks at both sides: a
// sum over a buffer of unknown length falls apart into one sum for each length,
// all of them easy, while SAT would learn of it bit by bit.
type ranges struct {
	b     *expr.Builder
	next  corer
	left  *budget
	stats *Stats
	core  []expr.Expr
}

// Steps, of some 50 nanoseconds, that a query may take before SAT is asked and
// after it gave up, and the part of them in which one side of a choice must close.
const (
	quickRanges = 48_000
	slowRanges  = 600_000
	closing     = 12
)

// Core is corer's.
func (s *ranges) Core() []expr.Expr {
	if s.core != nil {
		return s.core
	}
	return s.next.Core()
}

// Check is Solver's.
func (s *ranges) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.core = nil
	if s.refuted(conds, quickRanges) {
		return Unsat, nil
	}
	r, m := s.next.Check(conds)
	if r == Unknown && !s.left.brief && s.refuted(conds, slowRanges) {
		return Unsat, nil
	}
	return r, m
}

func (s *ranges) refuted(conds []expr.Expr, steps int) bool {
	c := s.b.NewContext(steps / closing)
	for _, e := range conds {
		c.Assume(e)
	}
	p := parting{b: s.b, left: steps, most: steps / closing, granted: steps / closing}
	if !p.contradicts(c, conds) {
		return false
	}
	s.stats.Ranges++
	s.core = conds
	return true
}

// parting takes a question apart by the choices that it hangs on.
type parting struct {
	b       *expr.Builder
	left    int // steps for all
	most    int // of them, for one side
	granted int // of them, since a side was last closed
}

// contradicts looks at the youngest conditions first: they are what is asked.
// The first one that hangs on an open choice is looked at on both sides of it.
func (p *parting) contradicts(c *expr.Context, conds []expr.Expr) bool {
	for i := len(conds) - 1; i >= 0; i-- {
		if c.Empty() {
			return true
		}
		if c.Steps() <= 0 {
			return false
		}
		v, choice := c.Truth(conds[i]), c.Choice()
		if v == expr.False || c.Empty() {
			return true
		}
		if v == expr.None && choice != expr.None {
			return p.both(c, conds[:i+1], choice)
		}
	}
	return c.Empty()
}

func (p *parting) both(c *expr.Context, conds []expr.Expr, choice expr.Expr) bool {
	for _, side := range [2]expr.Expr{choice, p.b.Not(choice)} {
		d := c.Branch()
		d.Assume(side)
		if !p.contradicts(d, conds) {
			return false
		}
		p.left -= p.granted - d.Steps()
		p.granted = max(0, min(p.left, p.most))
		d.Grant(p.granted)
	}
	return true
}
