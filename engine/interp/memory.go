package interp

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
)

// prov is a pointer's provenance: the object's index in memory.objects in the
// low half, its generation in the high half. Zero is unknown: the pointer came
// out of an integer and may access whatever object lies at its address.
type prov uint64

func (p prov) index() int { return int(uint32(p)) }

// object is a range of memory. Indices are used again after its death, with a
// new generation; addresses never are.
type object struct {
	base    uint64
	size    uint64
	data    []byte
	undef   []byte  // non-zero where the byte is undefined; nil: all bytes are defined
	ptrs    []ptrAt // provenance of the pointers stored in it, by offset
	gen     uint32
	live    bool
	kind    objectKind
	zeroed  bool     // asked for so, and what it took the place of too
	name    string   // of an external object
	giver   string   // of an allocation: the function that made it
	pending *pending // content of an input that was not looked at yet
	input   string   // name of an input with unasked bytes
}

type objectKind uint8

const (
	variable objectKind = iota
	constant            // may not be written
	heap                // may be freed
	local               // alloca
	external            // defined in C: no known content
	token               // panic location: no content
	input               // behind a pointer of a root: it may have come from the allocator
)

// Marks of bytes of inputs, beside 1 for an undefined byte.
const (
	unknown = 2 // its type is not understood: it is taken for zero, and the run says so
	unasked = 3 // any value, which the source is asked for when it is first read
)

type ptrAt struct {
	off int
	p   prov
}

// The address space. Objects lie at least guard bytes apart, so that one
// object's end is never another's start.
const (
	firstPage  = 4096
	codeBase   = 0xffff_ffff_8100_0000
	dataBase   = 0xffff_8880_0000_1000
	guard      = 32
	codeStride = 16
)

type memory struct {
	objects []object
	dead    []int // indices to use again
	next    uint64
	far     uint64 // where the next object goes that is too large for the data
	used    int64
	limit   int64
}

// init lays out the globals: object 1+i is global i.
func (mem *memory) init(p *Program, limit int64) {
	mem.limit = limit
	mem.next = p.end
	mem.objects = make([]object, len(p.globals), len(p.globals)+8)
	copy(mem.objects, p.globals)
	for i := range mem.objects {
		o := &mem.objects[i]
		if o.kind == variable {
			o.data = slices.Clone(o.data)
			o.undef = slices.Clone(o.undef)
			o.ptrs = slices.Clone(o.ptrs)
		}
	}
}

// alloc makes an object with undefined content. It reports false when the
// limit is reached.
func (mem *memory) alloc(size, align int64, kind objectKind) (prov, bool) {
	if mem.used+size+guard > mem.limit {
		return 0, false
	}
	mem.used += size + guard
	i := mem.index()
	o := &mem.objects[i]
	o.base = aligned(mem.next, align)
	mem.next = o.base + uint64(size) + guard
	o.size = uint64(size)
	o.data = fit(o.data, size)
	o.undef = fit(o.undef, size)
	o.ptrs = o.ptrs[:0]
	o.gen++
	o.live, o.kind, o.zeroed, o.name, o.pending, o.input = true, kind, false, "", nil, ""
	clear(o.data)
	fill(o.undef, 1)
	return prov(uint64(o.gen)<<32 | uint64(i)), true
}

// index is that of an object that is to be made.
func (mem *memory) index() int {
	if n := len(mem.dead); n > 0 {
		i := mem.dead[n-1]
		mem.dead = mem.dead[:n-1]
		return i
	}
	mem.objects = append(mem.objects, object{})
	return len(mem.objects) - 1
}

func aligned(addr uint64, align int64) uint64 {
	a := uint64(max(align, 1))
	return (addr + a - 1) &^ (a - 1)
}

// Objects of any size lie here. They have bytes only at their beginning.
const (
	farBase = 1 << 32
	farEnd  = codeBase &^ (1<<47 - 1)
)

// allocFar makes a variable of size bytes of which only the first held ones can be touched.
func (mem *memory) allocFar(size uint64, held, align int64) (prov, bool) {
	base := aligned(max(mem.far, farBase), align)
	if base > farEnd || size > farEnd-base-guard {
		return 0, false
	}
	p, ok := mem.alloc(held, align, variable)
	if ok {
		o := &mem.objects[p.index()]
		o.base, o.size = base, size
		mem.far = base + size + guard
	}
	return p, ok
}

func fit(b []byte, n int64) []byte {
	if int64(cap(b)) >= n {
		return b[:n]
	}
	return make([]byte, n)
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// free ends an object's life.
func (mem *memory) free(p prov) {
	o := &mem.objects[p.index()]
	if o.gen != uint32(p>>32) {
		return
	}
	mem.used -= int64(len(o.data)) + guard
	o.live = false
	o.gen++
	if cap(o.data) > 1<<16 {
		o.data, o.undef, o.ptrs = nil, nil, nil
	}
	mem.dead = append(mem.dead, p.index())
}

// lookup returns the object of p, or nil if it is dead or p is unknown.
func (mem *memory) lookup(p prov) *object {
	if p == 0 {
		return nil
	}
	o := &mem.objects[p.index()]
	if o.gen != uint32(p>>32) {
		return nil
	}
	return o
}

// at finds the live object that holds [addr, addr+size).
func (mem *memory) at(addr uint64, size int64) (prov, *object) {
	for i := range mem.objects {
		o := &mem.objects[i]
		if !o.live || addr < o.base {
			continue
		}
		if off := addr - o.base; off <= o.size && uint64(size) <= o.size-off {
			return prov(uint64(o.gen)<<32 | uint64(i)), o
		}
	}
	return 0, nil
}

// wipe makes the whole object undefined.
func (o *object) wipe() {
	clear(o.data)
	fill(o.undef, 1)
	o.ptrs = o.ptrs[:0]
}

// read returns n <= 8 bytes at off as a little-endian slot without provenance.
func (o *object) read(off, n int) slot {
	if n == 8 {
		s := slot{v: binary.LittleEndian.Uint64(o.data[off:])}
		if o.undef != nil && binary.LittleEndian.Uint64(o.undef[off:]) != 0 {
			s.u = o.mask(off, n)
		}
		return s
	}
	var s slot
	for i := range n {
		s.v |= uint64(o.data[off+i]) << (8 * i)
	}
	if o.undef != nil {
		s.u = o.mask(off, n)
	}
	return s
}

func (o *object) hasUnknown(off, n int) bool {
	return o.undef != nil && bytes.IndexByte(o.undef[off:off+n], unknown) >= 0
}

func (o *object) mask(off, n int) uint8 {
	var u uint8
	for i := range n {
		if o.undef[off+i] != 0 {
			u |= 1 << i
		}
	}
	return u
}

// write stores the low n <= 8 bytes of s at off, without provenance.
func (o *object) write(off, n int, s slot) {
	o.forget(off, n)
	if s.u != 0 && o.undef == nil {
		o.undef = make([]byte, len(o.data))
	}
	if n == 8 && s.u == 0 {
		binary.LittleEndian.PutUint64(o.data[off:], s.v)
		if o.undef != nil {
			binary.LittleEndian.PutUint64(o.undef[off:], 0)
		}
		return
	}
	for i := range n {
		o.data[off+i] = byte(s.v >> (8 * i))
		if o.undef != nil {
			o.undef[off+i] = s.u >> i & 1
		}
	}
}

// provAt returns the provenance of a pointer stored at off.
func (o *object) provAt(off int) prov {
	if len(o.ptrs) == 0 {
		return 0
	}
	i := o.search(off)
	if i < len(o.ptrs) && o.ptrs[i].off == off {
		return o.ptrs[i].p
	}
	return 0
}

// search returns the index of the first pointer at or after off.
func (o *object) search(off int) int {
	if len(o.ptrs) < 8 {
		for i := range o.ptrs {
			if o.ptrs[i].off >= off {
				return i
			}
		}
		return len(o.ptrs)
	}
	return sort.Search(len(o.ptrs), func(i int) bool { return o.ptrs[i].off >= off })
}

func (o *object) setProv(off int, p prov) {
	if p != 0 {
		o.ptrs = slices.Insert(o.ptrs, o.search(off), ptrAt{off, p})
	}
}

// forget drops the provenance of pointers that overlap [off, off+n).
func (o *object) forget(off, n int) {
	if len(o.ptrs) == 0 {
		return
	}
	lo, hi := o.search(off-7), o.search(off+n)
	o.ptrs = slices.Delete(o.ptrs, lo, hi)
}

// move copies n bytes with their undefinedness and provenance; the ranges may overlap.
func move(dst *object, to int, src *object, from, n int) {
	var moved []ptrAt
	if len(src.ptrs) > 0 {
		for _, q := range src.ptrs[src.search(from):] {
			if q.off+8 > from+n {
				break
			}
			moved = append(moved, ptrAt{q.off - from + to, q.p})
		}
	}
	dst.forget(to, n)
	copy(dst.data[to:to+n], src.data[from:from+n])
	switch {
	case src.undef != nil:
		if dst.undef == nil {
			dst.undef = make([]byte, len(dst.data))
		}
		copy(dst.undef[to:to+n], src.undef[from:from+n])
	case dst.undef != nil:
		clear(dst.undef[to : to+n])
	}
	for _, q := range moved {
		dst.setProv(q.off, q.p)
	}
}
