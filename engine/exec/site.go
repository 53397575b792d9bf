package exec

import (
	"sort"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Kind is the sort of property that a site stands for. Panic sites have the
// kind that the slice names.
type Kind string

// The kinds of undefined behaviour that are checked, and of properties of written checks.
const (
	BranchPoison     Kind = "ub_branch_poison" // a branch or switch on a poison value
	PoisonUse        Kind = "poison_use"       // an address that is poison
	UninitUse        Kind = "uninit_use"       // a poison or uninitialised value where a defined one is required
	OutOfBoundsLoad  Kind = "oob_load"
	OutOfBoundsStore Kind = "oob_store"
	NullDeref        Kind = "null_deref" // null, or an integer that is no object's address
	NullRef          Kind = "null_ref"   // null where the type excludes it
	BadRef           Kind = "bad_ref"    // a reference that does not lead to as many live bytes as promised
	UseAfterFree     Kind = "use_after_free"
	DoubleFree       Kind = "double_free"
	BadFree          Kind = "bad_free"
	Misaligned       Kind = "misaligned"
	WriteConst       Kind = "write_const"
	UnreachableCode  Kind = "unreachable_reached"
	InvalidRange     Kind = "invalid_range"
	AssumeFalse      Kind = "assume_false"
	DivZero          Kind = "div_zero"
	DivOverflow      Kind = "div_overflow"
	BadCall          Kind = "bad_call" // a call of what is no function, or with another signature
	Overlap          Kind = "memcpy_overlap"
	Trap             Kind = "trap"
	Assert           Kind = "assert" // kvfarm_assert
)

// Site is one property at one place and what became of it.
type Site struct {
	Kind    Kind
	Loc     int // panic location token, -1 if none
	Place   Place
	Refuted *Witness
	Reason  string // why it is not decided, "" if it is
	Bound   int    // the least bound that was reached before it; 0 if none
	Panic   bool
	Seen    bool // a run came to the check, if not to its failure
	plain   bool // kvfarm_assert: a run that comes to it comes to the check
	met     bool // a run came to it
	handed  bool // a panic call that is handed its location
	settled bool // see Config.Settled
	hard    bool // a question about it is open
}

// give says that a site is not decided; the first reason stays.
func (s *Site) give(reason string) {
	if s.Reason == "" {
		s.Reason = reason
	}
}

func (s *Site) limit(k int) {
	if s.Bound == 0 || k < s.Bound {
		s.Bound = k
	}
}

// Witness is a run that reaches a site.
type Witness struct {
	Inputs []Input
	Stack  []Place
}

// Input is a value that the engine chose.
type Input struct {
	Name  string
	Bits  int
	Value expr.Value
}

type siteKey struct {
	kind  Kind
	loc   int
	place Place
}

// site returns the site of a kind; panic sites with a location token are one wherever they are.
func (x *exec) site(k Kind, loc int, p Place) *Site {
	key := siteKey{kind: k, loc: loc, place: p}
	if loc >= 0 {
		key.place = Place{}
	}
	s := x.sites[key]
	if s == nil {
		s = &Site{Kind: k, Loc: loc, Place: p}
		s.settled = x.cfg.Settled != nil && x.cfg.Settled(k, loc, key.place)
		x.sites[key] = s
		x.siteList = append(x.siteList, s)
	}
	return s
}

// panicSites enters every panic call of the slice, so that those that are never reached are listed too.
func (x *exec) panicSites() {
	for fi, fn := range x.slice.Funcs {
		x.siteFuncs = append(x.siteFuncs, nil)
		for bi, b := range fn.Blocks {
			if !x.flows[fi].reached[bi] {
				continue
			}
			for ii, in := range b.Insts {
				if k, loc, ok := x.panicCall(in); ok {
					s := x.site(k, loc, Place{fi, x.flows[fi].base[bi] + ii})
					s.Panic, s.plain = true, x.slice.Externs[in.Args[0].Index].Symbol == "kvfarm_assert"
					s.handed = loc < 0 && x.slice.Externs[in.Args[0].Index].Panic != "" && isHanded(in)
					x.siteFuncs[fi] = append(x.siteFuncs[fi], blockSite{bi, ii, s})
				}
			}
		}
	}
}

type blockSite struct {
	block, inst int
	site        *Site
}

// panicCall recognises a direct call of a panic entry, or of an assertion.
func (x *exec) panicCall(in *ir.Inst) (Kind, int, bool) {
	if in.Op != ir.Call || in.Args[0].Kind != ir.ExternAddr {
		return "", 0, false
	}
	e := x.slice.Externs[in.Args[0].Index]
	if e.Panic == "" {
		if k, ok := assertions[e.Symbol]; ok {
			return k, -1, true
		}
		return "", 0, false
	}
	for _, a := range in.Args[1:] {
		if a.Kind == ir.GlobalAddr && x.slice.Globals[a.Index].Loc > 0 {
			return Kind(e.Panic), x.slice.Globals[a.Index].Loc - 1, true
		}
	}
	return Kind(e.Panic), -1, true
}

// assertions are the functions whose calls are sites though they may return.
var assertions = map[string]Kind{"kvfarm_assert": Assert, "__assert_fail": Assert, "llvm.trap": Trap, "abort": Trap}

func (x *exec) sortedSites() []*Site {
	out := append([]*Site(nil), x.siteList...)
	sort.SliceStable(out, func(i, j int) bool {
		p, q := out[i], out[j]
		switch {
		case p.Place.Func != q.Place.Func:
			return p.Place.Func < q.Place.Func
		case p.Place.Inst != q.Place.Inst:
			return p.Place.Inst < q.Place.Inst
		}
		return p.Kind < q.Kind
	})
	return out
}

// seen marks the panic sites whose check was executed: a block before the panic's was entered.
func (x *exec) seen() {
	for fi, sites := range x.siteFuncs {
		f := x.flows[fi]
		for _, s := range sites {
			if x.visited[fi][s.block] {
				s.site.Seen = true
			}
			for b, succ := range f.succ {
				if x.visited[fi][b] && contains(succ, s.block) {
					s.site.Seen = true
				}
			}
		}
	}
	for _, s := range x.siteList {
		if s.Panic && s.Bound > 0 && !s.Seen {
			s.give(verdict.Unreached)
		}
	}
}
