package exec

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// minAlign is what every allocator of the kernel guarantees, in bytes.
const minAlign = 8

// allocate is kmalloc and its like: null, or fresh uninitialised memory.
func allocate(x *exec, c *callee) (*value, error) {
	if err := x.require(c.s, c.args[0].poison, UninitUse); err != nil {
		return nil, err
	}
	return x.fresh(c, x.resize(c.args[0].e, 64), x.zeroed(c, 1)), nil
}

// zeroFlag is __GFP_ZERO on the targets.
const zeroFlag = 1 << 8

// zeroed is whether an allocation's flags ask for zeroed memory.
func (x *exec) zeroed(c *callee, i int) expr.Expr {
	if i >= len(c.args) || c.name == "malloc" || c.name == "vmalloc" {
		return expr.False
	}
	f := c.args[i].e
	return x.b.Not(x.b.IsZero(x.b.And(f, x.b.Const(zeroFlag, x.b.Width(f)))))
}

// fresh returns null or a new object, for the function that is called.
func (x *exec) fresh(of *callee, size, zero expr.Expr) *value {
	s := of.s
	x.note("an allocation returns null or memory of its own")
	c := &base{}
	if zero == expr.True {
		c.kind = baseZero
	}
	id := x.newObject(info{kind: objHeap, name: "heap", size: size, align: minAlign, base: c, family: family(of.name)})
	x.own(s, id)
	x.infos[id].zeroed = zero
	if zero != expr.True && zero != expr.False {
		x.push(s, id, &spread{guard: zero, start: x.b.Const(0, 64), count: size, alien: true,
			at: func(expr.Expr) (*value, error) { return intValue(x.b.Const(0, 8)), nil }})
	}
	fail := x.ask(s, "fail", 1, expr.True)
	x.infos[id].exists = x.b.Not(fail)
	x.stats.PeakObjects = max(x.stats.PeakObjects, int64(len(s.mem)))
	null := []alt{{guard: expr.True, obj: noObject, off: x.b.Const(0, 64)}}
	return &value{ptr: x.choosePtr(fail, null, x.pointer(id, x.b.Const(0, 64)).ptr), poison: expr.False}
}

// release is kfree: null, or the start of a live heap object.
func release(x *exec, c *callee) (*value, error) {
	return nil, x.free(c, c.args[0], expr.True)
}

// family is the allocator that a function belongs to.
func family(name string) string {
	name = strings.TrimPrefix(name, "rust_helper_")
	for _, f := range []string{kvFamily, "v", "k", "dma_"} {
		if strings.HasPrefix(name, f) {
			return f
		}
	}
	if strings.HasPrefix(name, "bitmap_") {
		return "k"
	}
	return "libc"
}

// kvFamily takes memory from either of two others, and takes it back.
const kvFamily = "kv"

// takesBack reports whether a function of one family frees what one of another has allocated.
func takesBack(by, from string) bool {
	return by == from || by == kvFamily && (from == "k" || from == "v")
}

// free ends the life of what p points to, where cond holds, for the function that is called.
func (x *exec) free(of *callee, p *value, when expr.Expr) error {
	b, s, by := x.b, of.s, family(of.name)
	if err := x.requireSet(s, b.And(when, p.poison), PoisonUse, p); err != nil {
		return err
	}
	bad, twice := expr.False, expr.False
	for _, a := range x.asPtr(p) {
		switch {
		case a.obj == wildObject && x.madeOfAddresses(a.off):
			if err := x.give(s, b.And(when, a.guard), &stop{reason: "free of an address that came in as a number"}); err != nil {
				return err
			}
		case a.obj == wildObject:
			x.loosen(s, b.And(when, a.guard), "free of an address that came in as a number")
		case a.obj == noObject:
			bad = b.Or(bad, b.AndAll(a.guard, x.nonzero(a.off), b.Ne(a.off, b.Const(zeroSizePtr, 64))))
		case !x.allocated(a.obj) || x.infos[a.obj].kind == objHeap && !takesBack(by, x.infos[a.obj].family):
			bad = b.Or(bad, a.guard)
		default:
			bad = b.Or(bad, b.And(a.guard, x.nonzero(a.off)))
		}
		twice = b.Or(twice, b.And(a.guard, x.deadOf(s, a.obj)))
	}
	if err := x.require(s, b.And(when, twice), DoubleFree); err != nil {
		return err
	}
	if err := x.require(s, b.And(when, bad), BadFree); err != nil {
		return err
	}
	x.touches(s, x.narrowed(x.asPtr(p), when), true)
	for _, a := range x.asPtr(p) {
		if x.allocated(a.obj) {
			x.note("addresses of freed memory are not given out again")
			if x.infos[a.obj].kind == objInput {
				x.note(freedInputs)
			}
			o := x.own(s, a.obj)
			o.dead = b.Or(o.dead, b.And(when, a.guard))
		}
	}
	return nil
}

// freedInputs is what is assumed of memory that came in and is freed. To take that
// for a failure would leave nothing to prove of the code behind it.
const freedInputs = "inputs that are freed came from the allocator that frees them"

// allocated reports whether an object may have come from an allocator.
func (x *exec) allocated(obj int) bool {
	return x.infos[obj].kind == objHeap || x.infos[obj].kind == objInput
}

// reallocate is krealloc(p, size, ..., flags, ...): size 0 frees; null as p
// allocates; else null and p stays, or memory of its own with p's content and p is freed.
func reallocate(x *exec, c *callee) (*value, error) {
	b := x.b
	p, size := c.args[0], x.resize(c.args[1].e, 64)
	flags := 2
	if len(c.args) > 3 {
		flags = 3 // (p, size, align, flags, node)
	}
	if err := x.require(c.s, b.Or(p.poison, c.args[1].poison), UninitUse); err != nil {
		return nil, err
	}
	none := b.IsZero(size)
	if none == expr.True {
		return x.nothingOf(c), x.free(c, p, expr.True)
	}
	v := x.fresh(c, size, b.And(x.zeroed(c, flags), x.wasZeroed(p)))
	got := expr.False
	for _, a := range v.ptr {
		if !isNumber(a.obj) {
			got = a.guard
		}
	}
	if len(c.args) > 3 {
		x.align(v, c.args[2])
	}
	if err := x.moveContent(c.s, p, v, size, got); err != nil {
		return nil, err
	}
	if err := x.free(c, p, b.Or(none, got)); err != nil {
		return nil, err
	}
	return x.choose(none, x.nothingOf(c), v), nil
}

// wasZeroed says where the memory of p was asked for zeroed, or p is none. Only then does
// a reallocation zero what it adds: it may have had room behind p, with anything in it.
func (x *exec) wasZeroed(p *value) expr.Expr {
	out := expr.False
	for _, a := range x.asPtr(p) {
		switch o := x.infos[a.obj]; {
		case a.obj == noObject:
			out = x.b.Or(out, a.guard)
		case o.kind == objHeap:
			out = x.b.Or(out, x.b.And(a.guard, o.zeroed))
		}
	}
	return out
}

// nothingOf is what a reallocation to no bytes returns: vrealloc returns null.
func (x *exec) nothingOf(c *callee) *value {
	addr := x.b.Const(zeroSizePtr, 64)
	switch name := strings.TrimPrefix(c.name, "rust_helper_"); {
	case strings.HasPrefix(name, "vrealloc"):
		addr = x.b.Const(0, 64)
	case strings.HasPrefix(name, "kvrealloc"): // whose memory it was is not known
		v := x.b.Var("vmalloc", 1)
		x.foreign[x.b.Support(v)[0]] = "any result of " + c.name
		x.likely = append(x.likely, x.b.Not(v))
		addr = x.b.ITE(v, x.b.Const(0, 64), addr)
	}
	return x.pointer(noObject, addr)
}

// zeroSizePtr is what the kernel's allocators return for no bytes.
const zeroSizePtr = 16

// align raises the alignment of a fresh object to the one asked for, if it is a number.
func (x *exec) align(v, asked *value) {
	n, ok := x.b.Uint64(asked.e)
	if !ok || n > 1<<20 || n&(n-1) != 0 {
		return
	}
	for _, a := range v.ptr {
		if !isNumber(a.obj) {
			x.infos[a.obj].align = max(x.infos[a.obj].align, int64(n))
		}
	}
}

// moveContent copies what fits from an old allocation to its successor.
func (x *exec) moveContent(s *state, p, v *value, size, got expr.Expr) error {
	b := x.b
	for _, a := range x.asPtr(p) {
		if a.obj == wildObject {
			x.fillUnknown(s, v.ptr, b.And(got, a.guard), size)
			continue
		}
		if !x.allocated(a.obj) {
			continue
		}
		n := b.UMin(x.infos[a.obj].size, size)
		from := []alt{{guard: expr.True, obj: a.obj, off: b.Const(0, 64)}}
		for _, w := range v.ptr {
			if isNumber(w.obj) {
				continue
			}
			to := []alt{{guard: b.And(got, a.guard), obj: w.obj, off: b.Const(0, 64)}}
			if err := x.copyWhole(s, to, from, n); err != nil {
				return err
			}
		}
	}
	return nil
}
