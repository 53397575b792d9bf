package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// A run that is out of budget says by which decisions its work can be divided:
// the earliest that part the runs, since what comes after them is simpler then
// in each half. A branch that all runs come to is better than one that others
// pass by, who would be followed in both halves.

// fork is a branch from which runs go on two ways at least.
type fork struct {
	decision verdict.Decision
	pc       *cond     // of the state that came to it
	guard    expr.Expr // under which the decision is true
}

const (
	maxForks  = 64 // of either sort that are remembered
	maxShards = 8  // into which a frontier divides the work
	// What finding a frontier may cost: a query, and a part of the budget.
	forkEffort   = 500
	leastFront   = 500
	frontierPart = 50
)

// forks are those that a run came to, in order.
type forks struct {
	alone []fork // nobody else was on the way
	among []fork
	seen  map[expr.Expr]bool // guards
}

// forked notes a branch of s, by which the work may be divided. A way into a panic is no half of it.
func (x *exec) forked(s *state, open []way) {
	list := &x.forks.among
	if x.queue.Len() == 0 {
		list = &x.forks.alone
	}
	if s.general || x.trial != nil || len(*list) >= maxForks {
		return
	}
	on := slices.DeleteFunc(slices.Clone(open), func(w way) bool { return s.top.flow.doomed[w.to] })
	if len(on) < 2 || x.forks.seen[on[0].guard] || x.forks.seen[on[1].guard] {
		return
	}
	x.forks.seen[on[0].guard], x.forks.seen[on[1].guard] = true, true
	*list = append(*list, fork{verdict.Decision{At: s.where(), Block: on[0].to, Takes: true}, s.pc, on[0].guard})
}

// starved reports whether it was for want of budget that the root was not decided.
func (x *exec) starved() bool {
	if len(x.stops) > 0 {
		return x.stops[0].Reason == verdict.Budget
	}
	return slices.ContainsFunc(x.siteList, func(s *Site) bool { return s.Reason == verdict.Budget })
}

// division is a shard of the frontier, with what is known of its runs.
type division struct {
	shard []verdict.Decision
	pc    []expr.Expr
}

// frontier divides what the run was to follow, in the form that verdict.Split reads.
func (x *exec) frontier() []string {
	var splits []string
	spend := max(x.cfg.Budget/frontierPart, leastFront)
	f := &frontier{x: x, end: x.work() + spend,
		solver: smt.New(x.b, smt.Config{TotalEffort: spend, QueryEffort: forkEffort})}
	defer f.account()
	divisions := []division{{shard: x.cfg.Shard}}
	for _, k := range slices.Concat(x.forks.alone, x.forks.among) {
		for i, n := 0, len(divisions); i < n && len(divisions) < maxShards; i++ {
			yes, no := divisions[i].with(x.b, k, k.decision), divisions[i].with(x.b, k, k.decision.Opposite())
			if !verdict.Fits(yes.shard) || !f.parts(divisions[i], k) {
				continue
			}
			splits = append(splits, verdict.FormatShard(yes.shard))
			divisions[i] = yes
			divisions = append(divisions, no)
		}
	}
	return splits
}

// frontier finds one.
type frontier struct {
	x      *exec
	solver *smt.Chain
	end    int64 // work after which it ends
}

func (f *frontier) spent() bool {
	st := f.solver.Stats()
	return f.x.work()+queryCost*st.Queries+st.Clauses/clausesPerUnit+st.Effort > f.end
}

// parts reports whether some runs of l go either way at k.
func (f *frontier) parts(l division, k fork) bool {
	conds := slices.Concat(f.x.axioms.lits(nil), l.pc, k.pc.lits(nil))
	for _, side := range []expr.Expr{k.guard, f.x.b.Not(k.guard)} {
		if f.spent() {
			return false
		}
		if r, _ := f.solver.Check(append(slices.Clip(conds), side)); r != smt.Sat {
			return false
		}
	}
	return true
}

// account adds what was spent to what the run has cost.
func (f *frontier) account() {
	st, all := f.solver.Stats(), &f.x.first
	all.Queries += st.Queries
	all.Clauses += st.Clauses
	all.Conflicts += st.Conflicts
	all.Effort += st.Effort
}

// with is the part of l of which a decision at k is true: of the runs that come there.
func (l division) with(b *expr.Builder, k fork, d verdict.Decision) division {
	guard := k.guard
	if d != k.decision {
		guard = b.Not(guard)
	}
	return division{append(slices.Clone(l.shard), d), append(slices.Clone(l.pc), b.Or(b.Not(all(b, k.pc.lits(nil))), guard))}
}
