package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// widening makes a general state cover one more state at the loop's head.
//
// A place keeps what it holds where both hold the same; else a hole comes to
// stand there. Every hole stands at one place only, so that for any state of
// the same shape there are numbers for all holes that make it an instance. now
// says which they are for a.
type widening struct {
	*induction
	a       *state
	now     map[expr.Expr]expr.Expr
	changed bool
	moved   map[*hole]bool // by its step

	hidden   []expr.Expr // numbers that a hole stands for
	hiddenIn []*layer    // content that one stands for
}

func (w *widening) run() error {
	if w.cur.loose != w.a.loose && w.cur.loose != expr.True {
		w.cur.loose, w.cur.why, w.changed = expr.True, w.a.why, true
	}
	if err := w.registers(); err != nil {
		return err
	}
	if err := w.memory(); err != nil {
		return err
	}
	w.expose()
	return nil
}

// expose lets code outside reach every object that a hole may lead to: a hole
// does not say whose address it holds.
func (w *widening) expose() {
	c := w.x.newClosure(w.a)
	for _, e := range w.hidden {
		c.number(e)
	}
	for _, l := range w.hiddenIn {
		c.layers(l)
	}
	c.run()
	leaked := w.cur.leaked
	for _, id := range union(w.a.leaked, c.exposed()) {
		if w.cur.object(id) != nil || !isOwn(w.x.infos[id].kind) {
			leaked = union(leaked, []int{id})
		}
	}
	if len(leaked) != len(w.cur.leaked) {
		w.cur.leaked, w.changed = leaked, true
	}
}

// registers widens the live registers of the loop's frame. Frames below it do
// not change while it runs.
func (w *widening) registers() error {
	f, g, h := w.from.top, w.cur.top, w.a.top
	if g.parent != h.parent || g.inst != h.inst {
		return stopf("a round ends in another place")
	}
	live := w.x.liveAt(g)
	for r := range g.regs {
		if !isLive(live, r) || g.regs[r] == h.regs[r] {
			continue
		}
		if f.regs[r] == nil || g.regs[r] == nil || h.regs[r] == nil {
			return stopf("register %d is not set in every round", r)
		}
		v, err := w.value(fmt.Sprint("r", r), f.regs[r], g.regs[r], h.regs[r])
		if err != nil {
			return err
		}
		if v != g.regs[r] {
			g.regs[r], w.changed = v, true
		}
	}
	return nil
}

// value returns what covers both v, the general value of a place, and a: v
// itself if it does. first is the place's value in from.
func (w *widening) value(at string, first, v, a *value) (*value, error) {
	if v == a || blank(v) && blank(a) && (!v.exact || a.exact) {
		return v, nil
	}
	if v.agg != nil || a.agg != nil {
		return w.fields(at, first, v, a)
	}
	out := &value{e: v.e, ptr: v.ptr}
	switch {
	case blank(a):
	case v.ptr != nil || a.ptr != nil:
		p, err := w.pointer(at, first, v, a)
		if err != nil {
			return nil, err
		}
		out.e, out.ptr = expr.None, p
	case v.e == expr.None:
		out.e = w.number(at, w.x.b.Const(0, w.x.b.Width(a.e)), w.x.b.Const(0, w.x.b.Width(a.e)), a.e, false)
	default:
		init := first.e
		if init == expr.None {
			init = w.x.b.Const(0, w.x.b.Width(v.e))
		}
		out.e = w.number(at, init, v.e, a.e, false)
	}
	if w.poison(at, out, first, v, a); out.poison != v.poison {
		out.ptr = unrelated(out.ptr) // what is known of offsets holds where v is not poison
	} else {
		out.exact = v.exact && a.exact
	}
	if same(out, v) {
		return v, nil
	}
	return out, nil
}

func unrelated(p []alt) []alt {
	out := append([]alt(nil), p...)
	for i := range out {
		out[i].lin = linear{}
	}
	return out
}

// blank reports whether a value was never set.
func blank(v *value) bool { return v.poison == expr.True && v.bytes == nil && v.agg == nil }

func (w *widening) fields(at string, first, v, a *value) (*value, error) {
	if len(v.agg) != len(a.agg) || len(v.agg) != len(first.agg) || v.poison != a.poison {
		return nil, stopf("an aggregate changes its form")
	}
	out := &value{agg: make([]*value, len(v.agg)), poison: v.poison}
	changed := false
	for i := range out.agg {
		f, err := w.value(fmt.Sprint(at, ".", i), first.agg[i], v.agg[i], a.agg[i])
		if err != nil {
			return nil, err
		}
		out.agg[i], changed = f, changed || f != v.agg[i]
	}
	if !changed {
		return v, nil
	}
	return out, nil
}

// poison says where out is poison, byte by byte if v or a do.
func (w *widening) poison(at string, out, first, v, a *value) {
	if v.bytes == nil && a.bytes == nil {
		out.poison = w.truth(at+" poison", first.poison, v.poison, a.poison)
		return
	}
	for i := range max(len(v.bytes), len(a.bytes)) {
		out.bytes = append(out.bytes, w.truth(fmt.Sprint(at, " poison ", i), first.bytePoison(i), v.bytePoison(i), a.bytePoison(i)))
	}
	out.poison = w.x.b.OrAll(out.bytes...)
}

// truth covers two truth values: one that is false and stays so needs no hole.
func (w *widening) truth(at string, first, v, a expr.Expr) expr.Expr {
	if v == a || v == expr.False && w.never(a) {
		return v
	}
	h := w.hole(at, first)
	w.now[h.v] = a
	return h.v
}

// never reports that e does not hold in a.
func (w *widening) never(e expr.Expr) bool {
	r, _ := w.x.sat(w.a, e)
	return r == smt.Unsat
}

// number covers two numbers. One that moved by the same step in every round so
// far may be a sum: then v must move on by it.
func (w *widening) number(at string, first, v, a expr.Expr, off bool) expr.Expr {
	b := w.x.b
	if v == a {
		return v
	}
	h := w.hole(at, first)
	h.off = off
	w.hidden = append(w.hidden, first, v, a)
	if v == h.e && h.e != h.v {
		next := b.Add(v, h.step)
		if a == next || w.never(b.Ne(a, next)) {
			w.moved[h] = true
			return v
		}
		h.e, h.fixed = h.v, true
	}
	if v == h.v && h.born < w.trials {
		w.moves(h, b.Sub(a, v))
	}
	w.now[h.v] = a
	return h.v
}

// moves notes by how much a round moved a hole.
func (w *widening) moves(h *hole, by expr.Expr) {
	w.moved[h] = true
	if !w.x.b.IsConst(by) || h.step != expr.None && h.step != by {
		h.fixed = true
	}
	h.step = by
}

// still notes the holes that the round from the general state to a does not
// move: no sum of rounds can stand for them.
func (w *widening) still() {
	for _, h := range w.order {
		h.fixed = h.fixed || h.born < w.trials && !w.moved[h]
	}
}

// pointer covers two pointers: any of the objects of both, each at the offset
// that both have or a hole.
func (w *widening) pointer(at string, first, v, a *value) ([]alt, error) {
	p, q, f := w.alts(v), w.alts(a), w.began(at, first, a)
	var out []alt
	for len(p) > 0 || len(q) > 0 {
		var s, t alt
		switch {
		case len(q) == 0 || len(p) > 0 && p[0].obj < q[0].obj:
			s, p = p[0], p[1:]
			t = alt{guard: expr.False, obj: s.obj, off: s.off, lin: s.lin}
		case len(p) == 0 || q[0].obj < p[0].obj:
			t, q = q[0], q[1:]
			if w.cur.object(t.obj) == nil && isOwn(w.x.infos[t.obj].kind) {
				return nil, stopf("a pointer to an object of the round")
			}
			s = alt{guard: expr.False, obj: t.obj, off: w.x.b.Const(0, 64)}
		default:
			s, t, p, q = p[0], q[0], p[1:], q[1:]
		}
		out = append(out, w.alt(at, find(f, s.obj), s, t))
	}
	if len(out) == 1 {
		out[0].guard = expr.True
		return out, nil
	}
	return out, w.law(at, out)
}

// began returns the alternatives of a place's pointer in from. Where none was
// set yet it may stand for any: for the first that a round sets, since some
// assignment of the guards' holes must obey the law there too.
func (w *widening) began(at string, first, a *value) []alt {
	if !blank(first) {
		return w.x.asPtr(first)
	}
	obj, ok := w.starts[at]
	if !ok {
		obj = w.x.asPtr(a)[0].obj
		w.starts[at] = obj
	}
	return []alt{{guard: expr.True, obj: obj}}
}

// isOwn reports whether objects of a kind come to be while the slice runs.
func isOwn(k objectKind) bool { return k == objStack || k == objHeap }

func (w *widening) alts(v *value) []alt {
	if blank(v) {
		return nil
	}
	return w.x.asPtr(v)
}

func find(p []alt, obj int) alt {
	for _, a := range p {
		if a.obj == obj {
			return a
		}
	}
	return alt{guard: expr.False, obj: obj}
}

func (w *widening) alt(at string, first, v, a alt) alt {
	if first.off == expr.None {
		first.off = w.x.b.Const(0, 64)
	}
	at = fmt.Sprint(at, " in ", v.obj)
	out := alt{guard: v.guard, obj: v.obj, off: v.off, lin: v.lin}
	if v.guard != a.guard {
		h := w.hole(at, first.guard)
		w.now[h.v] = a.guard
		out.guard = h.v
	}
	if out.off = w.number(at+" at", first.off, v.off, a.off, true); out.off != v.off {
		out.lin = linear{}
	}
	return out
}

// law states that just one of a pointer's guards holds, as it does in from and in a.
func (w *widening) law(at string, p []alt) error {
	b := w.x.b
	one, two := expr.False, expr.False
	for _, a := range p {
		two = b.Or(two, b.And(one, a.guard))
		one = b.Or(one, a.guard)
	}
	law := b.And(one, b.Not(two))
	if w.laws[at] != law {
		w.laws[at], w.changed = law, true
		if r, _ := w.x.sat(w.from, b.Not(b.Subst(law, w.initial()))); r != smt.Unsat {
			return stopf("the objects of a pointer are not told apart")
		}
	}
	if !w.never(b.Not(b.Subst(law, w.now))) {
		return stopf("the objects of a pointer are not told apart")
	}
	return nil
}

// same reports whether two values are alike, part by part.
func same(v, w *value) bool {
	if v.e != w.e || v.poison != w.poison || v.poison != expr.False && v.exact != w.exact || len(v.ptr) != len(w.ptr) || len(v.bytes) != len(w.bytes) {
		return false
	}
	for i, a := range v.ptr {
		if a != w.ptr[i] {
			return false
		}
	}
	for i, p := range v.bytes {
		if p != w.bytes[i] {
			return false
		}
	}
	return true
}
