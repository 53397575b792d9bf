package smt

import (
	"math"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// blastSolver is the last stage: circuits, clauses, SAT. Most queries take few
// conflicts, and what they cost is to be told to SAT: those are for a backend
// that is told quickly. What it does not decide soon is for the other one.
type blastSolver struct {
	bl     *blaster
	stats  *Stats
	budget *budget
	quick  *pool // nil for none
	slow   *pool
	rough  *sketch // nil for none
	tries  int64   // conflicts for quick
	core   []expr.Expr
}

// largest is how many gates a query may have; larger ones are not asked: SAT
// takes a kilobyte and more for a gate.
const largest = 1 << 18

// quickGates is how many gates a query may have that the quick backend is asked:
// with more its conflicts take long, and effort does not tell.
const quickGates = 1 << 14

// Conflicts that the quick backend may use. Where it was in vain they are fewer, but it may
// always take about as long as it would take to tell the other one; where it was not, more.
const (
	mostTries   = 1500
	leastTries  = 50
	gatesPerTry = 16
)

func newBlast(bl *blaster, cfg Config, st *Stats, left *budget) *blastSolver {
	s := &blastSolver{bl: bl, stats: st, budget: left, tries: mostTries}
	if cfg.Quick != nil {
		s.quick = newFocused(cfg.Quick)
	}
	s.rough = newSketch(sat.NewCDCL)
	s.slow = newPool(cfg.NewSAT)
	return s
}

// Check is Solver's.
func (s *blastSolver) Check(conds []expr.Expr) (Result, *expr.Model) {
	s.stats.Blasted++
	roots := make([]lit, len(conds), len(conds)+8)
	for i, e := range conds {
		roots[i] = s.bl.truth(e)
	}
	s.charge()
	gates := s.bl.c.coneWithin(roots, largest)
	r, m := s.outline(conds, roots, gates)
	if r == Unknown && gates <= largest {
		s.bl.c.coneWithin(roots, largest)
		r, m = s.solve(conds, roots, gates)
	}
	if r == Unknown {
		s.stats.Unknown++
	}
	s.charge()
	return r, m
}

// fresh counts the gates of a query that the backend which is asked first does not know yet, 0 if none is asked.
func (s *blastSolver) fresh(conds []expr.Expr) int {
	roots := make([]lit, len(conds))
	for i, e := range conds {
		roots[i] = s.bl.truth(e)
	}
	gates := s.bl.c.coneWithin(roots, largest)
	switch {
	case gates > largest:
		return 0
	case s.quick != nil && gates <= quickGates:
		return s.quick.untold(s.bl.c, gates)
	}
	return s.slow.untold(s.bl.c, gates)
}

// solve asks the quick backend and then the other one, which gets all that the query may use.
func (s *blastSolver) solve(conds []expr.Expr, roots []lit, gates int) (Result, *expr.Model) {
	if s.quick != nil && gates <= quickGates {
		query := s.budget.query
		told := int64(s.slow.untold(s.bl.c, gates) / gatesPerTry)
		if r, m := s.ask(s.quick, conds, roots, gates, min(max(s.tries, told), mostTries)); r != Unknown {
			s.tries = min(2*s.tries, mostTries)
			return r, m
		}
		if s.budget.hasty && s.budget.query <= 0 {
			return Unknown, nil
		}
		s.tries = max(s.tries/4, leastTries)
		s.budget.query = query
		s.bl.c.cone(roots)
	}
	return s.ask(s.slow, conds, roots, gates, math.MaxInt64)
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

// ask solves in a session of p within so many conflicts, and solves again with the
// equalities of array elements that the model lacks, until none is missing.
func (s *blastSolver) ask(p *pool, conds []expr.Expr, roots []lit, gates int, conflicts int64) (Result, *expr.Model) {
	on := p.session(s.bl.c, gates, s.stats)
	assumptions := make([]sat.Lit, len(conds))
	for i, l := range roots {
		assumptions[i] = on.cnf.lit(l)
	}
	reads := s.bl.b.FreeReads(conds...)
	for s.budget.left() > 0 && conflicts > 0 {
		vars := int64(on.focus(s.bl.c, roots, reads))
		r, n := on.sat.Solve(min(conflicts, conflictsFor(s.budget.left(), vars)), assumptions...)
		conflicts -= n
		s.stats.Conflicts += n
		s.budget.spend(solveEffort(vars, n))
		if r == Unsat {
			s.core = on.needed(conds, assumptions)
		}
		if r != Sat {
			return r, nil
		}
		m := s.model(on, conds)
		if !s.bindReads(on, reads, m) {
			return Sat, m
		}
		s.bl.c.cone(roots)
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

// bindReads puts the elements of free arrays that are read into m and reports
// whether two reads at one index gave different elements; then they are bound
// to be equal from now on.
func (s *blastSolver) bindReads(on *session, reads []expr.Expr, m *expr.Model) bool {
	b := s.bl.b
	type place struct {
		array expr.Array
		index uint64
	}
	first := map[place]expr.Expr{}
	var missing []lit
	ev := expr.NewEvaluator(b, m) // elements come into m before what is read at them is asked for
	for _, read := range reads {
		index := b.Arg(read, 0)
		i, _ := ev.Value(index).Uint64()
		at := place{b.ArrayOf(read), i}
		other, taken := first[at]
		if !taken {
			first[at] = read
			m.SetElem(at.array, i, s.value(on, read))
			continue
		}
		if pair := [2]expr.Expr{other, read}; on.bound[pair] == low {
			same := s.bl.truth(b.Implies(b.Eq(b.Arg(other, 0), index), b.Eq(other, read)))
			on.bound[pair] = same
			s.stats.Bound++
			missing = append(missing, same)
		}
	}
	for _, same := range missing { // clauses make SAT forget the values
		on.cnf.clause(on.cnf.lit(same))
	}
	return len(missing) > 0
}
