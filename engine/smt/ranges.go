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
	quickRanges = 16_000
	slowRanges  = 600_000
	closing     = 8
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
	if s.within(conds, quickRanges) {
		return Unsat, nil
	}
	r, m := s.next.Check(conds)
	if r == Unknown && !s.left.brief && s.within(conds, slowRanges) {
		return Unsat, nil
	}
	return r, m
}

// within reports whether conds are refuted in so many steps, and accounts for them.
func (s *ranges) within(conds []expr.Expr, steps int) bool {
	done, left := s.refuted(conds, steps)
	s.left.spend(int64(steps-max(left, 0)) / rangeStepsPerUnit)
	return done
}

func (s *ranges) refuted(conds []expr.Expr, steps int) (done bool, left int) {
	most := steps / closing
	c := s.b.NewContext(most)
	for _, e := range conds {
		c.Assume(e)
	}
	on := question{c, conds}
	done, choice := on.contradicts()
	for ; !done && choice != expr.None; done, choice = on.narrow(s.b, choice) {
		steps -= most - c.Steps()
		if steps <= 0 {
			return false, 0
		}
		c.Grant(most)
	}
	if done {
		s.stats.Ranges++
		s.core = conds
	}
	return done, steps - most + c.Steps()
}

// question is what is left to be contradicted.
type question struct {
	c     *expr.Context
	conds []expr.Expr
}

// contradicts looks at the youngest conditions first: they are what is asked.
// The first one that hangs on an open choice is what matters from then on.
func (q *question) contradicts() (done bool, choice expr.Expr) {
	for i := len(q.conds) - 1; i >= 0 && !q.c.Empty(); i-- {
		if q.c.Steps() <= 0 {
			return false, expr.None
		}
		v, choice := q.c.Truth(q.conds[i]), q.c.Choice()
		if v == expr.False {
			return true, expr.None
		}
		if v == expr.None && choice != expr.None {
			q.conds = q.conds[:i+1]
			return q.c.Empty(), choice
		}
	}
	return q.c.Empty(), expr.None
}

// narrow looks at both sides of a choice. If one of them closes at once, the
// other is what is left. Where neither does, SAT is better at it.
func (q *question) narrow(b *expr.Builder, choice expr.Expr) (done bool, next expr.Expr) {
	closed := 0
	left, next := *q, expr.None
	for _, side := range [2]expr.Expr{choice, b.Not(choice)} {
		d := question{q.c.Branch(), q.conds}
		d.c.Assume(side)
		over, then := d.contradicts()
		if over {
			closed++
			continue
		}
		left, next = d, then
	}
	*q = left
	if closed == 0 {
		return false, expr.None
	}
	return closed == 2, next
}
