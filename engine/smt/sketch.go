package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// sketch asks for less than the whole formula: what multipliers and dividers give
// is any word. What contradicts itself so does the more so with them, and most contradictions of a
// path on which something was multiplied are not about the product. If it can
// hold, its inputs may be a model of the whole all the same, which shows by evaluation.
type sketch struct {
	pool *pool
	luck int // of the last sketches
	idle int // queries since the last one, while they are out of luck
}

// A query is sketched if it becomes smaller by leastSpared gates at least, and half as large at most.
const (
	leastSpared   = 256
	sketchTries   = 300 // conflicts
	retrySketches = 16
)

// dear reports whether the circuit of an operation is left out.
func dear(op expr.Op) bool {
	switch op {
	case expr.OpMul, expr.OpUMulOvf, expr.OpSMulOvf, expr.OpUDiv, expr.OpURem, expr.OpSDiv, expr.OpSRem:
		return true
	}
	return false
}

// markDear marks the outputs of such an operation. Where one of them is a signal that something else
// has too, a sketch says less of that than it could.
func (c *circuit) markDear(w []lit) {
	for _, l := range w {
		if c.gates[l.gate()].kind != gateInput {
			c.gates[l.gate()].dear = true
			c.anyDear = true
		}
	}
}

func newSketch(newSAT func() sat.Solver) *sketch {
	return &sketch{pool: newFocused(newSAT), luck: mostLuck}
}

// pays reports whether a query of so many gates, and of less in a sketch, is worth one.
func (k *sketch) pays(gates, less int) bool {
	if gates-less < leastSpared || 2*less > gates {
		return false
	}
	if k.luck > 0 {
		return true
	}
	k.idle++
	return k.idle%retrySketches == 0
}

func (k *sketch) was(good bool) {
	if good {
		k.luck = min(k.luck+2, mostLuck)
		return
	}
	k.luck = max(k.luck-1, 0)
}

// outline answers a query of so many gates by its sketch, if that pays; else Unknown.
func (s *blastSolver) outline(conds []expr.Expr, roots []lit, gates int) (Result, *expr.Model) {
	if s.rough == nil || gates < leastSpared || !s.bl.c.anyDear {
		return Unknown, nil
	}
	less := s.bl.c.walk(roots, largest, true)
	if less > quickGates || !s.rough.pays(gates, less) {
		return Unknown, nil
	}
	r, m := s.asSketch(conds, roots, less)
	s.rough.was(r != Unknown)
	if r != Unknown {
		s.stats.Sketched++
	}
	return r, m
}

func (s *blastSolver) asSketch(conds []expr.Expr, roots []lit, gates int) (Result, *expr.Model) {
	on := s.rough.pool.session(s.bl.c, gates, s.stats)
	on.cnf.sketch = true
	assumptions := make([]sat.Lit, len(conds))
	for i, l := range roots {
		assumptions[i] = on.cnf.lit(l)
	}
	vars := int64(on.focus(s.bl.c, roots, nil))
	r, n := on.sat.Solve(min(sketchTries, conflictsFor(s.budget.left(), vars)), assumptions...)
	s.stats.Conflicts += n
	s.budget.spend(solveEffort(vars, n))
	switch r {
	case Unsat:
		s.core = on.needed(conds, assumptions)
		return Unsat, nil
	case Sat:
		if m := s.model(on, conds); holds(expr.NewEvaluator(s.bl.b, m), conds) {
			return Sat, m
		}
	}
	return Unknown, nil
}
