package verdict

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Join makes one verdict of those of a root's shards. whole is the verdict of
// the undivided root. Shards that ran out of budget may be
// there beside those that they were split into. It is an error if the shards
// do not cover all that the root can do.
//
// Where two shards are two parts: what is refuted in one is; what is open in
// one is; what a bound was reached before in one is proved up to it; the rest is proved.
// Where one is a part of the other, it says more of the same runs: what either decides is decided.
func Join(whole *Verdict, shards []*Verdict) (*Verdict, error) {
	if whole.Shard != nil {
		return nil, errors.New("join shards: the whole is a shard itself")
	}
	parts := make([]part, 0, len(shards))
	for _, v := range shards {
		if v.Shard == nil {
			return nil, errors.New("join shards: a verdict of no shard is among them")
		}
		ds, err := ParseShard(v.Shard.Of)
		if err != nil {
			return nil, fmt.Errorf("join shards: %w", err)
		}
		parts = append(parts, part{ds, v})
	}
	if len(parts) == 0 {
		return whole, nil
	}
	all, err := joinBelow(nil, parts)
	if err != nil {
		return nil, fmt.Errorf("join shards: %w", err)
	}
	return settle(claimsOf(whole), all).verdict(), nil
}

type part struct {
	of []Decision
	v  *Verdict
}

// joinBelow joins parts, whose first decisions are of.
func joinBelow(of []Decision, parts []part) (*claims, error) {
	var own *claims
	var below []part
	for _, p := range parts {
		switch {
		case len(p.of) > len(of):
			below = append(below, p)
		case own != nil:
			return nil, fmt.Errorf("there are two of %q", FormatShard(of))
		default:
			own = claimsOf(p.v)
		}
	}
	if len(below) == 0 {
		if own == nil {
			return nil, fmt.Errorf("nothing covers %q", FormatShard(of))
		}
		return own, nil
	}
	d := below[0].of[len(of)]
	d.Takes = true
	var halves [2]*claims
	for i, h := range []Decision{d, d.Opposite()} {
		in := func(p part) bool { return p.of[len(of)] == h }
		var err error
		if halves[i], err = joinBelow(append(slices.Clone(of), h), filter(below, in)); err != nil {
			return nil, err
		}
	}
	if i := slices.IndexFunc(below, func(p part) bool { return p.of[len(of)] != d && p.of[len(of)] != d.Opposite() }); i >= 0 {
		return nil, fmt.Errorf("%q is split by %s and by %s", FormatShard(of), d, below[i].of[len(of)])
	}
	both := and(halves[0], halves[1])
	if own == nil {
		return both, nil
	}
	return settle(own, both), nil
}

func filter(parts []part, keep func(part) bool) []part {
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !keep(p) })
}

// claims is what is known of some runs of a root.
type claims struct {
	sites       map[siteName]claim
	ended, idle bool
	stopped     bool // with the reason and the place
	reason      string
	place       *Place
	bound       int
	assumptions map[string]bool
	end         []Input
	stats       Stats
}

type siteName struct {
	kind            string
	loc, fun, index int
}

// claim is what is known of one site. The zero claim, of a site that is not listed, is that it does not fail.
type claim struct {
	witness *Witness // that refutes it
	reason  string   // why it is open
	bounded bool
	seen    bool
	listed  bool
}

func claimsOf(v *Verdict) *claims {
	c := &claims{sites: map[siteName]claim{}, stopped: true, reason: v.Reason, place: v.Place, bound: v.Bound,
		assumptions: map[string]bool{}, end: v.End, stats: v.Stats}
	if s := v.Shard; s != nil {
		c.ended, c.idle, c.stopped, c.bound = s.Ended, s.Idle, s.Stopped, s.Bound
	}
	for _, a := range v.Assumptions {
		c.assumptions[a] = true
	}
	for i := range v.Sites {
		s := &v.Sites[i]
		k := claim{seen: v.Shard != nil && slices.Contains(v.Shard.Seen, i)}
		switch s.Verdict {
		case Refuted:
			k.witness = &v.Witnesses[s.Witness]
		case ProvedTo:
			k.bounded, k.listed, k.seen = true, true, true
		case Proved:
			k.listed = true
		default:
			k.reason = cmp.Or(s.Reason, "no reason given")
			if s.Reason == Unreached {
				k.reason, k.bounded, k.listed = "", true, true
			}
		}
		c.sites[siteName{s.Kind, s.Loc, s.Func, s.Inst}] = k
	}
	return c
}

// and is what is known of the runs of both a and b.
func and(a, b *claims) *claims {
	out := gather(a, b, func(p, q claim) claim {
		r := claim{witness: p.witness, reason: cmp.Or(p.reason, q.reason), bounded: p.bounded || q.bounded, seen: p.seen || q.seen, listed: p.listed || q.listed}
		if r.witness == nil {
			r.witness = q.witness
		}
		return r
	})
	out.ended, out.idle, out.stopped = a.ended || b.ended, a.idle && b.idle, a.stopped || b.stopped
	out.reason, out.place = a.reason, a.place
	if !a.stopped {
		out.reason, out.place = b.reason, b.place
	}
	out.bound = a.bound
	if a.bound == 0 || b.bound != 0 && b.bound < a.bound {
		out.bound = b.bound
	}
	return out
}

// settle is what is known of the runs of a, of which b, whose runs are the same, knows more.
func settle(a, b *claims) *claims {
	out := gather(a, b, func(p, q claim) claim {
		r := q
		r.seen, r.listed = p.seen || q.seen, p.listed || q.listed
		switch {
		case q.witness != nil:
		case p.witness != nil:
			r.witness = p.witness
		case q.reason != "" && p.decided():
			r.reason, r.bounded = "", p.bounded
		case p.reason != "" && !q.listed && b.stopped: // what b did not come to says nothing
			r.reason = cmp.Or(q.reason, p.reason)
		}
		return r
	})
	out.ended, out.idle, out.stopped, out.reason, out.place, out.bound = b.ended, b.idle, b.stopped, b.reason, b.place, b.bound
	return out
}

// decided reports whether it was said that a site does not fail. Of one that is not listed nothing was
// said by a run that was cut short.
func (k claim) decided() bool {
	return k.listed && k.witness == nil && k.reason == "" && (!k.bounded || k.seen)
}

// gather joins what adds up, and the sites by f.
func gather(a, b *claims, f func(p, q claim) claim) *claims {
	out := &claims{sites: map[siteName]claim{}, assumptions: maps.Clone(a.assumptions), end: a.end, stats: Stats{
		Instructions: a.stats.Instructions + b.stats.Instructions,
		Queries:      a.stats.Queries + b.stats.Queries,
		Conflicts:    a.stats.Conflicts + b.stats.Conflicts,
		PeakObjects:  max(a.stats.PeakObjects, b.stats.PeakObjects),
		Work:         a.stats.Work + b.stats.Work,
	}}
	maps.Copy(out.assumptions, b.assumptions)
	if out.end == nil {
		out.end = b.end
	}
	for k, p := range a.sites {
		out.sites[k] = f(p, b.sites[k])
	}
	for k, q := range b.sites {
		if _, ok := a.sites[k]; !ok {
			out.sites[k] = f(claim{}, q)
		}
	}
	return out
}

// verdict says it in the words of a verdict.
func (c *claims) verdict() *Verdict {
	v := &Verdict{Version: Version, Assumptions: slices.Sorted(maps.Keys(c.assumptions)), Sites: []Site{}, Witnesses: []Witness{}, End: c.end, Stats: c.stats}
	if v.Assumptions == nil {
		v.Assumptions = []string{}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.sites), byPlace) {
		c.sites[k].enter(v, k)
	}
	f := Facts{Ended: c.ended, Idle: c.idle, Bound: c.bound}
	if c.stopped {
		f.Stopped, f.Place = cmp.Or(c.reason, "a path was given up"), c.place
	}
	v.Judge(f)
	return v
}

func byPlace(a, b siteName) int {
	return cmp.Or(cmp.Compare(a.fun, b.fun), cmp.Compare(a.index, b.index), cmp.Compare(a.kind, b.kind), cmp.Compare(a.loc, b.loc))
}

// enter adds a site to v, if it is one that verdicts list.
func (k claim) enter(v *Verdict, n siteName) {
	s := Site{Kind: n.kind, Loc: n.loc, Func: n.fun, Inst: n.index, Verdict: Proved, Witness: -1}
	switch {
	case k.witness != nil:
		s.Verdict, s.Witness = Refuted, len(v.Witnesses)
		w := *k.witness
		w.Site = len(v.Sites)
		v.Witnesses = append(v.Witnesses, w)
	case k.reason != "":
		s.Verdict, s.Reason = Unknown, k.reason
	case k.bounded && !k.seen:
		s.Verdict, s.Reason = Unknown, Unreached
	case k.bounded:
		s.Verdict = ProvedTo
	case !k.listed:
		return
	}
	v.Sites = append(v.Sites, s)
}
