package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/linear"
)

// numbers looks at what SAT left open once more, as sums of whole numbers:
// bounds of quotients are easy there and hopeless bit by bit.
type numbers struct {
	b     *expr.Builder
	next  corer
	stats *Stats
	core  []expr.Expr
}

// Core is corer's.
func (s *numbers) Core() []expr.Expr {
	if s.core != nil {
		return s.core
	}
	return s.next.Core()
}

// Check is Solver's.
func (s *numbers) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.core = nil
	r, m := s.next.Check(conds)
	if r == Unknown && linear.Contradict(s.b, conds) {
		s.stats.Linear++
		s.core = conds
		return Unsat, nil
	}
	return r, m
}
