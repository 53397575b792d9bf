// Package report joins what the engine said about roots with what the source
// says at those places, and shows it to people and programs. A root's verdict
// speaks of instructions of a slice; a report speaks of checks in the source.
package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Version is the version of the report's schema.
const Version = 1

// Proof is what one root came to.
type Proof struct {
	Root      position.Root
	Crate     string // source file of the crate, or the check's file
	Slice     digest.Digest
	Action    digest.Digest // of the prove action
	LoweredBy digest.Digest // of the action that cut the slice
	At        digest.Digest // of Positions
	States    string        // what a written check states
	Whole     bool          // no body is left out of Slice
	Outer     bool          // Root is an automatic one, of which this is a proof beside that of the whole
	Promoted  bool          // Root is none of its crate's automatic ones, but C has its address
	Cached    bool
	Budget    int64
	Verdict   *verdict.Verdict
	Shards    int // that Verdict was joined of; 0: it is the root's own
	Positions *position.Map
	Witness   []string // file of each witness, relative to the report; "" if none
	Replay    []string // how each witness was confirmed
}

// Builder gathers proofs and actions into a Report. It is not safe for
// concurrent use.
type Builder struct {
	tree    Source
	waivers []Waiver
	sites   map[siteKey]*site
	report  *pb.Report

	owners      map[spot][]ownerID
	ownerProofs map[ownerID][]*Proof
	contexts    map[ownerID]Context
	tried       map[ownerID][]*Proof // of functions as they are called, those that decide nothing too
	failures    map[siteKey]failure  // of automatic roots, in proofs that are not of the whole
	open        map[spot]bool        // that some root leaves undecided
	bounded     map[spot]bool        // that some root proves up to a bound
	led         map[ledTo]int        // how many automatic roots lead to a check, of those that came to a proof

	inCode  map[siteKey]bool // sites that stand in a crate's code, and whether by a location
	remains *remains         // nil if it is not known
}

// NewBuilder returns a Builder for a report on tree.
func NewBuilder(about *pb.Tree, tree Source, waivers []Waiver) *Builder {
	return &Builder{
		tree:    tree,
		waivers: waivers,
		sites:   map[siteKey]*site{},
		report:  &pb.Report{Version: Version, Tree: about},

		owners: map[spot][]ownerID{}, ownerProofs: map[ownerID][]*Proof{}, open: map[spot]bool{}, bounded: map[spot]bool{}, failures: map[siteKey]failure{}, contexts: map[ownerID]Context{}, tried: map[ownerID][]*Proof{}, led: map[ledTo]int{},
		inCode: map[siteKey]bool{},
	}
}

// AddAction notes one action that was asked for. One that several asked for, such
// as the proof of a generic function of core, is told once.
func (b *Builder) AddAction(a *pb.Action) { b.report.Actions = append(b.report.Actions, a) }

// AddError notes that part of the work could not be done. What tools say may be
// any bytes; a report is UTF-8.
func (b *Builder) AddError(err error) {
	b.report.Errors = append(b.report.Errors, strings.ToValidUTF8(err.Error(), "\uFFFD"))
}

// AddProof notes one root and merges its sites. It returns the sites that this
// proof refutes and that no earlier one did, to be shown at once. An inner root
// has no sites of its own: it only helps to decide what others leave open, since
// a failure that it alone shows may have no caller. One of an automatic root has.
func (b *Builder) AddProof(p *Proof) []*pb.Site {
	sites, trusted := b.trusting(p, sitesOf(p))
	b.report.Roots = append(b.report.Roots, b.root(p, sites, trusted))
	b.lead(p)
	if p.Root.Kind != position.Check {
		id := ownerID{p.Crate, p.Root.Symbol}
		b.ownerProofs[id] = append(b.ownerProofs[id], p)
	}
	if p.Root.Kind == position.Inner {
		b.AddFailures(p)
		return nil
	}
	var fresh []*pb.Site
	for i := range sites {
		s, newly := b.addSite(p, &sites[i])
		if newly {
			fresh = append(fresh, b.proto(s))
		}
	}
	return fresh
}

// root describes the root of p. It is not refuted if all its failures were taken back.
func (b *Builder) root(p *Proof, sites []verdict.Site, trusted bool) *pb.Root {
	v := p.Verdict
	x := &pb.Root{
		Name: p.Root.Name, Symbol: p.Root.Symbol, Kind: p.Root.Kind, Crate: p.Crate,
		Verdict: word(v.Verdict), Reason: v.Reason, Cached: p.Cached,
		Slice: p.Slice.String(), Action: p.Action.String(),
		Bound: uint32(v.Bound), Assumptions: v.Assumptions, Sites: uint32(len(v.Sites)),
		Instructions: float64(v.Stats.Instructions), Conflicts: float64(v.Stats.Conflicts),
		Queries: float64(v.Stats.Queries), Budget: float64(p.Budget),
		LoweredBy: p.LoweredBy.String(), Positions: p.At.String(), States: p.States, CCalls: C(b.tree, p.Root), Shards: uint32(p.Shards),
	}
	refuted := func(s verdict.Site) bool { return s.Verdict == verdict.Refuted }
	if trusted && !slices.ContainsFunc(sites, refuted) {
		x.Verdict, x.Reason = pb.Verdict_UNKNOWN, validByC
	}
	return x
}

func word(w verdict.Word) pb.Verdict {
	switch w {
	case verdict.Proved:
		return pb.Verdict_PROVED
	case verdict.ProvedTo:
		return pb.Verdict_PROVED_UP_TO
	case verdict.Refuted:
		return pb.Verdict_REFUTED
	case verdict.Vacuous:
		return pb.Verdict_VACUOUS
	}
	return pb.Verdict_UNKNOWN
}

// Report returns the finished report. wall is the submit's duration in seconds.
func (b *Builder) Report(wall float64) *pb.Report {
	r := b.report
	r.Actions = actions(r.Actions)
	slices.SortFunc(r.Roots, func(x, y *pb.Root) int {
		return cmp.Or(cmp.Compare(x.Crate, y.Crate), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Slice, y.Slice),
			cmp.Compare(x.Symbol, y.Symbol), cmp.Compare(x.Kind, y.Kind))
	})
	r.Sites = nil
	for _, s := range b.sites {
		b.settle(s)
		x := b.proto(s)
		x.Optimised = b.optimised(s)
		r.Sites = append(r.Sites, x)
	}
	slices.SortFunc(r.Sites, compareSites)
	r.Reasons = reasons(r.Sites)
	r.Cache = cacheRows(r.Actions)
	r.Totals = totals(r)
	r.Totals.WallSeconds = wall
	return r
}

func compareSites(x, y *pb.Site) int {
	return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line),
		cmp.Compare(x.Column, y.Column), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Function, y.Function))
}
