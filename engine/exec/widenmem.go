package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// memory widens objects that the round changed. Those that it made are left
// out: no pointer of the general state leads to them.
func (w *widening) memory() error {
	for _, e := range w.a.mem {
		v := w.cur.object(e.id)
		if v == e.o {
			continue
		}
		if v == nil {
			if isOwn(w.x.infos[e.id].kind) {
				continue
			}
			v = w.x.own(w.cur, e.id)
		}
		if err := w.object(e.id, v, e.o); err != nil {
			return err
		}
	}
	for _, e := range w.cur.mem {
		if w.a.object(e.id) == nil {
			if isOwn(w.x.infos[e.id].kind) {
				return stopf("an object is gone after the round")
			}
		}
	}
	return nil
}

func (w *widening) object(id int, v, a *object) error {
	first := w.from.object(id)
	if first == nil {
		first = &object{dead: expr.False, top: &layer{base: w.x.infos[id].base}}
	}
	dead := w.truth(fmt.Sprint("end of ", id), first.dead, v.dead, a.dead)
	if dead != v.dead {
		w.x.own(w.cur, id).dead, w.changed = dead, true
	}
	switch {
	case dead == expr.True || v.top == a.top: // what a dead object holds cannot be read
		return nil
	case w.free[id] != nil:
		return w.covered(id, a)
	case v.top.under != a.top.under || v.top.below != a.top.below || v.top.base != a.top.base:
		return w.liberate(id, first, a)
	}
	return w.bytes(id, first.top, a.top)
}

// bytes widens what lies in an object at known places, word by word.
func (w *widening) bytes(id int, first, a *layer) error {
	v := w.cur.object(id).top
	end := int64(0)
	for _, k := range changedPages(v, a) {
		if v.pages[k] == a.pages[k] {
			continue
		}
		for at := max(end, k*pageBytes); at < (k+1)*pageBytes; at = end {
			n, err := w.word(id, first, a, at)
			if err != nil {
				return err
			}
			end = at + n
		}
	}
	return nil
}

// word widens the word at a place and returns its length in bytes: the larger
// of the two that stand there.
func (w *widening) word(id int, first, a *layer, k int64) (int64, error) {
	x := w.x
	v := w.cur.object(id).top
	if !writtenTop(v, k) && !writtenTop(a, k) {
		return 1, nil
	}
	s, err := x.layerByte(v, k)
	if err != nil {
		return 0, err
	}
	t, err := x.layerByte(a, k)
	if err != nil || s == t {
		return 1, err
	}
	n := int64(1)
	for _, sl := range []slot{s, t} {
		if sl.i == 0 && int64(sl.c.n) > n {
			n = int64(sl.c.n)
		}
	}
	if o := x.infos[id]; o.bytes >= 0 && k+n > o.bytes {
		n = 1
	}
	var vals [3]*value
	for i, l := range []*layer{first, v, a} {
		if vals[i], err = x.layerRun(l, k, n); err != nil {
			return 0, err
		}
	}
	out, err := w.value(fmt.Sprint("m", id, "+", k, "/", n), vals[0], vals[1], vals[2])
	if err == nil && out != vals[1] {
		x.storeWord(w.cur, id, k, out, int(n))
		w.changed = true
	}
	return n, err
}

// liberate makes a hole of everything that an object holds: writes at unknown
// places have changed it.
func (w *widening) liberate(id int, first, a *object) error {
	x := w.x
	c := &base{kind: baseFree, array: x.b.FreeArray(fmt.Sprint("hole ", id), 64, 8)}
	c.unset = !w.isSet(w.from, id, first.top) || !w.isSet(w.a, id, a.top)
	if c.unset {
		c.poison = x.b.FreeArray(fmt.Sprint("poison ", id), 64, 1)
	}
	w.hiddenIn = append(w.hiddenIn, first.top, w.cur.object(id).top, a.top)
	w.free[id] = c
	o := x.own(w.cur, id)
	o.top = &layer{owner: w.cur.owner, base: c, pages: map[int64]*page{}}
	w.changed = true
	return nil
}

// covered sees to it that a free object which is never poison stays so.
func (w *widening) covered(id int, a *object) error {
	w.hiddenIn = append(w.hiddenIn, a.top)
	if w.free[id].unset || w.isSet(w.a, id, a.top) {
		return nil
	}
	c := *w.free[id]
	c.unset, c.poison = true, w.x.b.FreeArray(fmt.Sprint("poison ", id), 64, 1)
	w.free[id] = &c
	o := w.x.own(w.cur, id)
	o.top = &layer{owner: w.cur.owner, base: &c, pages: map[int64]*page{}}
	w.changed = true
	return nil
}

// isSet reports whether no byte of an object is poison in s.
func (w *widening) isSet(s *state, id int, l *layer) bool {
	b := w.x.b
	at := b.Var("any byte", 64)
	v, err := w.x.layerAnywhere(l, some{off: at})
	if err != nil {
		return false
	}
	r, _ := w.x.sat(s, b.And(b.Ult(at, w.x.infos[id].size), v.poison))
	return r == smt.Unsat
}
