package interp

import (
	"bytes"
	"math/big"
	"strings"
)

// cModels are the C functions that a run may call, and those of the check crate.
var cModels = map[string]*modelled{
	"kvfarm_assume": {1, nought, kvAssume}, "kvfarm_assert": {1, nought, kvAssert},
	"kvfarm_any_bytes": {2, nought, anyBytes}, "kvfarm_any_bool": {0, number, anyBool},
	"kvfarm_any_u8": {0, number, anyValue}, "kvfarm_any_u16": {0, number, anyValue}, "kvfarm_any_u32": {0, number, anyValue},
	"kvfarm_any_u64": {0, number, anyValue}, "kvfarm_any_u128": {0, number, anyValue}, "kvfarm_any_usize": {0, number, anyValue},
	"memcpy": {3, same, returning(memcpy)}, "memmove": {3, same, returning(memmove)}, "memset": {3, same, returning(memset)},
	"memcmp": {3, number, memcmp}, "bcmp": {3, number, memcmp}, "strlen": {1, word, strlen}, "memchr": {3, word, memchr},
	"kmalloc": {2, word, kmalloc}, "vmalloc": {1, word, alloc},
	"krealloc":                   {3, word, realloc},
	"krealloc_node_align_noprof": {4, word, realloc}, "rust_helper_krealloc_node_align": {4, word, realloc},
	"kvrealloc_node_align_noprof": {4, word, realloc}, "rust_helper_kvrealloc_node_align": {4, word, realloc},
	"vrealloc_node_align_noprof": {4, word, vrealloc}, "rust_helper_vrealloc_node_align": {4, word, vrealloc},
	"rust_helper_krealloc": {3, word, realloc}, "rust_helper_kvrealloc": {3, word, realloc}, "rust_helper_vrealloc": {3, word, vrealloc}, // 6.12
	"kfree": {1, nought, free}, "kvfree": {1, nought, free}, "vfree": {1, nought, free},
	"rust_helper_kfree": {1, nought, free}, "rust_helper_kvfree": {1, nought, free}, "rust_helper_vfree": {1, nought, free},
}

func anyValue(m *machine, in *inst, _ []argument) *Outcome {
	return m.anyOf(in, int(widthOf(in.x.ir.Type)))
}

// anyBool asks for 0 or 1; the C type behind it may be wider than a bit.
func anyBool(m *machine, in *inst, _ []argument) *Outcome { return m.anyOf(in, 1) }

// anyOf asks for a number of which only the lowest free bits may be set.
func (m *machine) anyOf(in *inst, free int) *Outcome {
	w := widthOf(in.x.ir.Type)
	v, o := m.dynamic("any", int(w), free)
	if o != nil {
		return o
	}
	return m.result(in, v, w)
}

func anyBytes(m *machine, _ *inst, a []argument) *Outcome {
	n, end := m.span(a[1])
	if end != nil || n == 0 {
		return end
	}
	return m.inputs(*m.get(a[0].at), n)
}

// inputs fills n bytes at p with inputs of the run.
func (m *machine) inputs(p slot, n int64) *Outcome {
	o, off, end := m.access(p, n, 1, writing)
	if end != nil {
		return end
	}
	for i := range int(n) {
		v, end := m.dynamic("any", 8, 8)
		if end != nil {
			return end
		}
		o.write(off+i, 1, slot{v: v.Uint64()})
	}
	return nil
}

func kvAssume(m *machine, _ *inst, a []argument) *Outcome {
	switch c := m.get(a[0].at); {
	case c.u != 0:
		return m.ub(UBUninit, "assumption is undefined")
	case c.v == 0:
		return m.end(AssumeFailed, "")
	}
	return nil
}

func kvAssert(m *machine, _ *inst, a []argument) *Outcome {
	switch c := m.get(a[0].at); {
	case c.u != 0:
		return m.ub(UBUninit, "assertion is undefined")
	case c.v == 0:
		return m.end(AssertFailed, "assert")
	}
	return nil
}

// maxLength is more than fits any object, in bytes.
const maxLength = 1 << 40

// length reads a size argument, up to maxLength.
func (m *machine) length(a argument) (int64, *Outcome) {
	n := m.get(a.at)
	if n.u != 0 {
		return 0, m.ub(UBUninit, "length is undefined")
	}
	return int64(min(n.v, maxLength)), nil
}

// span is the length of what an instruction goes over.
func (m *machine) span(a argument) (int64, *Outcome) {
	n, end := m.length(a)
	m.touch(n)
	return n, end
}

// bytesPerStep is how many bytes are filled or copied in about the time of an
// instruction.
const bytesPerStep = 16

// touch counts steps for n bytes that one instruction goes over, so that a run
// ends in bounded time whatever it does in each step.
func (m *machine) touch(n int64) { m.left -= min(m.left, n/bytesPerStep) }

// returning makes the C function out of LLVM's: it returns its first argument.
func returning(f model) model {
	return func(m *machine, in *inst, a []argument) *Outcome {
		if o := f(m, in, a); o != nil || in.dst < 0 {
			return o
		}
		return passFirst(m, in, a)
	}
}

func memcpy(m *machine, in *inst, a []argument) *Outcome { return m.transfer(a, false) }

func memmove(m *machine, in *inst, a []argument) *Outcome { return m.transfer(a, true) }

// transfer copies bytes with what they are: padding stays undefined, pointers
// keep their provenance.
func (m *machine) transfer(a []argument, overlap bool) *Outcome {
	n, end := m.span(a[2])
	if end != nil || n == 0 {
		return end
	}
	to, from := *m.get(a[0].at), *m.get(a[1].at)
	if _, _, end = m.access(to, n, 1, writing); end != nil {
		return end
	}
	src, i, end := m.access(from, n, 1, reading)
	if end != nil {
		return end
	}
	dst, j, _ := m.access(to, n, 1, writing)
	if !overlap && src == dst && i != j && max(i, j)-min(i, j) < int(n) {
		return m.ub(UBOverlap, "")
	}
	move(dst, j, src, i, int(n))
	return nil
}

func memset(m *machine, in *inst, a []argument) *Outcome {
	n, end := m.span(a[2])
	if end != nil || n == 0 {
		return end
	}
	o, off, end := m.access(*m.get(a[0].at), n, 1, writing)
	if end != nil {
		return end
	}
	v := m.get(a[1].at)
	o.set(off, int(n), byte(v.v), v.u != 0)
	return nil
}

// set fills a range with one byte.
func (o *object) set(off, n int, v byte, undef bool) {
	o.forget(off, n)
	fill(o.data[off:off+n], v)
	if undef && o.undef == nil {
		o.undef = make([]byte, len(o.data))
	}
	if o.undef != nil {
		fill(o.undef[off:off+n], byte(bit(undef)))
	}
}

// defined checks that a range is wholly defined and returns its bytes.
func (m *machine) defined(p slot, n int64) ([]byte, *Outcome) {
	if n == 0 {
		return nil, nil
	}
	o, off, end := m.access(p, n, 1, reading)
	if end != nil {
		return nil, end
	}
	if o.undef != nil && bytes.IndexByte(o.undef[off:off+int(n)], 1) >= 0 {
		return nil, m.ub(UBUninit, "byte is undefined")
	}
	return o.data[off : off+int(n)], nil
}

func memcmp(m *machine, in *inst, a []argument) *Outcome {
	n, end := m.span(a[2])
	if end != nil {
		return end
	}
	x, end := m.defined(*m.get(a[0].at), n)
	if end != nil {
		return end
	}
	y, end := m.defined(*m.get(a[1].at), n)
	if end != nil {
		return end
	}
	return m.result(in, big.NewInt(int64(bytes.Compare(x, y))), widthOf(in.x.ir.Type))
}

func strlen(m *machine, in *inst, a []argument) *Outcome {
	p := *m.get(a[0].at)
	for n := uint64(0); ; n++ {
		b, end := m.defined(slot{v: p.v + n, p: p.p, u: p.u}, 1)
		if end != nil {
			return end
		}
		if b[0] == 0 {
			return m.set(in, n)
		}
	}
}

func memchr(m *machine, in *inst, a []argument) *Outcome {
	n, end := m.span(a[2])
	if end != nil {
		return end
	}
	p, want := *m.get(a[0].at), byte(m.get(a[1].at).v)
	for i := range uint64(n) {
		at := slot{v: p.v + i, p: p.p, u: p.u}
		b, end := m.defined(at, 1)
		if end != nil {
			return end
		}
		if b[0] == want {
			m.regs[in.dst] = at
			return nil
		}
	}
	return m.set(in, 0)
}

const (
	gfpZero     = 1 << 8
	zeroSizePtr = 16 // what the kernel's allocators return for no bytes
	minAlign    = 8
)

// kmalloc is alloc, but for no bytes it returns a certain address.
func kmalloc(m *machine, in *inst, a []argument) *Outcome {
	if end := alloc(m, in, a); end != nil {
		return end
	}
	if o := m.mem.lookup(m.regs[in.dst].p); o != nil && o.size == 0 {
		o.base, m.regs[in.dst].v = zeroSizePtr, zeroSizePtr
	}
	return nil
}

// alloc is vmalloc(size) and kmalloc(size, flags).
func alloc(m *machine, in *inst, a []argument) *Outcome {
	size, end := m.length(a[0])
	if end != nil {
		return end
	}
	_, end = m.fresh(in, size, minAlign, len(a) > 1 && m.get(a[1].at).v&gfpZero != 0)
	return end
}

// fresh makes an allocation, or null where fail#N says so, as the result. ok
// is false for null.
func (m *machine) fresh(in *inst, size, align int64, zero bool) (ok bool, end *Outcome) {
	failed, end := m.dynamic("fail", 1, 1)
	if end != nil {
		return false, end
	}
	if failed.Sign() != 0 {
		return false, m.set(in, 0)
	}
	p, ok := m.mem.alloc(size, align, heap)
	if !ok {
		return false, m.end(OutOfSteps, "memory")
	}
	o := &m.mem.objects[p.index()]
	m.touch(int64(len(o.data)))
	o.giver = m.called
	if o.zeroed = zero; zero {
		o.set(0, len(o.data), 0, false)
	}
	m.regs[in.dst] = slot{v: o.base, p: p}
	return true, nil
}

func realloc(m *machine, in *inst, a []argument) *Outcome { return m.resize(in, a, zeroSizePtr) }

func vrealloc(m *machine, in *inst, a []argument) *Outcome { return m.resize(in, a, 0) }

// resize is krealloc(ptr, size, flags), and k-, v- and
// kvrealloc_node_align(ptr, size, align, flags, node). It may fail, and then
// the old object stays. none is what it returns for no bytes.
func (m *machine) resize(in *inst, a []argument, none uint64) *Outcome {
	old := *m.get(a[0].at)
	size, end := m.length(a[1])
	if end != nil {
		return end
	}
	if end := m.freeable(old); end != nil {
		return end
	}
	if size == 0 {
		m.release(old)
		return m.set(in, none)
	}
	align, flags := int64(minAlign), uint64(0)
	if len(a) > 3 {
		align, flags = int64(min(max(m.get(a[2].at).v, minAlign), 1<<30)), m.get(a[3].at).v
	} else {
		flags = m.get(a[2].at).v
	}
	return m.regrow(in, old, size, align, flags&gfpZero != 0)
}

// regrow makes an allocation that takes the place of old, which may be null.
func (m *machine) regrow(in *inst, old slot, size, align int64, zero bool) *Outcome {
	was := m.mem.lookup(old.p)
	ok, end := m.fresh(in, size, align, zero && (old.v <= zeroSizePtr || was != nil && was.zeroed))
	if end != nil || !ok {
		return end
	}
	if was = m.mem.lookup(old.p); was != nil {
		n := min(was.size, uint64(size))
		if was.kind == input && n > 0 {
			if _, _, end := m.access(old, int64(n), 1, reading); end != nil {
				return end
			}
		}
		move(m.mem.lookup(m.regs[in.dst].p), 0, m.mem.lookup(old.p), 0, int(n))
	}
	m.release(old)
	return nil
}

func free(m *machine, _ *inst, a []argument) *Outcome {
	p := *m.get(a[0].at)
	if end := m.freeable(p); end != nil {
		return end
	}
	m.release(p)
	return nil
}

// freeable accepts null, the address that stands for no bytes, and the start
// of a live allocation.
func (m *machine) freeable(p slot) *Outcome {
	if p.u != 0 {
		return m.ub(UBAddress, "")
	}
	if p.p == 0 && (p.v == 0 || p.v == zeroSizePtr) {
		return nil
	}
	if p.p == 0 {
		p.p, _ = m.mem.at(p.v, 0)
	}
	switch o := m.mem.lookup(p.p); {
	case p.p == 0:
		return m.ub(UBFree, "no object at %#x", p.v)
	case o == nil:
		return m.ub(UBDouble, "freed before")
	case o.kind != heap && o.kind != input || o.base != p.v:
		return m.ub(UBFree, "not the start of an allocation")
	case o.kind == heap && !mayFree(m.called, o.giver):
		return m.ub(UBFree, "%s frees what %s allocated", m.called, o.giver)
	}
	return nil
}

// The kernel has two allocators, and functions that use either, beside the library's.
const (
	slab   = 1 << iota // kmalloc
	vmap               // vmalloc
	mapped             // for devices
	libc
)

// allocators are those that a function may have to do with.
func allocators(symbol string) int {
	switch name := strings.TrimPrefix(symbol, "rust_helper_"); {
	case strings.HasPrefix(name, "kv"):
		return slab | vmap
	case strings.HasPrefix(name, "k"), strings.HasPrefix(name, "bitmap"):
		return slab
	case strings.HasPrefix(name, "v"):
		return vmap
	case strings.HasPrefix(name, "dma"):
		return mapped
	}
	return libc
}

// mayFree reports whether one function frees whatever the other may have allocated.
func mayFree(by, giver string) bool { return allocators(giver)&^allocators(by) == 0 }

func (m *machine) release(p slot) {
	if p.p == 0 {
		p.p, _ = m.mem.at(p.v, 0)
	}
	if p.p != 0 {
		m.mem.free(p.p)
	}
}
