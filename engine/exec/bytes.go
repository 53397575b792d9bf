package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// byteAt returns byte k of an object as s sees it.
func (x *exec) byteAt(s *state, id int, k int64) (slot, error) {
	x.look(s, id)
	if x.infos[id].device != "" {
		return slot{&cell{x.deviceByte(id), 1}, 0}, nil
	}
	if o := s.object(id); o != nil {
		return x.layerByte(o.top, k)
	}
	return x.baseByte(x.infos[id].base, k)
}

// deviceByte is a byte that a device may have written since the last look.
func (x *exec) deviceByte(id int) *value {
	e := x.outsider(8)
	x.foreign[x.b.Support(e)[0]] = x.infos[id].device
	x.likely = append(x.likely, x.b.IsZero(e))
	return intValue(e)
}

func (x *exec) layerByte(l *layer, k int64) (slot, error) {
	for ; l != nil; l = l.below {
		if p := l.pages[k/pageBytes]; p != nil && p.slots[k%pageBytes].c != nil {
			return p.slots[k%pageBytes], nil
		}
		if l.under != nil {
			return x.spreadByte(l, k)
		}
		if l.below == nil {
			return x.baseByte(l.base, k)
		}
	}
	return slot{}, nil
}

// spreadByte makes terms for each write at an unknown place that lies above the
// last one at k: it stops where the budget does not reach.
func (x *exec) spreadByte(l *layer, k int64) (slot, error) {
	if x.exhausted() {
		return slot{}, stopf("budget")
	}
	old, err := x.layerByte(l.below, k)
	if err != nil {
		return slot{}, err
	}
	at := x.b.Const(uint64(k), 64)
	in := x.covers(l.under, at)
	if in == expr.False {
		return old, nil
	}
	v, err := l.under.at(x.b.Sub(at, l.under.start))
	if err != nil {
		return slot{}, err
	}
	return slot{&cell{x.choose(in, v, x.slotByte(old)), 1}, 0}, nil
}

func (x *exec) covers(w *spread, at expr.Expr) expr.Expr {
	b := x.b
	return b.And(w.guard, b.Ult(b.Sub(at, w.start), w.count))
}

func (x *exec) freeByte(c *base, off expr.Expr) *value {
	v := intValue(x.b.Read(c.array, off))
	if c.unset {
		v.poison = x.b.Read(c.poison, off)
	}
	return v
}

var uninit = &cell{v: &value{e: expr.None, poison: expr.True, exact: true}, n: 1}

func (x *exec) baseByte(c *base, k int64) (slot, error) {
	switch c.kind {
	case baseZero:
		return slot{x.constByte(0), 0}, nil
	case baseGlobal:
		return x.globalByte(c.global, k)
	case baseFree:
		return slot{&cell{x.freeByte(c, x.b.Const(uint64(k), 64)), 1}, 0}, nil
	case baseInput:
		return x.inputByte(c.input, k)
	case baseUnknown:
		return slot{&cell{x.unknownByte(c, x.b.Const(uint64(k), 64)), 1}, 0}, nil
	case baseChoice:
		return x.choiceByte(c.choice, k)
	}
	return slot{uninit, 0}, nil
}

// unknownByte is any byte, the same one at the same place.
func (x *exec) unknownByte(c *base, off expr.Expr) *value {
	if !c.made {
		c.array, c.made = x.b.FreeArray("unknown", 64, 8), true
	}
	const why = "content of an object that the slice does not define"
	if c.global == nil || c.global.External {
		return intValue(x.foreignRead(c.array, off, why))
	}
	e := x.b.Read(c.array, off)
	x.markForeign(c.array, why)
	if k, ok := x.b.Uint64(off); ok {
		x.firstContent(c.global, int64(k), e)
	}
	return intValue(e)
}

// firstContent notes what byte k of a variable is before anything ran, if that is a number.
func (x *exec) firstContent(g *ir.Global, k int64, e expr.Expr) {
	sl, err := x.globalByte(g, k)
	if err == nil && sl.c != uninit && sl.c.n == 1 && sl.c.v.ptr == nil {
		x.likely = append(x.likely, x.b.Eq(e, sl.c.v.e))
	}
}

func (x *exec) choiceByte(c *choice, k int64) (slot, error) {
	v, err := x.baseByte(c.a, k)
	if err != nil {
		return slot{}, err
	}
	w, err := x.baseByte(c.b, k)
	if err != nil {
		return slot{}, err
	}
	return slot{&cell{x.choose(c.sel, x.slotByte(v), x.slotByte(w)), 1}, 0}, nil
}

func (x *exec) constByte(v byte) *cell {
	if x.consts[v] == nil {
		x.consts[v] = &cell{intValue(x.b.Const(uint64(v), 8)), 1}
	}
	return x.consts[v]
}

func (x *exec) globalByte(g *ir.Global, k int64) (slot, error) {
	for i := range g.Relocs {
		r := &g.Relocs[i]
		if k < r.Offset || k >= r.Offset+8 {
			continue
		}
		c := x.relocs[r]
		if c == nil {
			v, err := x.constant(&r.Target)
			if err != nil {
				return slot{}, err
			}
			c = &cell{v, 8}
			x.relocs[r] = c
		}
		return slot{c, int(k - r.Offset)}, nil
	}
	for _, u := range g.Undef {
		if k >= u.Lo && k < u.Hi {
			return slot{uninit, 0}, nil
		}
	}
	if k < 0 || k >= int64(len(g.Data)) {
		return slot{uninit, 0}, nil
	}
	return slot{x.constByte(g.Data[k]), 0}, nil
}

// slotByte returns one byte as a value of its own.
func (x *exec) slotByte(s slot) *value {
	v := s.c.v
	if s.c.n == 1 && v.ptr == nil {
		if v.e == expr.None {
			return &value{e: x.b.Const(0, 8), poison: expr.True, exact: v.exact}
		}
		return v
	}
	return x.slotRun(s, 1)
}

// slotRun returns n bytes of one cell, from s on.
func (x *exec) slotRun(s slot, n int) *value {
	v := s.c.v
	if s.i == 0 && n == s.c.n {
		if v.e == expr.None && v.ptr == nil {
			return &value{e: x.b.Const(0, 8*n), poison: expr.True, exact: v.exact}
		}
		return v
	}
	if v.poison == expr.True && v.bytes == nil {
		return &value{e: x.b.Const(0, 8*n), poison: expr.True, exact: v.exact}
	}
	w := &value{e: x.b.Extract(x.asInt(v), 8*s.i, 8*n), poison: v.poison, exact: v.exact}
	if v.bytes != nil {
		w.bytes = v.bytes[s.i : s.i+n]
		w.poison = x.b.OrAll(w.bytes...)
	}
	return w
}

// loadWord returns n bytes from offset k on, as they were stored if they were
// stored as one, else put together.
func (x *exec) loadWord(s *state, id int, k int64, n int) (*value, error) {
	slots := make([]slot, n)
	for i := range slots {
		var err error
		if slots[i], err = x.byteAt(s, id, k+int64(i)); err != nil {
			return nil, err
		}
	}
	return x.assemble(slots), nil
}

func (x *exec) assemble(slots []slot) *value {
	out, at := x.nextRun(slots)
	if at == len(slots) {
		return out
	}
	uniform, exact := true, out.certain()
	poisons := out.spreadPoison(nil, at)
	e, poison := x.asInt(out), out.poison
	for at < len(slots) {
		v, n := x.nextRun(slots[at:])
		uniform, exact = uniform && v.poison == poison && v.bytes == nil, exact && v.certain()
		poisons = v.spreadPoison(poisons, n)
		poison = x.b.Or(poison, v.poison)
		e = x.b.Concat(x.asInt(v), e)
		at += n
	}
	w := &value{e: e, poison: poison, exact: exact}
	if !uniform || out.bytes != nil {
		w.bytes = poisons
	}
	return w
}

func (v *value) spreadPoison(to []expr.Expr, n int) []expr.Expr {
	for i := 0; i < n; i++ {
		to = append(to, v.bytePoison(i))
	}
	return to
}

// nextRun returns the longest run of slots that are neighbours in one cell.
func (x *exec) nextRun(slots []slot) (*value, int) {
	n := 1
	for n < len(slots) && slots[n].c == slots[0].c && slots[n].i == slots[0].i+n {
		n++
	}
	return x.slotRun(slots[0], n), n
}

// storeWord writes v, n bytes long, at offset k.
func (x *exec) storeWord(s *state, id int, k int64, v *value, n int) {
	l := x.ownTop(s, id)
	c := &cell{v, n}
	if n == 1 && v.poison == expr.False {
		if u, ok := x.b.Uint64(v.e); v.ptr == nil && ok {
			c = x.constByte(byte(u))
		}
	}
	for i := 0; i < n; i++ {
		x.setSlot(s, l, k+int64(i), slot{c, i})
	}
}

// tableOf returns the table of the given elements, one for all that are equal.
func (x *exec) tableOf(elems []uint64, index, width int) expr.Array {
	key := fmt.Sprint(index, width, elems)
	t, ok := x.tables[key]
	if !ok {
		t = x.b.Table(index, width, elems)
		x.tables[key] = t
	}
	return t
}
