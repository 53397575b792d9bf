package smt

import (
	"math"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// Refuter takes contradictions to clauses that stand for themselves: a formula
// whose proof others can check. It begins from the conditions and takes nothing
// over from the chain that answered.
type Refuter struct {
	b         *expr.Builder
	bl        *blaster
	newSAT    func() sat.Solver
	search    *lazy
	budget    *budget
	conflicts int64
}

// NewRefuter returns a Refuter for expressions of b that may spend so many conflicts on each.
func NewRefuter(b *expr.Builder, conflicts int64) *Refuter {
	st := new(Stats)
	r := &Refuter{b: b, bl: newBlaster(b), newSAT: sat.New, budget: &budget{total: math.MaxInt64, stats: st}, conflicts: conflicts}
	r.search = &lazy{bl: r.bl, next: newBlast(r.bl, Config{NewSAT: r.newSAT, Quick: sat.Quick}, st, r.budget), stats: st}
	return r
}

// Contradiction is conditions that cannot hold together, and that in clauses.
type Contradiction struct {
	Core    []expr.Expr
	Clauses [][]sat.Lit // variables are numbered from 1 on
}

// Conjuncts takes conjunctions apart: each part once, ascending.
func (r *Refuter) Conjuncts(conds []expr.Expr) []expr.Expr {
	parts := (&folder{b: r.b}).conjuncts(conds)
	slices.Sort(parts)
	return slices.Compact(parts)
}

// Refute shows that conds, as Conjuncts gives them, cannot hold together. It
// answers Unsat with a contradiction among them, or what it found instead.
func (r *Refuter) Refute(conds []expr.Expr) (Result, *Contradiction) {
	r.budget.query = r.conflicts
	if res, _ := r.search.Check(conds); res != Unsat {
		return res, nil
	}
	return r.formula(r.search.Core())
}

// formula asks about the core alone, with a solver that writes down what it is told.
func (r *Refuter) formula(core []expr.Expr) (Result, *Contradiction) {
	rec := &recorder{Solver: r.newSAT()}
	s := newBlast(r.bl, Config{NewSAT: func() sat.Solver { return rec }}, new(Stats), r.budget)
	s.rough = nil // what is written down is the whole
	res, _ := s.Check(core)
	if res == Unsat {
		core = s.Core()
		on := s.slow.sessions[len(s.slow.sessions)-1] // the only one
		for _, e := range core {
			rec.AddClause(on.cnf.lit(r.bl.truth(e)))
		}
	}
	if rel, ok := rec.Solver.(sat.Releaser); ok {
		rel.Release()
	}
	if res != Unsat {
		return res, nil
	}
	return Unsat, &Contradiction{core, rec.clauses}
}

// recorder writes down the clauses that a solver is told of.
type recorder struct {
	sat.Solver
	clauses [][]sat.Lit
}

// AddClause is Solver's.
func (r *recorder) AddClause(lits ...sat.Lit) {
	r.clauses = append(r.clauses, slices.Clone(lits))
	r.Solver.AddClause(lits...)
}
