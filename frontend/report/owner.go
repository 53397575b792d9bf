package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Owner is a function of a crate that panic locations stand in, as the lowerer
// lists it. What stands at a location cannot fail if no owner of it can fail
// there, each called with all that its types allow: that holds for every caller,
// also for roots which are too large to be decided as a whole.
type Owner struct {
	Symbol string
	Locs   []position.Pos // that it owns
}

// spot is a panic location of a crate.
type spot struct {
	crate, file string
	line, col   int
}

// ownerID names an owner: symbols of generic functions are in several crates.
type ownerID struct{ crate, symbol string }

// AddOwners notes all owners of a crate's panic locations, those among its
// automatic roots too. An owner that is left out makes what it owns look proved.
func (b *Builder) AddOwners(crate string, owners []Owner) {
	for _, o := range owners {
		for _, p := range o.Locs {
			at := spot{crate, p.File, p.Line, p.Col}
			b.owners[at] = append(b.owners[at], ownerID{crate, o.Symbol})
		}
	}
}

// ledTo is a check as one crate's roots lead to it.
type ledTo struct {
	crate string
	key   siteKey
}

// lead notes the checks that p's root leads to, if it is one of its crate's automatic roots.
func (b *Builder) lead(p *Proof) {
	if p.Root.Kind != position.Auto || p.Promoted {
		return
	}
	for at := range p.Positions.Spots() {
		b.led[ledTo{p.Crate, keyOf(at)}]++
	}
}

// asFarAs begins the reason of what was proved of a part of the roots.
const asFarAs = "as far as"

// AddElsewhere notes panic calls of a crate's code that were not asked for, once its roots' proofs
// are noted. What is proved of such a check is what the roots that were asked for say.
func (b *Builder) AddElsewhere(crate string, panics []position.Panic) {
	for i := range panics {
		p := &panics[i]
		key := keyOf(p.Spot())
		s, led := b.sites[key], b.led[ledTo{crate, key}]
		if s != nil && led > 0 && led < p.Roots && proved(s.verdict) {
			s.reason = fmt.Sprintf("%s %d of the %d roots that lead to it say", asFarAs, led, p.Roots)
		}
	}
}

// AddPanics notes the panic calls of a crate's code, once its roots' proofs are
// noted. A check that no root of the crate reaches, or of whose roots one came to no proof,
// is undecided, whatever is known of other crates' copies.
func (b *Builder) AddPanics(crate string, panics []position.Panic) {
	for i := range panics {
		p := &panics[i]
		key := keyOf(p.Spot())
		b.inCode[key] = p.Located
		s := b.sites[key]
		if s == nil {
			s = newSite(key, p.At.Func)
			b.sites[key] = s
		}
		s.panics, s.inKernel = true, true
		if p.Reached && slices.Contains(s.crates, crate) && b.led[ledTo{crate, key}] >= p.Roots {
			continue
		}
		if rank[pb.Verdict_UNKNOWN] > rank[s.verdict] {
			s.verdict, s.reason = pb.Verdict_UNKNOWN, unreached(p)
		}
		s.owned = s.owned && p.Located
		b.leaveOpen(crate, s)
	}
}

func unreached(p *position.Panic) string {
	if p.Reached {
		return "no proof of each root that reaches it"
	}
	return "no root reaches it"
}

// Open reports whether o owns the location of a site that crate's roots leave
// undecided, so that a proof of o could help.
func (b *Builder) Open(crate string, o Owner) bool {
	return slices.ContainsFunc(o.Locs, func(p position.Pos) bool {
		return b.open[spot{crate, p.File, p.Line, p.Col}]
	})
}

// Bounded reports whether o owns the location of a site that crate's roots prove up to a bound, and none that
// they leave undecided, so that a proof of o could do without the bound.
func (b *Builder) Bounded(crate string, o Owner) bool {
	return !b.Open(crate, o) && slices.ContainsFunc(o.Locs, func(p position.Pos) bool {
		return b.bounded[spot{crate, p.File, p.Line, p.Col}]
	})
}

// Lacks reports whether o owns the location of a site that crate's roots leave
// undecided, and no proof of o that is noted proves it. What other crates say of that site does not matter.
func (b *Builder) Lacks(crate string, o Owner) bool {
	id := ownerID{crate, o.Symbol}
	for key, s := range b.sites {
		at := spot{crate, key.file, key.line, key.col}
		owned := slices.ContainsFunc(o.Locs, func(p position.Pos) bool { return at == spot{crate, p.File, p.Line, p.Col} })
		if owned && slices.Contains(s.open, at) && b.best(id, key) == nil {
			return true
		}
	}
	return false
}

// leave notes that p does not decide s.
func (b *Builder) leave(p *Proof, s *site, vs *verdict.Site) {
	if vs.Loc < 0 || s.key.file == "" {
		s.owned = false // where the check stands does not say who holds its location
	}
	if p.Root.Kind == position.Check && !slices.Contains(s.asked, p.Root.Name) {
		s.asked = append(s.asked, p.Root.Name)
	}
	b.leaveOpen(p.Crate, s)
}

// leaveOpen notes that what crate knows of s does not decide it.
func (b *Builder) leaveOpen(crate string, s *site) {
	at := spot{crate, s.key.file, s.key.line, s.key.col}
	b.open[at] = true
	if !slices.Contains(s.open, at) {
		s.open = append(s.open, at)
	}
}

// bound notes that p proves s up to a bound.
func (b *Builder) bound(p *Proof, s *site, vs *verdict.Site) {
	if vs.Loc < 0 || s.key.file == "" {
		s.owned = false
	}
	at := spot{p.Crate, s.key.file, s.key.line, s.key.col}
	b.bounded[at] = true
	if !slices.Contains(s.bounded, at) {
		s.bounded = append(s.bounded, at)
	}
}

// settle decides s by the owners of its location, where roots leave it undecided or prove it up to a
// bound: what its owners prove for every caller needs no bound of theirs.
func (b *Builder) settle(s *site) {
	undecided := s.verdict == pb.Verdict_UNKNOWN
	if !s.owned || !undecided && (s.verdict != pb.Verdict_PROVED_UP_TO || strings.HasPrefix(s.reason, asFarAs)) {
		return
	}
	b.settleByOwners(s)
	if undecided { // still, unless its owners prove it
		b.fail(s)
		b.failInner(s)
	}
}

// settleByOwners decides s if each owner of its location does, in each crate that leaves it open.
func (b *Builder) settleByOwners(s *site) {
	by := settlement{verdict: pb.Verdict_PROVED, cached: s.cached}
	for _, at := range s.open {
		if !by.add(b, at, s.key) {
			return
		}
	}
	for _, at := range s.bounded {
		if !slices.Contains(s.open, at) && !by.add(b, at, s.key) {
			by.worsen(pb.Verdict_PROVED_UP_TO)
		}
	}
	if s.rest == pb.Verdict_VACUOUS {
		by.worsen(s.rest)
	}
	if s.verdict == pb.Verdict_PROVED_UP_TO && by.verdict != pb.Verdict_PROVED {
		return // they say no more
	}
	s.verdict, s.cached, s.reason = by.verdict, by.cached, by.reason()
	for _, name := range by.names {
		if !slices.Contains(s.roots, name) {
			s.roots = append(s.roots, name)
		}
	}
}

// failure is a site of a proof that refutes it.
type failure struct {
	proof *Proof
	site  *verdict.Site
}

// AddFailures notes the panics that p refutes, if p.Outer: the function can be called from elsewhere,
// and fails with what is shown, whatever a proof of all that it leads to came to.
func (b *Builder) AddFailures(p *Proof) {
	if !p.Outer {
		return
	}
	sites := sitesOf(p)
	for i := range sites {
		s := &sites[i]
		pos, _ := sitePosition(p.Positions, s)
		key := siteKey{kind: s.Kind, file: pos.File, line: pos.Line, col: pos.Col}
		if _, known := b.failures[key]; !known && s.Loc >= 0 && s.Verdict == verdict.Refuted {
			b.failures[key] = failure{p, s}
		}
	}
}

// fail refutes a site that is still undecided, if an automatic root does.
func (b *Builder) fail(s *site) {
	f, ok := b.failures[s.key]
	if !ok || s.verdict != pb.Verdict_UNKNOWN {
		return
	}
	s.verdict, s.reason, s.cached = pb.Verdict_REFUTED, "", s.cached && f.proof.Cached
	b.refute(s, f.proof, f.site)
	if name := f.proof.Root.Name; !slices.Contains(s.roots, name) {
		s.roots = append(s.roots, name)
	}
}

// settlement is what owners come to.
type settlement struct {
	verdict pb.Verdict
	cached  bool
	called  bool     // some are proved as they are called
	names   []string // of the roots that prove it
}

// add looks at the owners of a location. It reports whether each proves that key cannot fail
// there; if not, nothing is added.
func (t *settlement) add(b *Builder, at spot, key siteKey) bool {
	with := *t
	for _, id := range b.owners[at] {
		by, called := b.proofsOf(id, key)
		if len(by) == 0 {
			return false
		}
		with.called = with.called || called
		for _, p := range by {
			with.worsen(p.proves(key))
			with.cached = with.cached && p.Cached
			with.names = append(with.names, p.Root.Name)
		}
	}
	if len(b.owners[at]) == 0 {
		return false
	}
	*t = with
	return true
}

func (t *settlement) worsen(w pb.Verdict) {
	if rank[w] > rank[t.verdict] {
		t.verdict = w
	}
}

func (t *settlement) reason() string {
	if t.called {
		return "proved in each function that holds it, or in each call of one that its crate makes, for all callers whose behaviour is defined up to there"
	}
	return "proved in each function that holds it, for all callers whose behaviour is defined up to there"
}

// proofsOf are proofs that an owner cannot fail at a location: one of itself, or, as
// called says, one of each function that calls it. None if it may.
func (b *Builder) proofsOf(id ownerID, key siteKey) (by []*Proof, called bool) {
	if p := b.best(id, key); p != nil {
		return []*Proof{p}, false
	}
	for _, p := range b.contexts[id].Calls {
		if !proved(p.proves(key)) {
			return nil, false
		}
	}
	return b.contexts[id].Calls, true
}

func proved(w pb.Verdict) bool { return w == pb.Verdict_PROVED || w == pb.Verdict_PROVED_UP_TO }

// best is the proof of an owner that says most of the check at a location; nil
// if none proves it. Each of them is about every call of the owner.
func (b *Builder) best(id ownerID, key siteKey) *Proof {
	var best *Proof
	for _, p := range b.ownerProofs[id] {
		if w := p.proves(key); proved(w) && (best == nil || rank[w] < rank[best.proves(key)]) {
			best = p
		}
	}
	return best
}

// proves is what p says of the check at a location that its root owns, for
// every caller of that root.
func (p *Proof) proves(key siteKey) pb.Verdict {
	if p.lacks(key) {
		return pb.Verdict_PROVED
	}
	if !p.forAll() {
		return pb.Verdict_UNKNOWN
	}
	v := p.Verdict
	listed, w := false, pb.Verdict_PROVED
	if p.sized() {
		w = pb.Verdict_PROVED_UP_TO
	}
	for _, s := range sitesOf(p) {
		if !p.at(s.Kind, s.Loc, key) {
			continue
		}
		listed = true
		if x := siteWord(v, &s); rank[x] > rank[w] {
			w = x
		}
	}
	// The engine lists every panic call but those in blocks to which nothing leads.
	dead := slices.ContainsFunc(p.Positions.Sites, func(s position.Site) bool { return p.at(s.Kind, s.Loc, key) })
	if !listed && !dead { // no call of this kind in its slice, as far as it was followed
		if x := word(v.Verdict); rank[x] > rank[w] {
			w = x
		}
	}
	return w
}

// lacks reports whether no panic call in p's slice, which is whole, can be the check at key: another function holds that
// location, too, or hands it to a function that checks something else.
func (p *Proof) lacks(key siteKey) bool {
	return p.Whole && !slices.ContainsFunc(p.Positions.Sites, func(s position.Site) bool {
		return s.Kind == key.kind && (s.Loc < 0 || s.More || p.at(s.Kind, s.Loc, key))
	})
}

// at reports whether a panic of a kind at location loc of p's slice is the check key.
func (p *Proof) at(kind string, loc int, key siteKey) bool {
	if kind != key.kind || loc < 0 || loc >= len(p.Positions.Locs) {
		return false
	}
	at := p.Positions.Locs[loc]
	return at.File == key.file && at.Line == key.line && at.Col == key.col
}

// forAll reports whether what p proves holds for every caller whose behaviour is
// defined: nothing was taken of inputs that their types do not promise.
func (p *Proof) forAll() bool {
	return !slices.ContainsFunc(p.Verdict.Assumptions, func(a string) bool {
		return a == verdict.Apart || strings.HasPrefix(a, verdict.RawPointers)
	})
}

// sized reports whether p is about inputs up to a size only.
func (p *Proof) sized() bool {
	return slices.ContainsFunc(p.Verdict.Assumptions, func(a string) bool { return strings.HasPrefix(a, verdict.RawSizes) })
}

// undefined reports a site that may fail and is no panic.
func (p *Proof) undefined(s *verdict.Site) bool {
	return !p.panics(s) && (s.Verdict == verdict.Refuted || s.Verdict == verdict.Unknown)
}

// panics reports whether s is a panic call: a check that stands in the code.
func (p *Proof) panics(s *verdict.Site) bool {
	return s.Loc >= 0 || slices.ContainsFunc(p.Positions.Sites, func(c position.Site) bool {
		return c.Func == s.Func && c.Inst == s.Inst && c.Kind == s.Kind
	})
}
