package exec

import (
	"errors"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// A proof says nothing if no run does what it is about: what is assumed may be a
// contradiction. So some run must reach the end of the root. For a written
// check that run is made, and it must come to an assertion, if there are any.

// IsCheck reports whether the root of a slice is a written check: all its inputs are its own.
func IsCheck(s *ir.Slice) bool { return s.Inputs == nil && len(s.Funcs[s.Root].Sig.Params) == 0 }

// reachEnd is the end of the root: it shows that the assumptions leave a run.
func (x *exec) reachEnd(s *state) error {
	if x.ended || s.general {
		return errOver
	}
	firm := x.b.Not(s.loose)
	if firm == expr.False {
		firm = expr.True // the root is not proved; that it ends is all that is asked
	}
	switch r, m := x.sat(s, firm); r {
	case smt.Sat:
		x.ended = s.loose == expr.True || x.replayed(s, m)
	case smt.Unknown:
		x.unsure = true
	}
	return errOver
}

// replayed makes the run of model m that ends.
func (x *exec) replayed(s *state, m *expr.Evaluator) bool {
	if !IsCheck(x.slice) || x.cfg.Ends == nil {
		return true
	}
	w := x.witness(s, x.smaller(s, m, expr.True), expr.True)
	if err := x.cfg.Ends(w); err != nil {
		x.lost = "spurious end: " + err.Error()
		if errors.Is(err, ErrNoReplay) {
			x.lost = "end: " + err.Error()
		}
		return false
	}
	x.end = w
	return true
}

// meet notes that a run comes to an assertion.
func (x *exec) meet(s *state, st *Site) {
	if !st.met && !s.general {
		r, _ := x.sat(s, expr.True)
		st.met = r != smt.Unsat
	}
}

// idle reports whether a written check has assertions and comes to none.
func (x *exec) idle() bool {
	any := false
	for _, st := range x.siteList {
		if st.Kind != Assert {
			continue
		}
		any = true
		if st.met || !st.plain && st.Seen || st.Refuted != nil || st.Reason != "" {
			return false
		}
	}
	return any && IsCheck(x.slice)
}
