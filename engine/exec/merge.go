package exec

import (
	"sort"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// merge joins t into s; both stand at the same position.
func (x *exec) merge(s, t *state) error {
	pc, at := join(x.b, s.pc, t.pc)
	top, err := x.mergeFrames(at, s.top, t.top)
	if err != nil {
		return err
	}
	s.owner = new(token)
	mem, err := x.mergeMemory(at, s, t)
	if err != nil {
		return err
	}
	if s.model == nil {
		s.model = t.model
	}
	s.pc, s.top, s.mem, s.cuts = pc, top, mem, min(s.cuts, t.cuts)
	s.loose, s.leaked = x.b.ITE(at.sel, s.loose, t.loose), union(s.leaked, t.leaked)
	s.shown = union(s.shown, t.shown)
	if s.epoch != t.epoch {
		x.spoil(s)
	}
	s.shownIn = min(s.shownIn, t.shownIn)
	if s.why == "" {
		s.why = t.why
	}
	s.general = s.general && t.general
	return nil
}

func (x *exec) mergeFrames(at junction, f, g *frame) (*frame, error) {
	if f == g {
		return f, nil
	}
	h := f.clone()
	live := x.liveAt(f)
	for r := range h.regs {
		switch v, w := f.regs[r], g.regs[r]; {
		case v == w:
		case !isLive(live, r):
			h.regs[r] = nil
		case v == nil || w == nil:
			return nil, stopf("register %d is set on one path only", r)
		default:
			h.regs[r] = x.unite(at, v, w)
		}
	}
	for i := range h.iters {
		h.iters[i].open = max(f.iters[i].open, g.iters[i].open)
		h.iters[i].forked = f.iters[i].forked || g.iters[i].forked
	}
	h.locals = union(f.locals, g.locals)
	if f.parent != nil {
		p, err := x.mergeFrames(at, f.parent, g.parent)
		if err != nil {
			return nil, err
		}
		h.parent = p
	}
	return h, nil
}

// liveAt returns the registers that a frame still needs. A frame that waits for
// a call stands at the call.
func (x *exec) liveAt(f *frame) []uint64 {
	if f.inst == 0 {
		return f.flow.live[f.block]
	}
	key := [3]int{f.flow.index, f.block, f.inst}
	set, ok := x.liveSets[key]
	if !ok {
		set = f.flow.liveBefore(f.block, f.inst)
		x.liveSets[key] = set
	}
	return set
}

func union(a, b []int) []int {
	out := make([]int, 0, max(len(a), len(b)))
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0] < a[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return out
}

// mergeMemory merges two memories object by object. An object that only one
// side has is kept: only pointers of that side lead to it.
func (x *exec) mergeMemory(at junction, s, t *state) ([]entry, error) {
	out := make([]entry, 0, max(len(s.mem), len(t.mem)))
	p, q := s.mem, t.mem
	for len(p) > 0 || len(q) > 0 {
		switch {
		case len(q) == 0 || len(p) > 0 && p[0].id < q[0].id:
			e, err := x.mergeOne(at, p[0], s, t.leaked)
			if err != nil {
				return nil, err
			}
			out, p = append(out, e), p[1:]
		case len(p) == 0 || q[0].id < p[0].id:
			e, err := x.mergeOne(at.flip(), q[0], s, s.leaked)
			if err != nil {
				return nil, err
			}
			out, q = append(out, e), q[1:]
		default:
			o, err := x.mergeObject(at, s, p[0].o, q[0].o)
			if err != nil {
				return nil, err
			}
			out, p, q = append(out, entry{p[0].id, o}), p[1:], q[1:]
		}
	}
	return out, nil
}

// mergeOne merges an object that one side has touched and the other has not:
// there it has its first content, if it has any. leaked is what leaked there.
func (x *exec) mergeOne(at junction, e entry, s *state, leaked []int) (entry, error) {
	o := x.infos[e.id]
	if o.kind == objStack || o.kind == objHeap {
		return e, nil
	}
	fresh := &object{dead: expr.False, top: &layer{base: x.untouched(leaked, e.id), pages: map[int64]*page{}}}
	m, err := x.mergeObject(at, s, e.o, fresh)
	return entry{e.id, m}, err
}

func (x *exec) mergeObject(at junction, s *state, a, b *object) (*object, error) {
	if a == b {
		return a, nil
	}
	top, err := x.mergeLayers(at, s, a.top, b.top)
	if err != nil {
		return nil, err
	}
	return &object{owner: s.owner, dead: x.b.ITE(at.sel, at.left.narrow(a.dead), at.right.narrow(b.dead)), top: top}, nil
}

func (x *exec) mergeLayers(at junction, s *state, a, b *layer) (*layer, error) {
	if a == b {
		return a, nil
	}
	if a.below == b.below && a.under == b.under && a.base == b.base {
		out := &layer{owner: s.owner, under: a.under, below: a.below, base: a.base, pages: make(map[int64]*page, len(a.pages))}
		m := merger{x: x, at: at, done: map[[2]*cell]*cell{}, written: writtenTop}
		return out, m.pages(s, out, a, b, changedPages(a, b))
	}
	return x.restack(at, s, a, b)
}

// restack merges stacks of layers that differ: the writes at unknown places of
// both sides, guarded, come to lie on what is common; every byte that either
// side has written at a known place lies above.
func (x *exec) restack(at junction, s *state, a, b *layer) (*layer, error) {
	as, bs, low := parting(a, b)
	if low == nil {
		low = &layer{owner: s.owner, pages: map[int64]*page{}, base: mergeBases(at.sel, as[len(as)-1].base, bs[len(bs)-1].base)}
	}
	keys := map[int64]bool{}
	stack := func(ls []*layer, guard expr.Expr) {
		for i := len(ls) - 1; i >= 0; i-- {
			for k := range ls[i].pages {
				keys[k] = true
			}
			if w := ls[i].under; w != nil {
				g := *w
				g.guard = x.b.And(guard, w.guard)
				low = &layer{owner: s.owner, pages: map[int64]*page{}, under: &g, below: low}
			}
		}
	}
	stack(as, at.sel)
	stack(bs, x.b.Not(at.sel))
	for l := low; l != nil; l = l.below {
		for k := range l.pages {
			keys[k] = true
		}
	}
	m := merger{x: x, at: at, done: map[[2]*cell]*cell{}, written: written}
	return low, m.pages(s, low, a, b, sortedKeys(keys))
}

func mergeBases(sel expr.Expr, a, b *base) *base {
	if a == b {
		return a
	}
	return &base{kind: baseChoice, choice: &choice{sel, a, b}}
}

// parting splits two stacks into what each has alone, top first, and the first layer they share.
func parting(a, b *layer) (as, bs []*layer, ground *layer) {
	in := map[*layer]bool{}
	for l := a; l != nil; l = l.below {
		in[l] = true
	}
	for ; b != nil && !in[b]; b = b.below {
		bs = append(bs, b)
	}
	for ; a != b; a = a.below {
		as = append(as, a)
	}
	return as, bs, b
}

func changedPages(a, b *layer) []int64 {
	keys := map[int64]bool{}
	for k := range a.pages {
		keys[k] = true
	}
	for k := range b.pages {
		keys[k] = true
	}
	return sortedKeys(keys)
}

func sortedKeys(m map[int64]bool) []int64 {
	out := make([]int64, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

type merger struct {
	x       *exec
	at      junction
	done    map[[2]*cell]*cell
	written func(*layer, int64) bool
}

// pages fills out's pages with what a and b say.
func (m *merger) pages(s *state, out, a, b *layer, keys []int64) error {
	for _, k := range keys {
		p, q := a.pages[k], b.pages[k]
		if p == q && p != nil && a.below == b.below {
			out.pages[k] = p
			continue
		}
		r, err := m.page(a, b, k)
		if err != nil {
			return err
		}
		r.owner = s.owner
		out.pages[k] = r
	}
	return nil
}

// page merges the written bytes of page k; bytes that neither side wrote stay open.
func (m *merger) page(a, b *layer, k int64) (*page, error) {
	r := &page{}
	for i := int64(0); i < pageBytes; {
		at := k*pageBytes + i
		if !m.written(a, at) && !m.written(b, at) {
			i++
			continue
		}
		n, err := m.word(r, a, b, at, pageBytes-i)
		if err != nil {
			return nil, err
		}
		i += n
	}
	return r, nil
}

// writtenTop reports whether a write at a known place set byte k since the last write at an unknown one.
func writtenTop(l *layer, k int64) bool {
	p := l.pages[k/pageBytes]
	return p != nil && p.slots[k%pageBytes].c != nil
}

// written reports whether any write at a known place may have set byte k.
func written(l *layer, k int64) bool {
	for ; l != nil; l = l.below {
		if writtenTop(l, k) {
			return true
		}
	}
	return false
}

// word merges the bytes at an offset: as one word if a side stored one there, else one byte.
func (m *merger) word(r *page, a, b *layer, at, room int64) (int64, error) {
	x := m.x
	s, err := x.layerByte(a, at)
	if err != nil {
		return 0, err
	}
	t, err := x.layerByte(b, at)
	if err != nil {
		return 0, err
	}
	if s == t {
		r.slots[at%pageBytes] = s
		return 1, nil
	}
	if s.c.n == t.c.n && s.i == t.i {
		r.slots[at%pageBytes] = slot{m.cell(s.c, t.c), s.i}
		return 1, nil
	}
	n := int64(1)
	if s.i == 0 && t.i == 0 {
		n = int64(max(s.c.n, t.c.n))
	} else if s.i == 0 && t.c.n == 1 {
		n = int64(s.c.n)
	} else if t.i == 0 && s.c.n == 1 {
		n = int64(t.c.n)
	}
	if n > room {
		n = 1
	}
	v, err := x.layerRun(a, at, n)
	if err != nil {
		return 0, err
	}
	w, err := x.layerRun(b, at, n)
	if err != nil {
		return 0, err
	}
	c := &cell{x.unite(m.at, v, w), int(n)}
	for i := int64(0); i < n; i++ {
		r.slots[at%pageBytes+i] = slot{c, int(i)}
	}
	return n, nil
}

func (m *merger) cell(c, d *cell) *cell {
	key := [2]*cell{c, d}
	if e, ok := m.done[key]; ok {
		return e
	}
	v, w := c.v, d.v
	if c.n == 1 {
		v, w = m.x.slotByte(slot{c, 0}), m.x.slotByte(slot{d, 0})
	}
	e := &cell{m.x.unite(m.at, v, w), c.n}
	m.done[key] = e
	return e
}

func (x *exec) layerRun(l *layer, k, n int64) (*value, error) {
	slots := make([]slot, n)
	for i := range slots {
		var err error
		if slots[i], err = x.layerByte(l, k+int64(i)); err != nil {
			return nil, err
		}
	}
	return x.assemble(slots), nil
}
