package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// Most properties hold, and those of the instructions between two branches are about
// the same things. So they are not asked one by one: they wait with the state, and one question
// asks whether any of them fails. Only if that may be are they asked apart.
//
// What waits was noted on one way through the code, on which the path condition only grew: where the
// condition of the first one and one of the others' failures contradict each other, so do the other's own and it.
// So a state must not be divided, merged or given up before what waits with it is asked.

// maxPending is how many properties wait at most: a question about too many things is none about one.
const maxPending = 8

// togetherEffort bounds what the solver does for several properties at once. If it is hard to say of all
// that they hold, one of them is hard, and the others are not to be asked twice for that.
const togetherEffort = 200

// What the solver may do for a property alone, which is asked again at the end if it stays open; of a site
// of which a question is open already; and for a branch of which it was not found out before whether it can be taken.
// A branch that seems to be taken and is not leads to much code that is not reached, so it is worth more at first.
const (
	propertyEffort = 1200
	againEffort    = 200
	branchAgain    = 1200
)

// A branch that was open inVain times may cost one part of vainPart of the budget, then two when it was as often
// again, four, and mostVainParts at most.
const (
	inVain        = 4
	vainPart      = 100
	mostVainParts = 8
)

// Of how many questions about several properties in a row it is remembered that they were in
// vain: then properties are asked one by one, but for one time in retryTogether.
const (
	mostVain      = 3
	retryTogether = 16
)

// together says whether it pays to ask for several properties at once.
type together struct{ vain, skipped int }

func (t *together) pays() bool {
	if t.vain < mostVain {
		return true
	}
	t.skipped++
	return t.skipped%retryTogether == 0
}

func (t *together) was(good bool) {
	if good {
		t.vain = max(0, t.vain-1)
		return
	}
	t.vain = min(mostVain, t.vain+1)
}

// await keeps a question about where s is. What fails wherever s comes is asked at once.
func (x *exec) await(s *state, q question) {
	if q.bad == expr.True {
		x.askPending(s)
	}
	if x.untold(q) {
		return
	}
	s.pending = append(s.pending, q)
	if q.bad == expr.True || len(s.pending) == maxPending {
		x.askPending(s)
	}
}

// untold reports whether nothing would be told of what is found.
func (x *exec) untold(q question) bool {
	return q.site.Refuted != nil || q.s.loose == expr.True && (q.site.Reason != "" || x.excused(q.site, q.bad))
}

// askPending asks for what waits with s.
func (x *exec) askPending(s *state) {
	qs := s.pending
	s.pending = nil
	if len(qs) > 1 && x.together.pays() {
		any := expr.False
		for _, q := range qs {
			any = x.b.Or(any, q.bad)
		}
		r, _ := x.doubtedWithin(qs[0].s, any, togetherEffort)
		x.together.was(r == smt.Unsat)
		if r == smt.Unsat {
			return
		}
	}
	for _, q := range qs {
		x.decide(q)
	}
}

// decide asks whether a site fails. Where one question about it is open already, it hangs on that one
// whatever is found of another: little is tried then.
func (x *exec) decide(q question) {
	if x.untold(q) {
		return
	}
	x.solver.Limit(propertyEffort)
	if q.site.hard {
		x.solver.Limit(againEffort)
	}
	defer x.solver.Limit(queryEffort)
	if x.failing(q) == smt.Unknown {
		q.site.hard, q.s.model = true, nil
		x.open = append(x.open, q)
	}
}
