package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// blastSolver is the last stage: circuits, clauses, SAT.
type blastSolver struct {
	bl     *blaster
	sat    sat.Solver
	cnf    *cnf
	cfg    Config
	stats  *Stats
	lemmas map[[2]expr.Expr]bool // pairs of reads that are already bound together
	core   []expr.Expr
}

func newBlast(b *expr.Builder, cfg Config, st *Stats) *blastSolver {
	s := &blastSolver{bl: newBlaster(b), cfg: cfg, stats: st}
	s.restart()
	return s
}

// restart begins with a SAT solver that knows nothing.
func (s *blastSolver) restart() {
	s.sat = s.cfg.NewSAT()
	s.cnf = newCNF(s.bl.c, s.sat, s.stats)
	s.lemmas = map[[2]expr.Expr]bool{}
}

// SAT assigns every variable it was ever told of before it says yes. So when
// most of what it knows is not of this query, it starts again: with more than
// staleVars variables, and staleRatio times the query's.
const (
	staleVars  = 4000
	staleRatio = 4
)

func (s *blastSolver) dropStale(roots []lit) {
	known := int(s.cnf.vars)
	if known > staleVars && s.bl.c.cone(roots, known/staleRatio) < known/staleRatio {
		s.stats.Restarts++
		s.restart()
	}
}

// Check is Solver's.
func (s *blastSolver) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.stats.Blasted++
	roots := make([]lit, len(conds))
	for i, e := range conds {
		roots[i] = s.bl.truth(e)
	}
	s.dropStale(roots)
	assumptions := make([]sat.Lit, len(conds))
	for i, l := range roots {
		assumptions[i] = s.cnf.lit(l)
	}
	r, m := s.refine(conds, assumptions)
	switch r {
	case Unknown:
		s.stats.Unknown++
	case Unsat:
		s.core = s.needed(conds, assumptions)
	}
	s.stats.Gates = int64(len(s.bl.c.gates))
	return r, m
}

// Core is corer's.
func (s *blastSolver) Core() []expr.Expr { return s.core }

// needed returns the conditions that SAT used. There are none if the clauses
// alone contradict each other, which no query can bring about; then all are kept.
func (s *blastSolver) needed(conds []expr.Expr, assumptions []sat.Lit) []expr.Expr {
	var out []expr.Expr
	for i, l := range assumptions {
		if s.sat.Value(l) {
			out = append(out, conds[i])
		}
	}
	if len(out) == 0 {
		return conds
	}
	return out
}

// refine solves, and solves again with the equalities of array elements that
// the model lacks, until none is missing.
func (s *blastSolver) refine(conds []expr.Expr, assumptions []sat.Lit) (Result, *expr.Model) {
	budget := s.cfg.QueryConflicts
	for {
		if total := s.cfg.TotalConflicts; total > 0 {
			budget = min(budget, total-s.stats.Conflicts)
		}
		if budget <= 0 {
			return Unknown, nil
		}
		r, n := s.sat.Solve(budget, assumptions...)
		s.stats.Conflicts += n
		budget -= n
		if r != Sat {
			return r, nil
		}
		m := s.model(conds)
		if !s.bindReads(conds, m) {
			return Sat, m
		}
	}
}

// model reads the values of the variables in conds out of SAT.
func (s *blastSolver) model(conds []expr.Expr) *expr.Model {
	b := s.bl.b
	m := expr.NewModel()
	for _, v := range b.Vars(conds...) {
		m.Set(v, s.value(v))
	}
	return m
}

func (s *blastSolver) value(e expr.Expr) expr.Value {
	w := s.bl.get(e)
	bits := make([]bool, len(w))
	for i, l := range w {
		if s.cnf.has(l) { // the query does not depend on the others
			bits[i] = s.sat.Value(s.cnf.at(l))
		}
	}
	return expr.ValueOfBits(bits)
}

// bindReads puts the elements of free arrays in conds into m and reports
// whether two reads at one index gave different elements; then they are bound
// to be equal from now on.
func (s *blastSolver) bindReads(conds []expr.Expr, m *expr.Model) bool {
	b := s.bl.b
	type place struct {
		array expr.Array
		index uint64
	}
	first := map[place]expr.Expr{}
	var missing []expr.Expr
	ev := expr.NewEvaluator(b, m) // elements come into m before what is read at them is asked for
	for _, read := range b.FreeReads(conds...) {
		index := b.Arg(read, 0)
		i, _ := ev.Value(index).Uint64()
		at := place{b.ArrayOf(read), i}
		other, taken := first[at]
		if !taken {
			first[at] = read
			m.SetElem(at.array, i, s.value(read))
			continue
		}
		if pair := [2]expr.Expr{other, read}; !s.lemmas[pair] {
			s.lemmas[pair] = true
			s.stats.Lemmas++
			missing = append(missing, b.Implies(b.Eq(b.Arg(other, 0), index), b.Eq(other, read)))
		}
	}
	for _, same := range missing { // clauses make SAT forget the values
		s.cnf.clause(s.cnf.lit(s.bl.truth(same)))
	}
	return len(missing) > 0
}
