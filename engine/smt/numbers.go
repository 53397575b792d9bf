package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/linear"
)

// numbers looks at what SAT does not find at once as sums and products of whole
// numbers: bounds of quotients are easy there and hopeless bit by bit.
type numbers struct {
	b     *expr.Builder
	gauge *linear.Gauge
	bound *ranges // asked before: it is quick; nil for none
	next  corer
	left  *budget
	stats *Stats
	core  []expr.Expr
	vain  int // of the quick looks, how many were in vain lately
}

// Core is corer's.
func (s *numbers) Core() []expr.Expr {
	if s.core != nil {
		return s.core
	}
	return s.next.Core()
}

// Steps that a query may take as numbers: before SAT is asked for products of
// unknowns, some milliseconds, and after SAT gave up.
const (
	quickSteps = 6_000
	slowSteps  = 40_000

	// Each quick look in vain halves what the next may take, mostVain times at most;
	// one that was not doubles it.
	mostVain = 4
)

// Check is Solver's.
func (s *numbers) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.core = nil
	hard := s.gauge.Measure(conds)
	if hard == linear.Product && (s.bounded(conds) || s.quick(conds, hard)) {
		return Unsat, nil
	}
	r, m := s.next.Check(conds)
	if (hard > linear.Easy || s.left.brief) && r == Unknown && s.refuted(conds, hard, slowSteps) {
		return Unsat, nil
	}
	return r, m
}

func (s *numbers) bounded(conds []expr.Expr) bool {
	if s.bound == nil || !s.bound.within(conds, s.bound.quick(nil)) {
		return false
	}
	s.core = conds
	return true
}

// quick is a look before SAT is asked.
func (s *numbers) quick(conds []expr.Expr, hard linear.Difficulty) bool {
	if s.refuted(conds, hard, quickSteps>>s.vain) {
		s.vain = max(0, s.vain-1)
		return true
	}
	s.vain = min(mostVain, s.vain+1)
	return false
}

func (s *numbers) refuted(conds []expr.Expr, hard linear.Difficulty, steps int) bool {
	found, took := linear.Contradict(s.b, conds, hard, steps)
	s.left.spend(int64(took) / numberStepsPerUnit)
	if !found {
		return false
	}
	s.stats.Linear++
	s.core = conds
	return true
}
