package check

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// ProveHeld decides the panics that the root itself holds, at every call of it by
// callers whose behaviour is defined: first with the root alone, as
// exec.Config.Alone has it; then, unless alone is all that is asked for, with all
// that it calls if something is open still, for half of the budget if there is one:
// what is decided so is decided early.
// What the verdict says of other sites holds as it does with Prove.
func ProveHeld(s *ir.Slice, cfg exec.Config, alone bool) (*verdict.Verdict, error) {
	cfg.Overlaps = true // a proof of an owner is of use only if it is about every caller
	first := cfg
	first.Alone = true
	own, err := deepened(s, first)
	if err != nil {
		return nil, err
	}
	if alone || allDecided(own.verdict, own.held) {
		return own.verdict, nil
	}
	cfg.Budget = (cfg.Budget + 1) / 2 // none stays none
	all, err := deepened(s, cfg)
	if err != nil {
		return nil, err
	}
	adopt(all.verdict, own.verdict, own.held)
	return all.verdict, nil
}

// allDecided reports whether every panic location that is held has a site, and v decides them.
func allDecided(v *verdict.Verdict, held []int) bool {
	listed := map[int]bool{}
	for i := range v.Sites {
		s := &v.Sites[i]
		if _, ours := slices.BinarySearch(held, s.Loc); !ours {
			continue
		}
		if s.Verdict == verdict.Unknown {
			return false
		}
		listed[s.Loc] = true
	}
	return len(listed) == len(held)
}

// adopt takes over what the run alone proves of the held locations and the other
// run leaves open, with all that it assumes.
func adopt(full, alone *verdict.Verdict, held []int) {
	type key struct {
		kind string
		loc  int
	}
	proved := map[key]verdict.Word{}
	for i := range alone.Sites {
		s := &alone.Sites[i]
		if _, ours := slices.BinarySearch(held, s.Loc); ours && (s.Verdict == verdict.Proved || s.Verdict == verdict.ProvedTo) {
			proved[key{s.Kind, s.Loc}] = s.Verdict
		}
	}
	any := false
	for i := range full.Sites {
		s := &full.Sites[i]
		w, ok := proved[key{s.Kind, s.Loc}]
		if ok && (s.Verdict == verdict.Unknown || s.Verdict == verdict.ProvedTo && w == verdict.Proved) {
			s.Verdict, s.Reason, any = w, "", true
		}
	}
	if any {
		full.Assumptions = slices.Compact(slices.Sorted(slices.Values(append(full.Assumptions, alone.Assumptions...))))
	}
	full.Stats.Instructions += alone.Stats.Instructions
	full.Stats.Queries += alone.Stats.Queries
	full.Stats.Conflicts += alone.Stats.Conflicts
	full.Stats.Work += alone.Stats.Work
	full.Stats.PeakObjects = max(full.Stats.PeakObjects, alone.Stats.PeakObjects)
}
