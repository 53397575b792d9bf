package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// A run is loose where the slice does not say what happens: a C function without
// a model was called, memory was touched through an address that came in as a
// number. What is not known then takes any
// value, so what is proved after stays proved. What fails after may not fail in
// truth, and cannot be replayed: it is refuted only if it also fails in a run
// that is not loose. A root with loose runs is not proved itself.
//
// Where just a value is not known (content of a type that the slice does not tell,
// what a C function with a contract returned) the run is not loose. It goes on with
// any value, which is marked: what fails only by it is not refuted.

// loosen notes that the runs of s where when holds are loose from here on.
func (x *exec) loosen(s *state, when expr.Expr, reason string) {
	if at := (Stop{reason, s.top.place()}); !x.loosened[at] {
		if r, _ := x.sat(s, when); r == smt.Unsat {
			return
		}
	}
	x.unproved(s, reason)
	s.loose = x.b.Or(s.loose, when)
	if s.why == "" {
		s.why = reason
	}
}

// unproved notes why the root is not proved, and where. What only a generalised
// loop comes to lies beyond the bound.
func (x *exec) unproved(s *state, reason string) {
	if s.general {
		x.limited(x.cfg.LoopBound)
		return
	}
	if at := (Stop{reason, s.top.place()}); !x.loosened[at] {
		x.loosened[at] = true
		x.stopped(at)
	}
}

// outsider is a number that something outside of the slice chose; it may be an address.
func (x *exec) outsider(width int) expr.Expr {
	v := x.b.Var("outside", width)
	x.outside[v] = true
	return v
}

// foreignRead reads an array that stands for content that is not known.
func (x *exec) foreignRead(a expr.Array, off expr.Expr, reason string) expr.Expr {
	e := x.b.Read(a, off)
	x.markForeign(a, reason)
	for _, src := range x.b.Support(x.b.Read(a, x.b.Const(0, 64))) {
		x.content[src] = true
	}
	return e
}

// hangsOnContent reports whether what s does, with bad, hangs on content of a type
// that is not told: no run shows which of its values there are.
func (x *exec) hangsOnContent(s *state, bad expr.Expr) bool {
	for _, e := range append(s.pc.lits(nil), bad) {
		for _, src := range x.b.Support(e) {
			if x.content[src] {
				return true
			}
		}
	}
	return false
}

// markForeign notes why an array stands for what is not known; with no reason, loose runs know it.
func (x *exec) markForeign(a expr.Array, reason string) {
	for _, src := range x.b.Support(x.b.Read(a, x.b.Const(0, 64))) {
		x.foreign[src] = reason
	}
}

// alien reports whether a value that something outside of the slice chose has a part in e.
func (x *exec) alien(e expr.Expr) bool {
	for _, src := range x.b.Support(e) {
		if _, ok := x.foreign[src]; ok {
			return true
		}
	}
	return slices.ContainsFunc(x.b.Vars(e), func(v expr.Expr) bool { return x.outside[v] })
}

// unsound says why a failure that a replay does not show may be none: its runs
// are loose, or what they do hangs on something that is not known. What fails is of more
// account than how they came there, and the last of that more than the first. Copies of such
// content are not noted when they are made.
func (x *exec) unsound(s *state, bad expr.Expr) string {
	if s.loose != expr.False {
		return s.why
	}
	conds := append(s.pc.lits(nil), bad)
	for i := range conds {
		for _, src := range x.b.Support(conds[len(conds)-1-i]) {
			if why := x.foreign[src]; why != "" {
				return why
			}
			if id, ok := x.addrSource[src]; ok && x.infos[id].held {
				return shared
			} else if ok && x.cfg.Overlaps && x.infos[id].raw && x.infos[id].least < x.infos[id].align {
				return askew
			}
		}
	}
	return ""
}

// arbitrary is any value of a type.
func (x *exec) arbitrary(t *ir.Type) (*value, error) {
	switch t.Kind {
	case ir.Int:
		return intValue(x.outsider(t.Bits)), nil
	case ir.Ptr:
		return x.pointer(wildObject, x.outsider(64)), nil
	case ir.Struct, ir.Array, ir.Vector:
		out := &value{agg: make([]*value, t.NumFields()), poison: expr.False}
		for i := range out.agg {
			f, err := x.arbitrary(t.Field(i))
			if err != nil {
				return nil, err
			}
			out.agg[i] = f
		}
		return out, nil
	}
	return nil, stopf("unsupported: value of type %v", t)
}

// unknownCall is a call of code that is not known. It may call back the
// functions that it was told of, may change all memory that it can reach, and
// returns anything of its type. like is the type of a function that came in as a
// number, nil for other code.
func (x *exec) unknownCall(s *state, in *ir.Inst, reason string, args []*value, like *ir.Sig) (bool, error) {
	if r, _ := x.sat(s, expr.True); r == smt.Unsat {
		return false, errOver
	}
	x.loosen(s, expr.True, reason)
	x.note(quiet)
	x.leak(s, args)
	x.havoc(s, expr.True)
	x.giveBack(reason, like)
	if in.CallSig != nil && in.CallSig.NoReturn {
		return false, errOver
	}
	if in.Result >= 0 {
		v, err := x.arbitrary(in.Type)
		if err != nil {
			return false, err
		}
		if in.CallSig != nil {
			if err := x.trust(s, v, &in.CallSig.Ret.Attr, in.Type); err != nil {
				return false, err
			}
		}
		s.top.regs[in.Result] = v
	}
	s.top.inst++
	return true, nil
}

// quiet is what is assumed of code outside of the slice.
const quiet = "code outside of the slice keeps to what Rust allows it, and nothing else runs meanwhile"

// trust takes what attributes promise of a value for granted.
func (x *exec) trust(s *state, v *value, at *ir.Attr, t *ir.Type) error {
	for _, bad := range []expr.Expr{x.outOfRange(v, at, t), x.isNullValue(v, at), x.crooked(v, at)} {
		if err := x.assume(s, x.b.Not(bad)); err != nil {
			return err
		}
	}
	return nil
}

// leak notes that code outside can reach what the values point to, and what is found from there.
func (x *exec) leak(s *state, vals []*value) {
	c := x.newClosure(s)
	for _, v := range vals {
		c.value(v)
	}
	c.run()
	s.leaked = union(s.leaked, c.exposed())
}

// exposed returns what the closure found that code outside does not reach by itself.
func (c *closure) exposed() []int {
	c.x.told.hear(c)
	var ids []int
	for id := range c.seen {
		if o := c.x.infos[id]; o.kind == objStack || o.kind == objHeap || o.own {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// havoc gives any content, where when holds, to all memory that code outside of
// the slice can reach: what leaked, and what came in or is global, if it was ever
// looked at or is known to begin with; all else is any content still.
func (x *exec) havoc(s *state, when expr.Expr) { x.havocBy(s, when, "") }

// havocBy is havoc by C code whose contract is known: the run is not loose, and why says where the content is from.
func (x *exec) havocBy(s *state, when expr.Expr, why string) {
	x.spoil(s)
	c := x.newClosure(s)
	for _, id := range s.leaked {
		c.add(id)
	}
	for id, o := range x.infos {
		known := o.seen || s.object(id) != nil || o.base.kind == baseGlobal
		if known && !o.fixed && !o.own && (o.kind == objInput || o.kind == objGlobal) {
			c.add(id)
		}
	}
	c.run()
	s.leaked = union(s.leaked, c.exposed()) // what led to them is forgotten below
	for _, id := range c.order {
		x.scramble(s, id, when, why)
	}
}

// look notes that an object's content is looked at.
func (x *exec) look(s *state, id int) {
	x.infos[id].seen = true
	if x.mayLead(s.leaked, id) && s.object(id) == nil {
		x.own(s, id)
	}
}

// untouched is the content of an object that was not touched yet. If code outside was
// told of objects before, they may be found from there: then nothing is known of it.
func (x *exec) untouched(leaked []int, id int) *base {
	if x.mayLead(leaked, id) {
		any := x.b.FreeArray("outside", 64, 8)
		x.markForeign(any, "memory that C may have changed")
		return &base{kind: baseFree, array: any}
	}
	return x.infos[id].base
}

// mayLead reports whether the content that an object came with may lead to what has leaked.
func (x *exec) mayLead(leaked []int, id int) bool {
	o := x.infos[id]
	return len(leaked) > 0 && !o.own && !o.fixed && (o.kind == objInput || o.kind == objGlobal)
}

func (x *exec) scramble(s *state, id int, when expr.Expr, why string) {
	o := x.infos[id]
	gone := (o.kind == objStack || o.kind == objHeap) && s.object(id) == nil
	if gone || o.fixed || o.frozen {
		return
	}
	any := x.b.FreeArray("outside", 64, 8)
	x.markForeign(any, why)
	if when == expr.True {
		x.own(s, id).top = &layer{owner: s.owner, base: &base{kind: baseFree, array: any}, pages: map[int64]*page{}}
		return
	}
	x.push(s, id, &spread{guard: when, start: x.b.Const(0, 64), count: o.size, alien: true,
		at: func(off expr.Expr) (*value, error) { return intValue(x.b.Read(any, off)), nil }})
}

// closure finds the objects that can be reached through pointers in memory.
type closure struct {
	x      *exec
	s      *state
	seen   map[int]bool
	order  []int
	copies map[*copied]bool
	vague  bool // there are pointers that are not known, or content that may hold some
	hidden bool // some of these may lead to functions of the slice
}

func (x *exec) newClosure(s *state) *closure {
	return &closure{x: x, s: s, seen: map[int]bool{}, copies: map[*copied]bool{}}
}

func (c *closure) add(id int) {
	if !isNumber(id) && !c.seen[id] {
		c.seen[id] = true
		c.order = append(c.order, id)
	}
}

func (c *closure) value(v *value) {
	if v == nil {
		return
	}
	for _, a := range v.ptr {
		c.vague = c.vague || a.obj == wildObject
		c.add(a.obj)
		c.number(a.off)
	}
	c.number(v.e)
	for _, f := range v.agg {
		c.value(f)
	}
}

// number adds the objects whose address e is made from.
func (c *closure) number(e expr.Expr) {
	if e == expr.None || c.x.b.IsConst(e) {
		return
	}
	for _, v := range c.x.b.Vars(e) {
		c.vague, c.hidden = c.vague || c.x.holes[v], c.hidden || c.x.holes[v]
	}
	for _, src := range c.x.b.Support(e) {
		if id, ok := c.x.addrSource[src]; ok {
			c.add(id)
		}
	}
}

// run follows the pointers that are stored in what was found. The pointers that
// an input came with lead to inputs, which are found without them.
func (c *closure) run() {
	for i := 0; i < len(c.order); i++ {
		known := c.x.infos[c.order[i]]
		if known.kind == objFunc || known.kind == objExtern || known.kind == objGlobal && c.x.slice.Globals[known.ref].Loc > 0 {
			continue
		}
		c.content(c.s, c.order[i])
	}
}

func (c *closure) layers(l *layer) {
	for ; l != nil; l = l.below {
		c.base(l.base)
		for _, k := range changedPages(l, l) {
			c.page(l.pages[k])
		}
		if l.under != nil {
			c.vague = c.vague || l.under.word == nil
			c.hidden = c.hidden || l.under.word == nil && l.under.copied == nil && !l.under.alien
			c.value(l.under.word)
			c.copied(l.under.copied)
		}
	}
}

// copied follows what a copy of unknown length may have brought along.
func (c *closure) copied(k *copied) {
	if k == nil || c.copies[k] {
		return
	}
	c.copies[k] = true
	for _, a := range k.from {
		c.content(k.s, a.obj)
	}
}

// content follows what an object holds, as s sees it, but not the object itself.
func (c *closure) content(s *state, id int) {
	if isNumber(id) {
		c.vague = true
		return
	}
	if o := s.object(id); o != nil {
		c.layers(o.top)
		return
	}
	c.base(c.x.infos[id].base)
}

// base adds what a constant points to.
func (c *closure) base(b *base) {
	switch {
	case b == nil || b.kind == baseUninit || b.kind == baseZero || b.kind == baseInput:
	case b.kind == baseGlobal:
		for i := range b.global.Relocs {
			if v, err := c.x.constant(&b.global.Relocs[i].Target); err == nil {
				c.value(v)
			}
		}
	case b.kind == baseChoice:
		c.base(b.choice.a)
		c.base(b.choice.b)
	default:
		c.vague = true
	}
}

func (c *closure) page(p *page) {
	var last *cell
	for _, sl := range p.slots {
		if sl.c != nil && sl.c != last {
			last = sl.c
			c.value(last.v)
		}
	}
}
