package report

import (
	"cmp"
	"fmt"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// byInner is what the failure of an inner root hangs on.
const byInner = "may not exist: these are inputs of an inner function's own, and those who call it were tried: the call in %s %s"

// failInner refutes a site that is still undecided by a function within that holds it, if each
// way to call that is known and was tried, and some call does not exclude the failure. It may have no caller all
// the same, so that it is guarded.
func (b *Builder) failInner(s *site) {
	if s.verdict != pb.Verdict_UNKNOWN {
		return
	}
	for _, at := range s.open {
		for _, id := range b.owners[at] {
			f, ok := b.innerFailure(id, s.key)
			if !ok {
				continue
			}
			call := b.opens(id, s.key)
			if call == nil {
				continue
			}
			s.verdict, s.reason, s.cached = pb.Verdict_REFUTED, "", s.cached && f.proof.Cached
			b.refute(s, f.proof, f.site)
			s.inner, s.guarded, s.fromC = true, true, false
			s.caller = fmt.Sprintf(byInner, Clip(call.Root.Name), call.leaves(s.key))
			s.roots = append(s.roots, f.proof.Root.Name)
			return
		}
	}
}

// innerFailure is a failure of the check at key in a proof of an inner root that owns its location, and of which
// no proof, be it of another kind, excludes it.
func (b *Builder) innerFailure(id ownerID, key siteKey) (failure, bool) {
	if by, _ := b.proofsOf(id, key); len(by) > 0 {
		return failure{}, false
	}
	for _, p := range b.ownerProofs[id] {
		if p.Root.Kind != position.Inner || p.Outer {
			continue
		}
		sites := sitesOf(p)
		for i := range sites {
			if s := &sites[i]; s.Verdict == verdict.Refuted && p.at(s.Kind, s.Loc, key) {
				return failure{p, s}, true
			}
		}
	}
	return failure{}, false
}

// opens is the first call of an owner that does not exclude the failure of a check; nil if calls
// were not tried.
func (b *Builder) opens(id ownerID, key siteKey) *Proof {
	for _, p := range b.tried[id] {
		if !proved(p.proves(key)) {
			return p
		}
	}
	return nil
}

// leaves says why p, a call of a function, does not exclude the failure of a check in it.
func (p *Proof) leaves(key siteKey) string {
	reason := ""
	for _, s := range sitesOf(p) {
		if !p.at(s.Kind, s.Loc, key) {
			continue
		}
		switch s.Verdict {
		case verdict.Refuted:
			return "fails, too, with inputs of its own"
		case verdict.Unknown:
			reason = cmp.Or(reason, s.Reason)
		}
	}
	if !p.forAll() {
		reason = cmp.Or(reason, "what it takes of raw pointers its type does not promise")
	}
	return fmt.Sprintf("leaves it open (%s)", cmp.Or(reason, p.Verdict.Reason, "no reason given"))
}
