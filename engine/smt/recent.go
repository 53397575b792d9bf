package smt

import "github.com/kvfarm/kvfarm/engine/expr"

// recent tries the last models before it asks: consecutive queries differ
// little, and evaluation keeps what it computed.
type recent struct {
	b      *expr.Builder
	next   Solver
	stats  *Stats
	models []*expr.Evaluator // the last used comes last
}

const recentModels = 8

// Check is Solver's.
func (r *recent) Check(conds []expr.Expr) (Result, *expr.Model) {
	for i := len(r.models) - 1; i >= 0; i-- {
		if ev := r.models[i]; holds(ev, conds) {
			r.stats.Recent++
			r.models = append(append(r.models[:i], r.models[i+1:]...), ev)
			return Sat, ev.Model()
		}
	}
	res, m := r.next.Check(conds)
	if res == Sat {
		if len(r.models) == recentModels {
			r.models = append(r.models[:0], r.models[1:]...)
		}
		r.models = append(r.models, expr.NewEvaluator(r.b, m))
	}
	return res, m
}

// holds looks at the youngest conditions first: they are the ones that are new.
func holds(ev *expr.Evaluator, conds []expr.Expr) bool {
	for i := len(conds) - 1; i >= 0; i-- {
		if !ev.True(conds[i]) {
			return false
		}
	}
	return true
}
