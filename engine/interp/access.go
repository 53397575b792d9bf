package interp

import (
	"errors"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

type purpose uint8

const (
	reading purpose = iota
	writing
)

var bounds = [...]string{reading: UBBoundsLoad, writing: UBBoundsStore}

// access checks one access of n > 0 bytes through p and finds where it goes.
func (m *machine) access(p slot, n, align int64, why purpose) (*object, int, *Outcome) {
	if p.u != 0 {
		return nil, 0, m.ub(UBAddress, "")
	}
	if p.p == 0 {
		if p.v < firstPage {
			return nil, 0, m.ub(UBNull, "address %#x", p.v)
		}
		if p.p, _ = m.mem.at(p.v, n); p.p == 0 {
			return nil, 0, m.ub(UBNull, "no object at %#x", p.v)
		}
	}
	o := m.mem.lookup(p.p)
	if o == nil || !o.live {
		return nil, 0, m.ub(UBDead, "")
	}
	if end := m.hollow(o); end != nil {
		return nil, 0, end
	}
	off := p.v - o.base
	if off > o.size || uint64(n) > o.size-off {
		if p.v < firstPage && o.base != zeroSizePtr {
			return nil, 0, m.ub(UBNull, "address %#x", p.v)
		}
		return nil, 0, m.ub(bounds[why], "%d bytes at offset %d of %d", n, int64(off), o.size)
	}
	if off+uint64(n) > uint64(len(o.data)) && o.data != nil {
		return nil, 0, m.unsupported("byte %d of an input object of %d", off, o.size)
	}
	if align > 1 && p.v%uint64(align) != 0 {
		return nil, 0, m.ub(UBAlign, "address %#x, alignment %d", p.v, align)
	}
	if o.kind == constant && why == writing {
		return nil, 0, m.ub(UBConst, "")
	}
	if o.pending != nil {
		if end := m.materialize(p.p); end != nil {
			return nil, 0, end
		}
		o = m.mem.lookup(p.p)
	}
	if why == reading && o.hasUnknown(int(off), int(n)) {
		m.guess(o, int(off), int(n))
	}
	if o.input != "" && why == reading {
		if end := m.ask(o, int(off), int(n)); end != nil {
			return nil, 0, end
		}
	}
	return o, int(off), nil
}

// guess takes bytes of a type that is not understood for zero.
func (m *machine) guess(o *object, off, n int) {
	m.guessed = true
	for i := off; i < off+n; i++ {
		if o.undef[i] == unknown {
			o.write(i, 1, slot{})
		}
	}
}

// hollow refuses an object whose content is not known.
func (m *machine) hollow(o *object) *Outcome {
	switch o.kind {
	case external:
		return m.unsupported("extern object: %s", o.name)
	case token:
		return m.unsupported("content of a panic location")
	}
	return nil
}

func decodeAlloca(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.imm, c.do = in.Size, doAlloca
	c.b = -1
	if len(in.Args) > 0 {
		c.b = 0
		c.width = widthOf(in.Args[0].Type)
		return d.operands(in.Args, &c.a)
	}
	return nil
}

func doAlloca(m *machine, in *inst) *Outcome {
	size := in.imm
	if in.b == 0 {
		n := m.get(in.a)
		if n.u != 0 {
			return m.ub(UBUninit, "number of elements is undefined")
		}
		if size > 0 && n.v > uint64(m.mem.limit/size) {
			return m.end(OutOfSteps, "memory")
		}
		size *= int64(n.v)
	}
	p, ok := m.mem.alloc(size, in.align, local)
	if !ok {
		return m.end(OutOfSteps, "memory")
	}
	m.touch(size)
	m.cur.locals = append(m.cur.locals, p)
	m.regs[in.dst] = slot{v: m.mem.objects[p.index()].base, p: p}
	return nil
}

// decodeShape prepares the access to a value of type t in memory.
func (c *inst) decodeShape(t *ir.Type) error {
	shape, err := flatten(t)
	if err != nil {
		return err
	}
	if len(shape) == 0 {
		return errors.New("access of no bytes")
	}
	last := shape[len(shape)-1]
	c.imm = last.off + int64(last.bits+7)/8
	c.x = &extra{shape: shape}
	c.width = shape[0].bits
	return nil
}

func decodeLoad(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := c.decodeShape(in.Type); err != nil {
		return err
	}
	c.do = doLoad
	if len(c.x.shape) == 1 && c.width <= 64 {
		c.do = doLoadWord
	}
	c.x.meta = promiseOf(in.Meta, in.Type)
	return d.operands(in.Args, &c.a)
}

func doLoadWord(m *machine, in *inst) *Outcome {
	o, off, end := m.access(*m.get(in.a), in.imm, in.align, reading)
	if end != nil {
		return end
	}
	v := o.load(off, in.width, in.x.shape[0].ptr)
	m.regs[in.dst] = v
	if in.x.meta != nil {
		return m.keep(in.x.meta, m.regs[in.dst:in.dst+1])
	}
	return nil
}

func doLoad(m *machine, in *inst) *Outcome {
	o, off, end := m.access(*m.get(in.a), in.imm, in.align, reading)
	if end != nil {
		return end
	}
	for _, s := range in.x.shape {
		for i := range s.limbs() {
			width := min(64, s.bits-int32(64*i))
			m.regs[int(in.dst)+s.slot+i] = o.load(off+int(s.off)+8*i, width, s.ptr)
		}
	}
	if in.x.meta != nil {
		return m.keep(in.x.meta, m.regs[in.dst:in.dst+in.n])
	}
	return nil
}

// load reads one scalar of at most 64 bits.
func (o *object) load(off int, width int32, ptr bool) slot {
	s := o.read(off, int(width+7)/8)
	if ptr {
		s.p = o.provAt(off)
	}
	if s.v > maskOf(width) {
		return slot{u: poison} // bits above the width are set
	}
	return s
}

func decodeStore(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if len(in.Args) != 2 {
		return errors.New("not two operands")
	}
	if err := c.decodeShape(in.Args[0].Type); err != nil {
		return err
	}
	n, err := slots(in.Args[0].Type)
	c.n = int32(n)
	if err != nil {
		return err
	}
	c.do = doStore
	if len(c.x.shape) == 1 && c.width <= 64 {
		c.do = doStoreWord
	}
	return d.operands(in.Args, &c.a, &c.b)
}

func doStoreWord(m *machine, in *inst) *Outcome {
	o, off, end := m.access(*m.get(in.b), in.imm, in.align, writing)
	if end != nil {
		return end
	}
	o.store(off, *m.get(in.a), in.width, in.x.shape[0].ptr)
	return nil
}

func doStore(m *machine, in *inst) *Outcome {
	o, off, end := m.access(*m.get(in.b), in.imm, in.align, writing)
	if end != nil {
		return end
	}
	vs := m.many(in.a, int(in.n))
	for _, s := range in.x.shape {
		for i := range s.limbs() {
			width := min(64, s.bits-int32(64*i))
			o.store(off+int(s.off)+8*i, vs[s.slot+i], width, s.ptr)
		}
	}
	return nil
}

func (o *object) store(off int, s slot, width int32, ptr bool) {
	o.write(off, int(width+7)/8, s)
	if ptr && s.u == 0 {
		o.setProv(off, s.p)
	}
}

func decodeGEP(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := d.operands(in.Args, &c.a); err != nil {
		return err
	}
	c.do = doGEPConst
	if len(in.Args) == 1 {
		return nil
	}
	if len(in.Scales) != len(in.Args)-1 {
		return errors.New("indices and scales differ in number")
	}
	c.do = doGEP
	c.x = &extra{ir: in, scales: in.Scales}
	for _, a := range in.Args[1:] {
		o, err := d.operand(a)
		if err != nil {
			return err
		}
		if widthOf(a.Type) > 64 {
			return errors.New("index of more than 64 bits")
		}
		c.x.index = append(c.x.index, o)
	}
	return nil
}

func doGEPConst(m *machine, in *inst) *Outcome {
	p := *m.get(in.a)
	if p.u != 0 {
		return m.spoil(in.dst, 1)
	}
	r := slot{v: p.v + uint64(in.imm), p: p.p}
	if in.flags != 0 && in.imm != 0 && !m.mayPoint(p, r.v, in.flags, in.imm) {
		r = slot{u: poison}
	}
	m.regs[in.dst] = r
	return nil
}

// mayPoint checks inbounds, nusw and nuw of an offset from p to the address to.
func (m *machine) mayPoint(p slot, to uint64, flags ir.Flags, off int64) bool {
	if flags&ir.NUW != 0 && to < p.v {
		return false
	}
	if flags&(ir.InBounds|ir.NUSW) != 0 && (off < 0) != (to < p.v) {
		return false
	}
	if flags&ir.InBounds == 0 {
		return true
	}
	o := m.mem.lookup(p.p)
	if p.p == 0 {
		_, o = m.mem.at(p.v, 0)
	}
	if o == nil {
		return false
	}
	return p.v-o.base <= o.size && to-o.base <= o.size
}

func doGEP(m *machine, in *inst) *Outcome {
	p := *m.get(in.a)
	off, exact := in.imm, true
	for i, o := range in.x.index {
		s := m.get(o)
		if s.u != 0 || p.u != 0 {
			return m.spoil(in.dst, 1)
		}
		width := widthOf(in.x.ir.Args[1+i].Type)
		step := in.x.scales[i]
		idx := signed(s.v, width)
		exact = exact && !mulOverflows(uint64(idx), uint64(step), 64) && !addOverflows(uint64(off), uint64(idx*step), 64)
		if in.flags&ir.NUW != 0 && !unsignedStep(s.v, uint64(step), uint64(off)) {
			return m.spoil(in.dst, 1)
		}
		off += idx * step
	}
	r := slot{v: p.v + uint64(off), p: p.p}
	if in.flags&(ir.InBounds|ir.NUSW) != 0 && !exact || in.flags != 0 && off != 0 && !m.mayPoint(p, r.v, in.flags, off) {
		r = slot{u: poison}
	}
	m.regs[in.dst] = r
	return nil
}

// unsignedStep reports whether index*scale + off does not wrap as unsigned numbers.
func unsignedStep(index, scale, off uint64) bool {
	r := new(big.Int).Mul(new(big.Int).SetUint64(index), new(big.Int).SetUint64(scale))
	return r.Add(r, new(big.Int).SetUint64(off)).IsUint64()
}
