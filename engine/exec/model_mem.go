package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// maxCopy bounds a copy, fill or comparison whose length is not a number, in bytes.
const maxCopy = 4096

// length returns a number of bytes and the most that it can be. A length that
// can exceed maxCopy is cut off there: what is longer is left to the bound.
func (x *exec) length(s *state, v *value) (n expr.Expr, most int64, err error) {
	if err := x.require(s, v.poison, UninitUse); err != nil {
		return expr.None, 0, err
	}
	n = x.resize(v.e, 64)
	if c, ok := x.b.Uint64(n); ok {
		if c > maxObject {
			return n, 0, stopf("memory operation of more than %d bytes", maxObject)
		}
		return n, int64(c), x.touch(int64(c))
	}
	for most = 8; most < maxCopy; most *= 2 {
		if x.atMost(s, n, most) {
			break
		}
	}
	if err := x.touch(most); err != nil {
		return n, 0, err
	}
	if most == maxCopy && !x.atMost(s, n, most) {
		over := x.b.Ult(x.b.Const(uint64(most), 64), n)
		return n, most, x.give(s, over, &stop{reason: "length bound", bound: maxCopy})
	}
	return n, most, nil
}

// touch charges for bytes that are about to be copied or filled one by one, and
// stops where the budget does not reach: each takes memory too.
func (x *exec) touch(n int64) error {
	x.touched += n
	if x.exhausted() {
		return stopf("budget")
	}
	return nil
}

// bytesPerUnit is how many bytes that a copy or fill touches cost one unit of work.
const bytesPerUnit = 4

func (x *exec) atMost(s *state, n expr.Expr, k int64) bool {
	r, _ := x.sat(s, x.b.Ult(x.b.Const(uint64(k), 64), n))
	return r == smt.Unsat
}

// span checks that n bytes at p, if n is not 0, may be touched, and returns where they are.
func (x *exec) span(s *state, p *value, n expr.Expr, align int64, write bool) ([]alt, error) {
	if c, ok := x.b.Uint64(n); ok {
		if c == 0 {
			return nil, nil
		}
		return x.access(s, p, int64(c), align, write)
	}
	some := x.nonzero(n)
	if err := x.requireSet(s, x.b.And(some, p.poison), PoisonUse, p); err != nil {
		return nil, err
	}
	at, err := x.valid(s, x.narrowed(x.asPtr(p), some), n, align, write)
	return at, err
}

// narrowed narrows the guards of alternatives.
func (x *exec) narrowed(at []alt, g expr.Expr) []alt {
	if g == expr.True {
		return at
	}
	out := make([]alt, len(at))
	for i, a := range at {
		out[i] = a
		out[i].guard = x.b.And(a.guard, g)
	}
	return out
}

func (c *callee) align(i int) int64 {
	if c.in.CallSig == nil || i >= len(c.in.CallSig.Params) {
		return 1
	}
	return max(1, c.in.CallSig.Params[i].Attr.Align)
}

func (x *exec) noteVolatile(c *callee) {
	if len(c.args) > 3 && c.args[3].e == expr.True {
		x.note("volatile accesses are ordinary ones")
	}
}

// memCopy is memcpy: source and destination are equal or do not overlap.
func memCopy(x *exec, c *callee) (*value, error) { return x.copyBytes(c, true) }

func memMove(x *exec, c *callee) (*value, error) { return x.copyBytes(c, false) }

func (x *exec) copyBytes(c *callee, apart bool) (*value, error) {
	x.noteVolatile(c)
	if err := x.require(c.s, c.args[2].poison, UninitUse); err != nil {
		return nil, err
	}
	n, most := x.resize(c.args[2].e, 64), int64(0)
	lazy := x.isLong(c.s, n)
	if !lazy {
		var err error
		if n, most, err = x.length(c.s, c.args[2]); err != nil || most == 0 {
			return c.args[0], err
		}
	}
	to, err := x.span(c.s, c.args[0], n, c.align(0), true)
	if err != nil {
		return nil, err
	}
	from, err := x.span(c.s, c.args[1], n, c.align(1), false)
	if err != nil {
		return nil, err
	}
	if apart {
		if err := x.require(c.s, x.overlap(to, from, n), Overlap); err != nil {
			return nil, err
		}
	}
	if lazy {
		x.copyLater(c.s, to, from, n)
		return c.args[0], nil
	}
	return c.args[0], x.copyRange(c.s, to, from, n, most)
}

// maxEager bounds the copies of unknown length that are made byte by byte.
// Longer ones are kept as one write that knows where its bytes come from.
const maxEager = 8

func (x *exec) isLong(s *state, n expr.Expr) bool {
	return !x.b.IsConst(n) && !x.atMost(s, n, maxEager)
}

// copyWhole copies n bytes between places that are known to hold them.
func (x *exec) copyWhole(s *state, to, from []alt, n expr.Expr) error {
	if x.isLong(s, n) {
		x.copyLater(s, to, from, n)
		return nil
	}
	n, most, err := x.length(s, intValue(n))
	if err != nil || most == 0 {
		return err
	}
	return x.copyRange(s, to, from, n, most)
}

// copyLater enters a copy of unknown length as one write. Its bytes are read,
// when they are asked for, from memory as it is now: that is a look at it.
func (x *exec) copyLater(s *state, to, from []alt, n expr.Expr) {
	for _, a := range from {
		if !isNumber(a.obj) {
			x.look(s, a.obj)
		}
	}
	x.show(s)
	now := &state{top: s.top, mem: append([]entry(nil), s.mem...), owner: new(token), leaked: s.leaked, general: s.general,
		epoch: s.epoch, shown: s.shown, shownIn: s.shownIn}
	s.owner = new(token) // what now holds is not written to any more
	to = x.reveal(s, to, from)
	for _, a := range to {
		x.push(s, a.obj, &spread{guard: x.b.And(a.guard, x.nonzero(n)), start: a.off, count: n, copied: &copied{now, from},
			at: func(off expr.Expr) (*value, error) {
				return x.read(now, x.narrowed(moved(x.b, from, off), x.b.Ult(off, n)), 1)
			}})
	}
}

func moved(b *expr.Builder, p []alt, by expr.Expr) []alt {
	out := make([]alt, len(p))
	for i, a := range p {
		out[i] = alt{guard: a.guard, obj: a.obj, off: b.Add(a.off, by)}
	}
	return out
}

// overlap is that two ranges of n bytes overlap but are not the same.
func (x *exec) overlap(p, q []alt, n expr.Expr) expr.Expr {
	b := x.b
	out := expr.False
	for _, v := range p {
		for _, w := range q {
			if v.obj != w.obj || isNumber(v.obj) {
				continue
			}
			near := b.Or(b.Ult(b.Sub(v.off, w.off), n), b.Ult(b.Sub(w.off, v.off), n))
			out = b.Or(out, b.AndAll(v.guard, w.guard, near, b.Ne(v.off, w.off)))
		}
	}
	return out
}

// copyRange copies bytes; all are read before the first is written.
func (x *exec) copyRange(s *state, to, from []alt, n expr.Expr, most int64) error {
	to = x.reveal(s, to, from)
	from, unknown := x.withoutWild(from)
	if len(from) > 0 {
		if err := x.copyKnown(s, to, from, n, most); err != nil {
			return err
		}
	}
	if unknown != expr.False {
		x.fillUnknown(s, to, unknown, n)
	}
	return nil
}

// reveal leaves out the addresses of to that came in as numbers. Code outside
// finds there what from holds.
func (x *exec) reveal(s *state, to, from []alt) []alt {
	to, beyond := x.withoutWild(to)
	if beyond == expr.False {
		return to
	}
	c := x.newClosure(s)
	for _, a := range from {
		c.content(s, a.obj)
	}
	c.run()
	s.leaked = union(s.leaked, c.exposed())
	return to
}

// withoutWild leaves out the addresses that came in as numbers, and says where they hold.
func (x *exec) withoutWild(at []alt) (rest []alt, wild expr.Expr) {
	wild = expr.False
	for _, a := range at {
		if a.obj == wildObject {
			wild = x.b.Or(wild, a.guard)
			continue
		}
		rest = append(rest, a)
	}
	return rest, wild
}

// fillUnknown writes n bytes that are not known, where when holds.
func (x *exec) fillUnknown(s *state, to []alt, when, n expr.Expr) {
	any := x.b.FreeArray("outside", 64, 8)
	x.markForeign(any, "")
	for _, a := range to {
		if isNumber(a.obj) {
			continue
		}
		x.push(s, a.obj, &spread{guard: x.b.AndAll(a.guard, when, x.nonzero(n)), start: a.off, count: n, alien: true,
			at: func(off expr.Expr) (*value, error) { return intValue(x.b.Read(any, off)), nil }})
	}
}

func (x *exec) copyKnown(s *state, to, from []alt, n expr.Expr, most int64) error {
	if len(to) == 0 {
		return nil
	}
	if ok, err := x.copySlots(s, to, from, n, most); ok || err != nil {
		return err
	}
	if x.wholeWord(to, from, n, most) {
		v, err := x.read(s, from, int(most))
		if err != nil {
			return err
		}
		return x.write(s, to, v, int(most))
	}
	vals := make([]*value, most)
	for i := range vals {
		in := x.b.Ult(x.b.Const(uint64(i), 64), n)
		v, err := x.read(s, x.narrowed(x.shiftAlts(from, int64(i)), in), 1)
		if err != nil {
			return err
		}
		vals[i] = v
	}
	for i, v := range vals {
		in := x.b.Ult(x.b.Const(uint64(i), 64), n)
		if err := x.write(s, x.narrowed(x.shiftAlts(to, int64(i)), in), v, 1); err != nil {
			return err
		}
	}
	return nil
}

// wholeWord reports whether a copy is best done as one value: a short one of
// known length, so that a pointer within stays a pointer.
func (x *exec) wholeWord(to, from []alt, n expr.Expr, most int64) bool {
	return x.b.IsConst(n) && most <= 8 && most&(most-1) == 0
}

// copySlots copies bytes as they are stored, where all places are numbers.
func (x *exec) copySlots(s *state, to, from []alt, n expr.Expr, most int64) (bool, error) {
	if len(to) != 1 || len(from) != 1 || !x.b.IsConst(n) || to[0].guard != expr.True {
		return false, nil
	}
	d, ok1 := x.b.Uint64(to[0].off)
	k, ok2 := x.b.Uint64(from[0].off)
	if !ok1 || !ok2 {
		return false, nil
	}
	slots := make([]slot, most)
	for i := range slots {
		var err error
		if slots[i], err = x.byteAt(s, from[0].obj, int64(k)+int64(i)); err != nil {
			return false, err
		}
	}
	l := x.ownTop(s, to[0].obj)
	for i, sl := range slots {
		x.setSlot(s, l, int64(d)+int64(i), sl)
	}
	return true, nil
}

func memSet(x *exec, c *callee) (*value, error) {
	x.noteVolatile(c)
	v := &value{e: x.resize(c.args[1].e, 8), poison: c.args[1].poison}
	if done, err := x.fillAll(c, v); done || err != nil {
		return c.args[0], err
	}
	n, most, err := x.length(c.s, c.args[2])
	if err != nil || most == 0 {
		return c.args[0], err
	}
	at, err := x.span(c.s, c.args[0], n, c.align(0), true)
	if err != nil {
		return nil, err
	}
	for i := int64(0); i < most; i++ {
		in := x.b.Ult(x.b.Const(uint64(i), 64), n)
		if err := x.write(c.s, x.narrowed(x.shiftAlts(at, i), in), v, 1); err != nil {
			return nil, err
		}
	}
	return c.args[0], nil
}

// fillAll enters a fill of unknown length as one write.
func (x *exec) fillAll(c *callee, v *value) (bool, error) {
	n := x.resize(c.args[2].e, 64)
	if x.b.IsConst(n) {
		return false, nil
	}
	if err := x.require(c.s, c.args[2].poison, UninitUse); err != nil {
		return true, err
	}
	at, err := x.span(c.s, c.args[0], n, c.align(0), true)
	if err != nil {
		return true, err
	}
	for _, a := range at {
		if a.obj == wildObject {
			continue
		}
		x.push(c.s, a.obj, &spread{guard: x.b.And(a.guard, x.nonzero(n)), start: a.off, count: n, alien: x.b.IsConst(v.e),
			at: func(expr.Expr) (*value, error) { return v, nil }})
	}
	return true, nil
}

// memCompare is memcmp and bcmp: the order of the first bytes that differ.
func memCompare(x *exec, c *callee) (*value, error) {
	n, most, err := x.length(c.s, c.args[2])
	if err != nil {
		return nil, err
	}
	width := c.in.Type.Bits
	out := x.b.Const(0, width)
	if most == 0 {
		return intValue(out), nil
	}
	p, err := x.span(c.s, c.args[0], n, 1, false)
	if err != nil {
		return nil, err
	}
	q, err := x.span(c.s, c.args[1], n, 1, false)
	if err != nil {
		return nil, err
	}
	poison := expr.False
	for i := most - 1; i >= 0; i-- {
		in := x.b.Ult(x.b.Const(uint64(i), 64), n)
		l, err := x.read(c.s, x.narrowed(x.shiftAlts(p, i), in), 1)
		if err != nil {
			return nil, err
		}
		r, err := x.read(c.s, x.narrowed(x.shiftAlts(q, i), in), 1)
		if err != nil {
			return nil, err
		}
		le, re := x.asInt(l), x.asInt(r)
		diff := x.b.Sub(x.b.ZExt(le, width), x.b.ZExt(re, width))
		out = x.b.ITE(x.b.And(in, x.b.Ne(le, re)), diff, out)
		poison = x.b.Or(poison, x.b.And(in, x.b.Or(l.poison, r.poison)))
	}
	if err := x.require(c.s, poison, UninitUse); err != nil {
		return nil, err
	}
	return intValue(x.someOrder(out)), nil
}

// someOrder returns any number with the sign of d: C says no more of memcmp.
func (x *exec) someOrder(d expr.Expr) expr.Expr {
	b, width := x.b, x.b.Width(d)
	any := b.Var("order", width)
	half := b.LShr(any, b.Const(1, width))
	more := b.ITE(b.IsZero(half), b.Const(1, width), half)
	return b.ITE(b.IsZero(d), d, b.ITE(b.Sign(d), b.Not(half), more))
}

// memChr looks for a byte. It touches no byte behind the one that it finds.
func memChr(x *exec, c *callee) (*value, error) {
	b := x.b
	n, most, err := x.length(c.s, c.args[2])
	if err != nil {
		return nil, err
	}
	if err := x.require(c.s, b.Or(c.args[1].poison, b.And(x.nonzero(n), c.args[0].poison)), UninitUse); err != nil {
		return nil, err
	}
	want := x.resize(c.args[1].e, 8)
	out := x.pointer(noObject, b.Const(0, 64))
	open := expr.True
	for i := int64(0); i < most; i++ {
		here := b.And(open, b.Ult(b.Const(uint64(i), 64), n))
		if here == expr.False { // none is looked at from here on
			break
		}
		p := x.shiftAlts(x.asPtr(c.args[0]), i)
		at, err := x.valid(c.s, x.narrowed(p, here), b.Const(1, 64), 1, false)
		if err != nil {
			return nil, err
		}
		v, err := x.read(c.s, at, 1)
		if err != nil {
			return nil, err
		}
		if err := x.require(c.s, b.And(here, v.poison), UninitUse); err != nil {
			return nil, err
		}
		found := b.And(here, b.Eq(x.asInt(v), want))
		out = x.choose(found, &value{ptr: p, poison: expr.False}, out)
		open = b.And(here, b.Not(found))
	}
	return out, nil
}

// strLen reads until the first zero byte.
func strLen(x *exec, c *callee) (*value, error) {
	b := x.b
	if err := x.requireSet(c.s, c.args[0].poison, PoisonUse, c.args[0]); err != nil {
		return nil, err
	}
	n, going := b.Const(0, 64), expr.True
	for i := int64(0); going != expr.False; i++ {
		if ok, _ := x.feasible(c.s, going); !ok {
			break
		}
		if i >= int64(x.cfg.LoopBound) {
			if err := x.give(c.s, going, &stop{reason: "string bound", bound: x.cfg.LoopBound}); err != nil {
				return nil, err
			}
			break
		}
		at, err := x.valid(c.s, x.narrowed(x.shiftAlts(x.asPtr(c.args[0]), i), going), b.Const(1, 64), 1, false)
		if err != nil {
			return nil, err
		}
		v, err := x.read(c.s, at, 1)
		if err != nil {
			return nil, err
		}
		if err := x.require(c.s, b.And(going, v.poison), UninitUse); err != nil {
			return nil, err
		}
		going = b.And(going, x.nonzero(x.asInt(v)))
		n = b.ITE(going, b.Const(uint64(i+1), 64), n)
	}
	return intValue(x.resize(n, c.in.Type.Bits)), nil
}
