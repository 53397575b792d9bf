package exec

import (
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// maxPlaces bounds how many places an access at an unknown offset is spread over.
const maxPlaces = 1 << 14

// access checks that n bytes at p may be touched and returns where they are:
// live objects only, the bytes inside, the address aligned.
func (x *exec) access(s *state, p *value, n, align int64, write bool) ([]alt, error) {
	if err := x.requireSet(s, p.poison, PoisonUse, p); err != nil {
		return nil, err
	}
	return x.valid(s, x.asPtr(p), x.b.Const(uint64(n), 64), align, write)
}

// valid is access with a number of bytes that may be unknown but is not 0.
func (x *exec) valid(s *state, p []alt, n expr.Expr, align int64, write bool) ([]alt, error) {
	b := x.b
	null, dead, out, crooked, fixed, wild := expr.False, expr.False, expr.False, expr.False, expr.False, expr.False
	p, before := x.split(s, p)
	var live []alt
	for _, a := range p {
		o := x.infos[a.obj]
		if a.obj == wildObject {
			null = b.Or(null, b.And(a.guard, b.IsZero(a.off)))
			wild = b.Or(wild, a.guard)
			continue
		}
		if o.kind == objNone || o.kind == objFunc || o.kind == objExtern {
			null = b.Or(null, a.guard)
			continue
		}
		live = append(live, a)
		dead = b.Or(dead, b.And(a.guard, x.deadOf(s, a.obj)))
		inside := b.And(b.Ule(n, o.size), b.Ule(a.off, b.Sub(o.size, n)))
		out = b.Or(out, b.And(a.guard, b.Not(inside)))
		crooked = b.Or(crooked, b.And(a.guard, x.misaligned(a, align)))
		if write && o.fixed {
			fixed = b.Or(fixed, a.guard)
		}
	}
	bounds := OutOfBoundsLoad
	if write {
		bounds = OutOfBoundsStore
	}
	for _, c := range []struct {
		bad  expr.Expr
		kind Kind
	}{{null, NullDeref}, {dead, UseAfterFree}, {out, bounds}, {crooked, Misaligned}, {fixed, WriteConst}} {
		if err := x.require(s, c.bad, c.kind); err != nil {
			return nil, err
		}
	}
	x.touches(s, live, write)
	if before != expr.False {
		live = append(live, x.beforeAccess(s, before, write))
	}
	if wild == expr.False {
		return live, nil
	}
	return x.wildAccess(s, p, live, wild, write)
}

// wildAccess is an access through addresses that came in as numbers: a read
// gives anything, a write may change all that code outside can reach. An address
// that is made from those of two objects may lead to memory that nobody else
// knows: there the run ends.
func (x *exec) wildAccess(s *state, p, live []alt, wild expr.Expr, write bool) ([]alt, error) {
	const reason = "access through an address that came in as a number"
	for _, a := range p {
		if a.obj != wildObject {
			continue
		}
		if x.madeOfAddresses(a.off) {
			return live, x.give(s, wild, &stop{reason: reason})
		}
		live = append(live, a)
	}
	x.loosen(s, wild, reason)
	if write {
		x.havoc(s, wild)
	}
	return live, nil
}

func (x *exec) madeOfAddresses(e expr.Expr) bool {
	for _, src := range x.b.Support(e) {
		if _, ok := x.addrSource[src]; ok {
			return true
		}
	}
	return false
}

func (x *exec) misaligned(a alt, align int64) expr.Expr {
	if align <= 1 {
		return expr.False
	}
	addr := a.off
	if x.infos[a.obj].align < align && !isNumber(a.obj) {
		addr = x.b.Add(x.addressAlone(a.obj), a.off)
	}
	return x.b.Ne(x.b.Trunc(addr, bits.TrailingZeros64(uint64(align))), x.b.Const(0, bits.TrailingZeros64(uint64(align))))
}

// read returns n bytes at one of the places of p.
func (x *exec) read(s *state, p []alt, n int) (*value, error) {
	var out *value
	for i := len(p) - 1; i >= 0; i-- {
		v, err := x.readAlt(s, p[i], n)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = v
		} else {
			out = x.choose(p[i].guard, v, out)
		}
	}
	if out == nil { // what was asked of the address before has excluded all runs
		return nil, stopf("read through an address that leads nowhere")
	}
	return out, nil
}

func (x *exec) readAlt(s *state, a alt, n int) (*value, error) {
	if a.obj == wildObject {
		return intValue(x.wildWord(s, a.off, n)), nil
	}
	if k, ok := x.b.Uint64(a.off); ok {
		if o := x.infos[a.obj]; o.bytes >= 0 && k > uint64(o.bytes)-uint64(n) {
			return &value{e: x.b.Const(0, 8*n), poison: expr.True, exact: true}, nil // excluded by the checks before
		}
		return x.loadWord(s, a.obj, int64(k), n)
	}
	if o := s.object(a.obj); n == 1 && o != nil && x.infos[a.obj].device == "" && o.top.under != nil && len(o.top.pages) == 0 {
		return x.readOver(o.top, a)
	}
	o := x.infos[a.obj]
	if pl, ok := x.places(a, o.bytes, int64(n)); ok {
		return x.readPlaces(s, a.obj, pl, n)
	}
	return x.readAnywhere(s, a, n)
}

// readOver reads a byte at an unknown offset where the last write was at an
// unknown place too: what was written if it covers the offset, else what lay there before.
func (x *exec) readOver(l *layer, a alt) (*value, error) {
	before := &state{mem: []entry{{a.obj, &object{top: l.below}}}} // nothing else is read of it
	old, err := x.readAlt(before, a, 1)
	if err != nil {
		return nil, err
	}
	in := x.covers(l.under, a.off)
	if in == expr.False {
		return old, nil
	}
	v, err := l.under.at(x.b.Sub(a.off, l.under.start))
	if err != nil {
		return nil, err
	}
	return x.choose(in, v, old), nil
}

// places lists where an offset can lie: first + step*i for i < count. The lowest
// bits of idx say which.
type places struct {
	idx         expr.Expr
	first, step int64
	count       int64
}

func (p places) at(i int64) int64 { return p.first + p.step*i }

// places finds the few places of n bytes in an object of size bytes that an
// offset can stand for, the access being inside.
func (x *exec) places(a alt, size, n int64) (places, bool) {
	if size < 0 || size < n {
		return places{}, false
	}
	lin := x.linearOf(a)
	lo, hi := x.bounds(a.off)
	lo, hi = max(lo, uint64(lin.least)), min(hi, uint64(size-n))
	if lo > hi {
		lo = 0
	}
	first := lin.rem % lin.step
	if skip := (int64(lo) - first + lin.step - 1) / lin.step; int64(lo) > first {
		first += skip * lin.step
	}
	if first > int64(hi) {
		first = lin.rem % lin.step
		hi = uint64(size - n)
	}
	count := (int64(hi)-first)/lin.step + 1
	if first > int64(hi) || count > maxPlaces {
		return places{}, false
	}
	shift := x.b.Const(uint64((lin.rem-first)/lin.step), 64)
	return places{idx: x.b.Add(lin.idx, shift), first: first, step: lin.step, count: count}, true
}

func (x *exec) readPlaces(s *state, obj int, p places, n int) (*value, error) {
	leaves := make([]*value, p.count)
	for i := range leaves {
		v, err := x.loadWord(s, obj, p.at(int64(i)), n)
		if err != nil {
			return nil, err
		}
		leaves[i] = v
	}
	if v, ok := x.constants(p.idx, leaves, n); ok {
		return v, nil
	}
	return x.pick(p.idx, leaves), nil
}

// constants reads leaves that are numbers through a table.
func (x *exec) constants(idx expr.Expr, leaves []*value, n int) (*value, bool) {
	if n > 8 || len(leaves) < 4 {
		return nil, false
	}
	elems := make([]uint64, len(leaves))
	for i, v := range leaves {
		c, ok := uint64(0), false
		if v.ptr == nil && v.poison == expr.False {
			c, ok = x.b.Uint64(v.e)
		}
		if !ok {
			return nil, false
		}
		elems[i] = c
	}
	width := bits.Len64(uint64(len(leaves) - 1))
	return intValue(x.b.Read(x.tableOf(elems, width, 8*n), x.b.Trunc(idx, width))), true
}

// pick chooses among leaves by the lowest bits of idx; those past the end never occur.
func (x *exec) pick(idx expr.Expr, leaves []*value) *value {
	if len(leaves) == 1 {
		return leaves[0]
	}
	bit := bits.Len64(uint64(len(leaves)-1)) - 1
	half := 1 << bit
	return x.choose(x.b.Bit(idx, bit), x.pick(idx, leaves[half:]), x.pick(idx, leaves[:half]))
}

// write stores v, n bytes long, at one of the places of p.
func (x *exec) write(s *state, p []alt, v *value, n int) error {
	for _, a := range p {
		if err := x.writeAlt(s, a, v, n); err != nil {
			return err
		}
	}
	return nil
}

func (x *exec) writeAlt(s *state, a alt, v *value, n int) error {
	if a.obj == wildObject {
		x.leak(s, []*value{v})
		return nil
	}
	if k, ok := x.b.Uint64(a.off); ok {
		if o := x.infos[a.obj]; o.bytes >= 0 && k > uint64(o.bytes)-uint64(n) {
			return nil // excluded by the checks before
		}
		return x.writeIf(s, a.guard, a.obj, int64(k), v, n)
	}
	pl, ok := x.places(a, x.infos[a.obj].bytes, int64(n))
	if !ok || pl.count > maxSpread {
		return x.spread(s, a, v, n)
	}
	width := max(1, bits.Len64(uint64(pl.count-1)))
	idx := x.b.Trunc(pl.idx, width)
	spared := map[[2]int64]bool{}
	for i := int64(0); i < pl.count; i++ {
		if spare, err := x.spares(s, a, pl.at(i), int64(n), spared); err != nil {
			return err
		} else if spare {
			continue
		}
		here := x.b.And(a.guard, x.b.Eq(idx, x.b.Const(uint64(i), width)))
		if err := x.writeIf(s, here, a.obj, pl.at(i), v, n); err != nil {
			return err
		}
	}
	return nil
}

// spares reports whether a write of n bytes at k would tear a word apart that no
// input lets it touch: a field beside an array. To ask is worth it: what is torn
// is bytes from then on, even a pointer.
// known holds what was found out of words, by place and length.
func (x *exec) spares(s *state, a alt, k, n int64, known map[[2]int64]bool) (bool, error) {
	for i := k; i < k+n; i++ {
		sl, err := x.byteAt(s, a.obj, i)
		if err != nil {
			return false, err
		}
		start, size := i-int64(sl.i), int64(sl.c.n)
		if size == 1 || start == k && size == n {
			continue
		}
		word := [2]int64{start, size}
		spare, ok := known[word]
		if !ok {
			from := x.b.Const(uint64(max(0, start-n+1)), 64)
			r, _ := x.sat(s, x.b.AndAll(a.guard, x.b.Ule(from, a.off), x.b.Ult(a.off, x.b.Const(uint64(start+size), 64))))
			spare = r == smt.Unsat
			known[word] = spare
		}
		if spare {
			return true, nil
		}
	}
	return false, nil
}

// maxSpread bounds the places that a write at an unknown offset is entered at;
// beyond it the write is kept as such and read over.
const maxSpread = 256

func (x *exec) writeIf(s *state, guard expr.Expr, obj int, k int64, v *value, n int) error {
	if guard == expr.False {
		return nil
	}
	if guard != expr.True {
		old, err := x.loadWord(s, obj, k, n)
		if err != nil {
			return err
		}
		v = x.choose(guard, v, old)
	}
	x.storeWord(s, obj, k, v, n)
	return nil
}

// spread enters a write whose place is not known.
func (x *exec) spread(s *state, a alt, v *value, n int) error {
	if v.ptr != nil {
		v = &value{e: x.ptrToInt(v.ptr), poison: v.poison, exact: v.exact}
	}
	c := &cell{v, n}
	w := &spread{word: v, guard: a.guard, start: a.off, count: x.b.Const(uint64(n), 64), at: func(off expr.Expr) (*value, error) {
		leaves := make([]*value, n)
		for i := range leaves {
			leaves[i] = x.slotByte(slot{c, i})
		}
		return x.pick(off, leaves), nil
	}}
	x.push(s, a.obj, w)
	return nil
}

func (x *exec) push(s *state, obj int, w *spread) {
	o := x.own(s, obj)
	o.top = &layer{owner: s.owner, pages: map[int64]*page{}, under: w, below: o.top}
}
