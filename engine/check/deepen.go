package check

import (
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// shallowLoops is how many rounds of a loop the first of two runs of an automatic root
// follows. Most that is decided at all is decided so: what follows a loop, and what induction shows
// of all its rounds. Each further round costs more than the one before.
const shallowLoops = 1

// deepPart is how many times the budget of the second run goes into the whole. The first has all of it: half was
// too little for drm_panic_qr_generate, of which 160 sites hang on that.
const deepPart = 4

// deepened proves a root twice where its inputs have no bound: first with few rounds of
// its loops, then with as many as usual, for less of the budget, what the first has proved left out.
// Where the first came to no bound, or to the end of its budget, the second would say no more.
func deepened(s *ir.Slice, cfg exec.Config) (*outcome, error) {
	if cfg.LoopBound != 0 || cfg.Paths || len(cfg.Shard) > 0 || exec.IsCheck(s) {
		return prove(s, cfg)
	}
	if cfg.Budget == 0 {
		cfg.Budget = exec.AutoBudget
	}
	first := cfg
	first.LoopBound = shallowLoops
	shallow, err := prove(s, first)
	if err != nil || shallow.facts.Bound == 0 || starved(shallow) {
		return shallow, err
	}
	known := settled(shallow.verdict)
	cfg.Settled = func(k exec.Kind, loc int, at exec.Place) bool { return known[siteKey{string(k), loc, at}] }
	cfg.Budget = max(1, cfg.Budget/deepPart)
	deep, err := prove(s, cfg)
	if err != nil {
		return nil, err
	}
	deep.verdict = verdict.Deepen(shallow.verdict, deep.verdict, shallow.facts, deep.facts)
	return deep, nil
}

// starved reports whether the budget kept a run from something.
func starved(o *outcome) bool {
	if o.facts.Stopped == verdict.Budget {
		return true
	}
	for i := range o.verdict.Sites {
		if o.verdict.Sites[i].Reason == verdict.Budget {
			return true
		}
	}
	return false
}

type siteKey struct {
	kind string
	loc  int
	at   exec.Place
}

// settled are the sites that a verdict proves. What it refutes is looked for again: others share
// the fate of a panic call that is handed its location.
func settled(v *verdict.Verdict) map[siteKey]bool {
	out := map[siteKey]bool{}
	for i := range v.Sites {
		if s := &v.Sites[i]; s.Verdict == verdict.Proved {
			at := exec.Place{Func: s.Func, Inst: s.Inst}
			if s.Loc >= 0 {
				at = exec.Place{}
			}
			out[siteKey{s.Kind, s.Loc, at}] = true
		}
	}
	return out
}
