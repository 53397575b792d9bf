//go:build !cadical

package sat

import (
	"github.com/go-air/gini"
	"github.com/go-air/gini/z"
)

type giniSolver struct {
	g     *gini.Gini
	last  Result
	needs map[Lit]bool
}

// Backend names what New makes.
const Backend = "gini"

// New returns the default backend.
func New() Solver { return &giniSolver{g: gini.New()} }

func (s *giniSolver) AddClause(lits ...Lit) {
	for _, l := range lits {
		s.g.Add(z.Dimacs2Lit(int(l)))
	}
	s.g.Add(z.LitNull)
}

func (s *giniSolver) Solve(_ int64, assumptions ...Lit) (Result, int64) {
	for _, l := range assumptions {
		s.g.Assume(z.Dimacs2Lit(int(l)))
	}
	s.last = Unknown
	switch s.g.Solve() {
	case 1:
		s.last = Sat
	case -1:
		s.last = Unsat
		s.needs = map[Lit]bool{}
		for _, m := range s.g.Why(nil) {
			s.needs[Lit(m.Dimacs())] = true
		}
	}
	return s.last, 0
}

func (s *giniSolver) Value(l Lit) bool {
	if s.last == Unsat {
		return s.needs[l]
	}
	return s.g.Value(z.Dimacs2Lit(int(l)))
}
