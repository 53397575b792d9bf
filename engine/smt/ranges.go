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
	fresh func([]expr.Expr) int // gates that SAT would have to be told of first; nil: none
}

// patience says how many steps, of some 150 nanoseconds, a query may take.
type patience struct {
	all int
	one int // in which one side of a choice must close
}

var slowRanges = patience{600_000, 75_000} // after SAT gave up

// quick is for before SAT is asked: a fourth of what the query may cost, and as much as it takes
// to tell SAT of what it does not know of conds, if any. Where one side after the other closes soon, SAT would take longer, however many there are.
func (s *ranges) quick(conds []expr.Expr) patience {
	const least, most, one = 16_000, 200_000, 4_000
	all := max(least, int(s.left.left()/4)*rangeStepsPerUnit)
	if all < most && s.fresh != nil && len(conds) > 0 {
		all = max(all, s.fresh(conds)*rangeStepsPerGate)
	}
	return patience{min(most, all), one}
}

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
	if s.within(conds, s.quick(conds)) {
		return Unsat, nil
	}
	r, m := s.next.Check(conds)
	if r == Unknown && !s.left.brief && s.within(conds, slowRanges) {
		return Unsat, nil
	}
	return r, m
}

// within reports whether conds are refuted in so many steps, and accounts for them.
func (s *ranges) within(conds []expr.Expr, p patience) bool {
	done, left := s.refuted(conds, p)
	s.left.spend(int64(p.all-max(left, 0)) / rangeStepsPerUnit)
	return done
}

func (s *ranges) refuted(conds []expr.Expr, p patience) (done bool, left int) {
	steps := p.all
	c := s.b.NewContext(p.one)
	for _, e := range conds {
		c.Assume(e)
	}
	on := question{c, conds}
	done, choice := on.contradicts()
	for ; !done && choice != expr.None; done, choice = on.narrow(s.b, choice) {
		steps -= p.one - c.Steps()
		if steps <= 0 {
			return false, 0
		}
		c.Grant(p.one)
	}
	if done {
		s.stats.Ranges++
		s.core = conds
	}
	return done, steps - p.one + c.Steps()
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
