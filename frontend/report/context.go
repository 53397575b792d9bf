package report

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Context is a function that owns panic locations, as it is called: a proof of each
// function that calls it, about the panics which the owner holds in these calls. Each
// proves something.
type Context struct {
	Crate, Symbol string // of the owner
	Calls         []*Proof
	// Partial says that the last of Calls leaves all open, and that no more were looked at.
	Partial bool
}

// AddContext notes how a function is called. One whose callers are not all there makes
// what it owns look proved, if it does not say so.
func (b *Builder) AddContext(c Context) {
	id := ownerID{c.Crate, c.Symbol}
	b.tried[id] = c.Calls
	if !c.Partial {
		b.contexts[id] = c
	}
}

// Unsettled lists the owners of crate, by symbol and in order, that leave a check open which could be decided
// by how they are called: where that is known of all that leave it open.
func (b *Builder) Unsettled(crate string, known func(symbol string) bool) []string {
	found := map[string]bool{}
	for _, s := range b.sites {
		if s.verdict != pb.Verdict_UNKNOWN || !s.owned {
			continue
		}
		var open []string
		hopeless := false
		for _, at := range s.open {
			if at.crate != crate {
				continue
			}
			for _, id := range b.owners[at] {
				if b.best(id, s.key) == nil {
					open = append(open, id.symbol)
					hopeless = hopeless || !known(id.symbol)
				}
			}
		}
		for _, symbol := range open {
			found[symbol] = found[symbol] || !hopeless
		}
	}
	var out []string
	for symbol, worth := range found {
		if worth {
			out = append(out, symbol)
		}
	}
	slices.Sort(out)
	return out
}

// Decides reports whether p proves a panic at a known location for every caller.
func (p *Proof) Decides() bool {
	return p.forAll() && slices.ContainsFunc(p.Verdict.Sites, func(s verdict.Site) bool {
		return s.Loc >= 0 && proved(siteWord(p.Verdict, &s))
	})
}
