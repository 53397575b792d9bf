package smt

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// folder takes conjunctions apart, and answers where a conjunct is false or
// stands against its complement. What it passes on is ascending, each once.
type folder struct {
	b     *expr.Builder
	next  Solver
	stats *Stats
}

// Check is Solver's.
func (f *folder) Check(conds []expr.Expr) (Result, *expr.Model) {
	parts := f.conjuncts(conds)
	slices.Sort(parts)
	parts = slices.Compact(parts)
	for i, e := range parts {
		// A complement follows its expression directly.
		if e == expr.False || i > 0 && e == f.b.Not(parts[i-1]) {
			f.stats.Folded++
			return Unsat, nil
		}
	}
	if len(parts) == 0 {
		f.stats.Folded++
		return Sat, expr.NewModel()
	}
	return f.next.Check(strongest(f.b, parts))
}

func (f *folder) conjuncts(conds []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, 0, len(conds))
	var stack []expr.Expr
	for _, e := range conds {
		for stack = append(stack, e); len(stack) > 0; {
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			switch {
			case e == expr.True:
			case f.b.Op(e) == expr.OpAnd:
				stack = append(stack, f.b.Arg(e, 0), f.b.Arg(e, 1))
			default:
				out = append(out, e)
			}
		}
	}
	return out
}
