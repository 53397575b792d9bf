package sat_test

import (
	"slices"
	"testing"

	"github.com/go-air/gini"
	"github.com/go-air/gini/z"

	"github.com/kvfarm/kvfarm/engine/smt/sat"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

func TestDefault(t *testing.T) {
	t.Logf("backend %s", sat.Backend)
	smttest.RunSAT(t, sat.New, true)
}

func TestCDCL(t *testing.T) { smttest.RunSAT(t, sat.NewCDCL, true) }

// TestGini keeps a solver that others wrote in agreement with the suite.
func TestGini(t *testing.T) { smttest.RunSAT(t, newGini, false) }

// giniSolver begins anew for every query: clauses added after an answer bring
// gini to assignments that do not satisfy them. It has no budget that repeats
// either: it stops by the clock only.
type giniSolver struct {
	clauses [][]sat.Lit
	g       *gini.Gini
	last    sat.Result
	needs   map[sat.Lit]bool
}

func newGini() sat.Solver { return new(giniSolver) }

func (s *giniSolver) AddClause(lits ...sat.Lit) {
	s.clauses = append(s.clauses, slices.Clone(lits))
}

func (s *giniSolver) Solve(_ int64, assumptions ...sat.Lit) (sat.Result, int64) {
	s.g = gini.New()
	for _, c := range s.clauses {
		for _, l := range c {
			s.g.Add(z.Dimacs2Lit(int(l)))
		}
		s.g.Add(z.LitNull)
	}
	for _, l := range assumptions {
		s.g.Assume(z.Dimacs2Lit(int(l)))
	}
	s.last = sat.Unsat
	if s.g.Solve() == 1 {
		s.last = sat.Sat
	}
	s.needs = map[sat.Lit]bool{}
	for _, m := range s.g.Why(nil) {
		s.needs[sat.Lit(m.Dimacs())] = true
	}
	return s.last, 0
}

func (s *giniSolver) Value(l sat.Lit) bool {
	if s.last == sat.Unsat {
		return s.needs[l]
	}
	m := z.Dimacs2Lit(int(l))
	return m.Var() <= s.g.MaxVar() && s.g.Value(m)
}
