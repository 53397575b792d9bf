package report

import (
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// siteKey is what makes two sites the same one: inlined and instantiated
// copies of a check are one site.
type siteKey struct {
	kind, file string
	line, col  int
	fn         string // only where no position is known
}

func keyOf(s position.Spot) siteKey {
	return siteKey{kind: s.Kind, file: s.File, line: s.Line, col: s.Col, fn: s.Func}
}

type site struct {
	key     siteKey
	fn      string
	verdict pb.Verdict
	reason  string
	roots   []string
	crates  []string // of the roots
	cached  bool
	byCheck bool // refuted by a written check, not only by automatic roots
	fromC   bool // refuted by a function that C calls, with what C may pass
	guarded bool // refuted only by what types or a Safety section may exclude
	inner   bool // refuted with inputs of an inner root's own
	caller  string
	by      string // the root that refutes it
	waived  string
	place   *pb.Place
	values  []string
	witness string
	replay  string

	rest    pb.Verdict // the worst that roots say which decide it, PROVED if none does
	open    []spot     // its location, in each crate whose roots leave it undecided
	bounded []spot     // the same where roots prove it up to a bound
	owned   bool       // those roots know it by its location alone
	asked   []string   // written checks that leave it undecided

	panics   bool // it stands in the code, as a call of a panic
	inKernel bool // in code that not only written checks reach
}

// newSite returns a site that nothing is said of yet.
func newSite(key siteKey, fn string) *site {
	return &site{key: key, fn: fn, verdict: pb.Verdict_PROVED, cached: true, rest: pb.Verdict_PROVED, owned: true}
}

// rank orders verdicts by what they do to a site that several roots reach: it
// is proved only if all prove it.
var rank = map[pb.Verdict]int{
	pb.Verdict_PROVED: 0, pb.Verdict_PROVED_UP_TO: 1, pb.Verdict_VACUOUS: 2,
	pb.Verdict_UNKNOWN: 3, pb.Verdict_REFUTED: 4,
}

// addSite merges s, one site of p, into the report. newly says that it is
// refuted now and was not before.
func (b *Builder) addSite(p *Proof, s *verdict.Site) (*site, bool) {
	pos, fn := sitePosition(p.Positions, s)
	key := siteKey{kind: s.Kind, file: pos.File, line: pos.Line, col: pos.Col}
	if pos.File == "" {
		key.fn = fn
	}
	old, seen := b.sites[key]
	if !seen {
		old = newSite(key, fn)
		b.sites[key] = old
	}
	if !slices.Contains(old.crates, p.Crate) {
		old.crates = append(old.crates, p.Crate)
	}
	if !slices.Contains(old.roots, p.Root.Name) {
		old.roots = append(old.roots, p.Root.Name)
		slices.Sort(old.roots)
	}
	old.panics = old.panics || p.panics(s)
	old.inKernel = old.inKernel || p.Root.Kind != position.Check
	old.cached = old.cached && p.Cached
	w := siteWord(p.Verdict, s)
	if w == pb.Verdict_UNKNOWN {
		b.leave(p, old, s)
	} else if rank[w] > rank[old.rest] {
		old.rest = w
	}
	if w == pb.Verdict_PROVED_UP_TO {
		b.bound(p, old, s)
	}
	if rank[w] <= rank[old.verdict] && seen {
		if w == pb.Verdict_REFUTED {
			b.refuteToo(old, p, s)
		}
		return old, false
	}
	old.verdict, old.reason = w, s.Reason
	if w != pb.Verdict_REFUTED {
		return old, false
	}
	b.refute(old, p, s)
	return old, true
}

// refuteToo notes another refutation of s. One that no caller can help is told
// rather than one that a caller may, and that rather than one that no caller may be able to bring about.
func (b *Builder) refuteToo(s *site, p *Proof, vs *verdict.Site) {
	s.byCheck = s.byCheck || p.Root.Kind == position.Check
	_, fromC, guarded := b.hangsOn(p, vs)
	if (fromC && !s.fromC || !guarded && s.guarded) && !s.byCheck {
		b.refute(s, p, vs)
	}
}

// siteWord is the verdict that p gives s. A root that proves nothing about its
// end proves nothing about its sites either.
func siteWord(v *verdict.Verdict, s *verdict.Site) pb.Verdict {
	w := word(s.Verdict)
	if v.Verdict == verdict.Vacuous && w == pb.Verdict_PROVED {
		return pb.Verdict_VACUOUS
	}
	return w
}

func (b *Builder) refute(s *site, p *Proof, vs *verdict.Site) {
	s.byCheck, s.by = p.Root.Kind == position.Check, p.Root.Name
	s.caller, s.fromC, s.guarded = b.hangsOn(p, vs)
	w := &p.Verdict.Witnesses[vs.Witness]
	var inputs []position.Value
	for _, in := range w.Inputs {
		inputs = append(inputs, position.Value{Name: in.Name, Value: in.Value, Bits: in.Bits})
	}
	s.values = p.Positions.Values(inputs)
	for _, symbol := range w.Zero {
		s.values = append(s.values, symbol+"() = 0")
	}
	s.place = b.place(p.Positions, vs, w)
	if vs.Witness < len(p.Witness) {
		s.witness = p.Witness[vs.Witness]
	}
	if vs.Witness < len(p.Replay) {
		s.replay = p.Replay[vs.Witness]
	}
	s.waived = waiver(b.waivers, s, p.Root.Name)
}

// sitePosition finds where s stands in the source, and in which function.
func sitePosition(m *position.Map, s *verdict.Site) (position.Pos, string) {
	fn := ""
	if s.Func >= 0 && s.Func < len(m.Funcs) {
		fn = m.Funcs[s.Func].Name
	}
	frames := m.At(s.Func, s.Inst)
	if len(frames) > 0 && frames[0].Func != "" {
		fn = frames[0].Func
	}
	if s.Loc >= 0 && s.Loc < len(m.Locs) {
		return m.Locs[s.Loc], fn
	}
	if len(frames) > 0 {
		return frames[0], fn
	}
	return position.Pos{}, fn
}

// proto is s as reports have it.
func (b *Builder) proto(s *site) *pb.Site {
	text, _ := b.tree.Line(s.key.file, s.key.line)
	by := ""
	if s.verdict == pb.Verdict_REFUTED {
		by = s.by
	}
	return &pb.Site{
		RefutedBy: by,
		Text:      strings.TrimSpace(text),
		Kind:      s.key.kind, File: s.key.file, Line: uint32(s.key.line), Column: uint32(s.key.col),
		Function: s.fn, Verdict: s.verdict, Roots: s.roots, Witness: s.witness, Reason: s.reason,
		Precondition: s.verdict == pb.Verdict_REFUTED && !s.byCheck && !s.fromC,
		FromC:        s.verdict == pb.Verdict_REFUTED && s.fromC && !s.byCheck, Caller: s.caller,
		Guarded: s.verdict == pb.Verdict_REFUTED && s.guarded && !s.byCheck,
		Waived:  s.waived, Place: s.place, Values: s.values, Cached: s.cached, Replay: s.replay,
		Inner:       s.verdict == pb.Verdict_REFUTED && s.inner,
		UndecidedBy: s.asked, Family: s.family(),
	}
}
