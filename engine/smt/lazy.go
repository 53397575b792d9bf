package smt

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// lazy asks for as few conditions as it can. It begins with a recent model and
// asks for those conditions only that do not hold under it, and for what is
// small and about the same; the answer, put over that model, may break others,
// which are added for the next round. A query about the last branch of a long
// path condition then costs what the branch depends on, not what the path does.
type lazy struct {
	bl     *blaster
	next   corer
	fix    *repair // begins with the model that is nearest; nil for none
	stats  *Stats
	models []*expr.Evaluator // the last used comes last
	about  []uint32          // by source: the round in which what was asked for hung on it
	round  uint32
}

// lazyRounds bounds how often conditions are added before all of them are asked for.
const lazyRounds = 24

// Core is corer's.
func (l *lazy) Core() []expr.Expr { return l.next.Core() }

// Check is Solver's.
func (l *lazy) Check(conds []expr.Expr) (Result, *expr.Model) {
	near, broken := l.nearest(conds)
	base := near.Model()
	if len(broken) == 0 {
		l.stats.RecentParts++
		return Sat, base
	}
	asked := make([]bool, len(conds))
	for range lazyRounds {
		for _, i := range broken {
			asked[i] = true
		}
		l.widen(conds, asked)
		if l.fix != nil {
			l.fix.near = near
		}
		r, m := l.next.Check(chosen(conds, asked))
		if r != Sat {
			return r, nil
		}
		base = m.Over(base)
		ev := expr.NewEvaluator(l.bl.b, base)
		if broken = failing(ev, conds, len(conds)); len(broken) == 0 {
			l.remember(ev)
			return Sat, base
		}
		near = ev
	}
	r, m := l.next.Check(conds)
	if r == Sat {
		l.remember(expr.NewEvaluator(l.bl.b, m))
	}
	return r, m
}

// smallCondition is how many gates a condition may add to be asked for without
// need. Without bounds on its variables a question can be much harder.
const smallCondition = 256

// widen adds the small conditions about what is asked for. What shares no
// source with that has no gate in common with it either, and is passed over.
func (l *lazy) widen(conds []expr.Expr, asked []bool) {
	l.round++
	roots := make([]lit, len(conds))
	var cone []lit
	for i, e := range conds {
		roots[i] = l.bl.truth(e)
		if asked[i] {
			cone = append(cone, roots[i])
			for _, src := range l.bl.b.Support(e) {
				l.about = append(l.about, make([]uint32, max(0, int(src)+1-len(l.about)))...)
				l.about[src] = l.round
			}
		}
	}
	l.bl.c.coneWithin(cone, largest) // larger ones are not asked
	touches := func(src expr.Source) bool { return int(src) < len(l.about) && l.about[src] == l.round }
	for i, root := range roots {
		if !asked[i] && slices.ContainsFunc(l.bl.b.Support(conds[i]), touches) {
			extra, related := l.bl.c.extends(root, smallCondition)
			asked[i] = related && extra < smallCondition
		}
	}
}

// nearest returns the recent model under which fewest conditions fail, and
// those; of two such models the later one. At first all is 0.
func (l *lazy) nearest(conds []expr.Expr) (*expr.Evaluator, []int) {
	if len(l.models) == 0 {
		l.remember(expr.NewEvaluator(l.bl.b, expr.NewModel()))
	}
	at := len(l.models) - 1
	best := failing(l.models[at], conds, len(conds))
	for i := at - 1; i >= 0 && len(best) > 0; i-- {
		if f := failing(l.models[i], conds, len(best)); len(f) < len(best) {
			best, at = f, i
		}
	}
	ev := l.models[at]
	l.models = append(append(l.models[:at], l.models[at+1:]...), ev)
	return ev, best
}

// failing returns the places of conditions that do not hold, at most limit.
func failing(ev *expr.Evaluator, conds []expr.Expr, limit int) []int {
	var out []int
	for i := len(conds) - 1; i >= 0 && len(out) < limit; i-- {
		if !ev.True(conds[i]) {
			out = append(out, i)
		}
	}
	return out
}

func (l *lazy) remember(ev *expr.Evaluator) {
	if len(l.models) == recentModels {
		l.models = append(l.models[:0], l.models[1:]...)
	}
	l.models = append(l.models, ev)
}

func chosen(conds []expr.Expr, asked []bool) []expr.Expr {
	var out []expr.Expr
	for i, e := range conds {
		if asked[i] {
			out = append(out, e)
		}
	}
	return out
}
