package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// blastSolver is the last stage: circuits, clauses, SAT.
type blastSolver struct {
	bl       *blaster
	newSAT   func() sat.Solver
	stats    *Stats
	budget   *budget
	sessions []*session // by the size of queries they are for
	core     []expr.Expr
}

// session is a SAT solver with what it was told.
type session struct {
	sat   sat.Solver
	cnf   *cnf
	bound map[[2]expr.Expr]bool // pairs of reads that give equal elements at equal indices
}

func (on *session) release() {
	if r, ok := on.sat.(sat.Releaser); ok {
		r.Release()
	}
}

func newBlast(bl *blaster, newSAT func() sat.Solver, st *Stats, left *budget) *blastSolver {
	return &blastSolver{bl: bl, newSAT: newSAT, stats: st, budget: left}
}

// SAT assigns every variable it was ever told of before it says yes, so a small
// query costs what all before it were about. Therefore queries of one size,
// within a factor of 4, share a SAT solver, which begins again when it knows
// many times more than they need.
const (
	smallest   = 1 << 10 // gates; smaller queries share one solver
	largest    = 1 << 18 // larger ones are not asked: SAT takes a kilobyte and more for a gate
	staleRatio = 2
)

// session returns the SAT solver for queries that depend on so many gates.
func (s *blastSolver) session(gates int) *session {
	class, size := 0, smallest
	for ; gates > size; size *= 4 {
		class++
	}
	for len(s.sessions) <= class {
		s.sessions = append(s.sessions, nil)
	}
	if on := s.sessions[class]; on == nil || int(on.cnf.vars) > staleRatio*size {
		s.stats.Sessions++
		if on != nil {
			on.release()
		}
		solver := s.newSAT()
		s.sessions[class] = &session{solver, newCNF(s.bl.c, solver, s.stats), map[[2]expr.Expr]bool{}}
	}
	return s.sessions[class]
}

// Check is Solver's.
func (s *blastSolver) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.stats.Blasted++
	roots := make([]lit, len(conds))
	for i, e := range conds {
		roots[i] = s.bl.truth(e)
	}
	s.charge()
	gates := s.bl.c.cone(roots)
	if gates > largest {
		s.stats.Unknown++
		return Unknown, nil
	}
	on := s.session(gates)
	assumptions := make([]sat.Lit, len(conds))
	for i, l := range roots {
		assumptions[i] = on.cnf.lit(l)
	}
	r, m := s.refine(on, conds, assumptions)
	switch r {
	case Unknown:
		s.stats.Unknown++
	case Unsat:
		s.core = on.needed(conds, assumptions)
	}
	s.charge()
	return r, m
}

// charge spends what the gates cost that were made since it was last called, and
// those that were looked at, whoever did so.
func (s *blastSolver) charge() {
	made, walked := int64(len(s.bl.c.gates)), s.bl.c.walked
	s.budget.spend((made-s.stats.Gates)/gatesPerUnit + (walked-s.stats.Walked)/walksPerUnit)
	s.stats.Gates, s.stats.Walked = made, walked
}

// Core is corer's.
func (s *blastSolver) Core() []expr.Expr { return s.core }

// needed returns the conditions that SAT used. There are none if the clauses
// alone contradict each other, which no query can bring about; then all are kept.
func (on *session) needed(conds []expr.Expr, assumptions []sat.Lit) []expr.Expr {
	var out []expr.Expr
	for i, l := range assumptions {
		if on.sat.Value(l) {
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
func (s *blastSolver) refine(on *session, conds []expr.Expr, assumptions []sat.Lit) (Result, *expr.Model) {
	for s.budget.left() > 0 {
		vars := int64(on.cnf.vars)
		r, n := on.sat.Solve(conflictsFor(s.budget.left(), vars), assumptions...)
		s.stats.Conflicts += n
		s.budget.spend(solveEffort(vars, n))
		if r != Sat {
			return r, nil
		}
		m := s.model(on, conds)
		if !s.bindReads(on, conds, m) {
			return Sat, m
		}
	}
	return Unknown, nil
}

// model reads the values of the variables in conds out of SAT.
func (s *blastSolver) model(on *session, conds []expr.Expr) *expr.Model {
	b := s.bl.b
	m := expr.NewModel()
	for _, v := range b.Vars(conds...) {
		m.Set(v, s.value(on, v))
	}
	return m
}

func (s *blastSolver) value(on *session, e expr.Expr) expr.Value {
	w := s.bl.get(e)
	bits := make([]bool, len(w))
	for i, l := range w {
		if on.cnf.has(l) { // the query does not depend on the others
			bits[i] = on.sat.Value(on.cnf.at(l))
		}
	}
	return expr.ValueOfBits(bits)
}

// bindReads puts the elements of free arrays in conds into m and reports
// whether two reads at one index gave different elements; then they are bound
// to be equal from now on.
func (s *blastSolver) bindReads(on *session, conds []expr.Expr, m *expr.Model) bool {
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
			m.SetElem(at.array, i, s.value(on, read))
			continue
		}
		if pair := [2]expr.Expr{other, read}; !on.bound[pair] {
			on.bound[pair] = true
			s.stats.Bound++
			missing = append(missing, b.Implies(b.Eq(b.Arg(other, 0), index), b.Eq(other, read)))
		}
	}
	for _, same := range missing { // clauses make SAT forget the values
		on.cnf.clause(on.cnf.lit(s.bl.truth(same)))
	}
	return len(missing) > 0
}
