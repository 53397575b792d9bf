package report

import (
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// sitesOf lists the sites of p. Where a panic call takes the location that its
// function's callers hand in, the engine lists the call; the checks of the
// source are the locations that may come in, and each is a site with the call's
// verdict. A refuted call stays what it is: which location it was is not known.
func sitesOf(p *Proof) []verdict.Site {
	locs := map[position.Site][]int{}
	for _, s := range p.Positions.Sites {
		if s.Loc >= 0 {
			call := position.Site{Func: s.Func, Inst: s.Inst, Kind: s.Kind, Loc: -1}
			locs[call] = append(locs[call], s.Loc)
		}
	}
	var out []verdict.Site
	for _, s := range p.Verdict.Sites {
		handed := locs[position.Site{Func: s.Func, Inst: s.Inst, Kind: s.Kind, Loc: -1}]
		if s.Loc >= 0 || s.Verdict == verdict.Refuted || len(handed) == 0 {
			out = append(out, s)
			continue
		}
		for _, loc := range handed {
			s.Loc = loc
			out = append(out, s)
		}
	}
	return out
}
