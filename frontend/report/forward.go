package report

import (
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// mayTell is why the check at a location is open that a failing panic call may tell of.
const mayTell = "a panic call that is handed this location, among others, fails"

// sitesOf lists the sites of p. Where a panic call takes the location that its
// function's callers hand in, the engine lists the call; the checks of the
// source are the locations that may come in, and each is a site with the call's
// verdict. If there may be several a refuted call stays what it is: which location
// it was is not known, so that each of them is open.
func sitesOf(p *Proof) []verdict.Site {
	locs := map[position.Site][]int{}
	several := map[position.Site]bool{}
	for _, s := range p.Positions.Sites {
		call := position.Site{Func: s.Func, Inst: s.Inst, Kind: s.Kind, Loc: -1}
		if s.Loc >= 0 {
			several[call] = s.More || len(locs[call]) > 0
			locs[call] = append(locs[call], s.Loc)
		}
	}
	var out []verdict.Site
	for _, s := range p.Verdict.Sites {
		call := position.Site{Func: s.Func, Inst: s.Inst, Kind: s.Kind, Loc: -1}
		handed := locs[call]
		if s.Loc >= 0 || len(handed) == 0 {
			out = append(out, s)
			continue
		}
		if s.Verdict == verdict.Refuted && several[call] {
			out = append(out, s)
			s.Verdict, s.Reason, s.Witness = verdict.Unknown, mayTell, -1
		}
		for _, loc := range handed {
			s.Loc = loc
			out = append(out, s)
		}
	}
	return out
}
