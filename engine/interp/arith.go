package interp

import (
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// binaries are the two-operand operations on at most 64 bits. Each returns the
// result, not yet cut to the width, and whether it is defined.
var binaries = map[ir.Op]func(in *inst, a, b uint64) (uint64, bool){
	ir.Add: add, ir.Sub: sub, ir.Mul: mul,
	ir.And: func(_ *inst, a, b uint64) (uint64, bool) { return a & b, true },
	ir.Or:  func(in *inst, a, b uint64) (uint64, bool) { return a | b, in.flags&ir.Disjoint == 0 || a&b == 0 },
	ir.Xor: func(_ *inst, a, b uint64) (uint64, bool) { return a ^ b, true },
	ir.Shl: shl, ir.LShr: lshr, ir.AShr: ashr,
}

func maskOf(width int32) uint64 {
	if width >= 64 {
		return ^uint64(0)
	}
	return 1<<width - 1
}

// signed extends the sign of a value of the given width.
func signed(v uint64, width int32) int64 {
	s := 64 - uint(width)
	return int64(v<<s) >> s
}

func add(in *inst, a, b uint64) (uint64, bool) {
	s, carry := bits.Add64(a, b, 0)
	if in.flags&ir.NUW != 0 && (carry != 0 || s > in.mask) {
		return 0, false
	}
	return s, in.flags&ir.NSW == 0 || !addOverflows(a, b, in.width)
}

func sub(in *inst, a, b uint64) (uint64, bool) {
	if in.flags&ir.NUW != 0 && a < b {
		return 0, false
	}
	return a - b, in.flags&ir.NSW == 0 || !subOverflows(a, b, in.width)
}

func mul(in *inst, a, b uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	if in.flags&ir.NUW != 0 && (hi != 0 || lo > in.mask) {
		return 0, false
	}
	return lo, in.flags&ir.NSW == 0 || !mulOverflows(a, b, in.width)
}

// addOverflows and its kin say whether the signed result does not fit the width.
func addOverflows(a, b uint64, width int32) bool {
	x, y, r := signed(a, width), signed(b, width), signed(a+b, width)
	return (x^r)&(y^r) < 0
}

func subOverflows(a, b uint64, width int32) bool {
	x, y, r := signed(a, width), signed(b, width), signed(a-b, width)
	return (x^y)&(x^r) < 0
}

func mulOverflows(a, b uint64, width int32) bool {
	x, y := signed(a, width), signed(b, width)
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	if x < 0 {
		hi -= uint64(y)
	}
	if y < 0 {
		hi -= uint64(x)
	}
	if int64(hi) != int64(lo)>>63 {
		return true
	}
	return signed(lo, width) != int64(lo)
}

func shl(in *inst, a, b uint64) (uint64, bool) {
	if b >= uint64(in.width) {
		return 0, false
	}
	r := a << b & in.mask
	if in.flags&ir.NUW != 0 && r>>b != a {
		return 0, false
	}
	return r, in.flags&ir.NSW == 0 || signed(r, in.width)>>b == signed(a, in.width)
}

func lshr(in *inst, a, b uint64) (uint64, bool) {
	if b >= uint64(in.width) {
		return 0, false
	}
	return a >> b, in.flags&ir.Exact == 0 || a>>b<<b == a
}

func ashr(in *inst, a, b uint64) (uint64, bool) {
	if b >= uint64(in.width) {
		return 0, false
	}
	r := signed(a, in.width) >> b
	return uint64(r), in.flags&ir.Exact == 0 || a>>b<<b == a
}

func decodeBinary(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.width = int32(in.Type.Bits)
	c.mask = maskOf(c.width)
	c.x = &extra{ir: in}
	if c.width > 64 {
		c.do, c.x.wide = doWide, wideBinaries[in.Op]
	} else {
		c.do, c.x.bin = doBinary, binaries[in.Op]
	}
	return d.operands(in.Args, &c.a, &c.b)
}

func doBinary(m *machine, in *inst) *Outcome {
	a, b := m.get(in.a), m.get(in.b)
	if a.u|b.u != 0 {
		return m.partial(in, *a, *b)
	}
	v, ok := in.x.bin(in, a.v, b.v)
	if !ok {
		return m.spoil(in.dst, 1)
	}
	m.regs[in.dst] = slot{v: v & in.mask}
	return nil
}

// partial computes with operands of which some bytes are undefined: masking
// and moving whole bytes keeps the others. Copies of padding need it.
func (m *machine) partial(in *inst, a, b slot) *Outcome {
	r := slot{u: poison}
	switch op := in.x.ir.Op; {
	case a.u == poison || b.u == poison:
	case op == ir.And:
		r = slot{v: a.v & b.v, u: a.u&^zeroBytes(b) | b.u&^zeroBytes(a)}
		m.mixed = m.mixed || r.u&^(onesBytes(a)|onesBytes(b)) != 0
	case op == ir.Or && in.flags&ir.Disjoint == 0:
		r = slot{v: a.v | b.v, u: a.u&^onesBytes(b) | b.u&^onesBytes(a)}
		m.mixed = m.mixed || r.u&^(zeroBytes(a)|zeroBytes(b)) != 0
	case op == ir.Shl && in.flags == 0 && b.u == 0 && b.v%8 == 0 && b.v < uint64(in.width):
		r = slot{v: a.v << b.v & in.mask, u: a.u << (b.v / 8) & byteMask(in.width)}
	case op == ir.LShr && in.flags == 0 && b.u == 0 && b.v%8 == 0 && b.v < uint64(in.width):
		r = slot{v: a.v >> b.v, u: a.u >> (b.v / 8)}
	}
	m.regs[in.dst] = r
	return nil
}

// byteMask has one bit for each byte that a value of the width touches.
func byteMask(width int32) uint8 { return uint8(1<<((min(width, 64)+7)/8) - 1) }

// zeroBytes and onesBytes mark the defined bytes of s that are 0 and 255.
func zeroBytes(s slot) uint8 { return bytesEqual(s, 0) }

func onesBytes(s slot) uint8 { return bytesEqual(s, 0xff) }

func bytesEqual(s slot, want byte) uint8 {
	var r uint8
	for i := range 8 {
		if byte(s.v>>(8*i)) == want && s.u>>i&1 == 0 {
			r |= 1 << i
		}
	}
	return r
}

func decodeDivision(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.width = int32(in.Type.Bits)
	c.mask = maskOf(c.width)
	c.x = &extra{ir: in}
	c.do = doDivide
	if c.width > 64 {
		c.do = doWideDivide
	}
	return d.operands(in.Args, &c.a, &c.b)
}

func doDivide(m *machine, in *inst) *Outcome {
	a, b := m.get(in.a), m.get(in.b)
	if b.u != 0 {
		return m.ub(UBUninit, "divisor is undefined")
	}
	if b.v == 0 {
		return m.ub(UBDivZero, "")
	}
	op := in.x.ir.Op
	x, y := signed(a.v, in.width), signed(b.v, in.width)
	signs := op == ir.SDiv || op == ir.SRem
	if signs && y == -1 && (a.u != 0 || a.v == 1<<(in.width-1)) {
		return m.ub(UBDivOverflow, "")
	}
	if a.u != 0 {
		return m.spoil(in.dst, 1)
	}
	if !signs {
		return m.unsignedDivide(in, op, a.v, b.v)
	}
	if op == ir.SRem {
		return m.set(in, uint64(x%y)&in.mask)
	}
	if in.flags&ir.Exact != 0 && x%y != 0 {
		return m.spoil(in.dst, 1)
	}
	return m.set(in, uint64(x/y)&in.mask)
}

func (m *machine) unsignedDivide(in *inst, op ir.Op, x, y uint64) *Outcome {
	if op == ir.URem {
		return m.set(in, x%y)
	}
	if in.flags&ir.Exact != 0 && x%y != 0 {
		return m.spoil(in.dst, 1)
	}
	return m.set(in, x/y)
}

func decodeICmp(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := d.operands(in.Args, &c.a, &c.b); err != nil {
		return err
	}
	shape, err := flatten(in.Args[0].Type)
	if err != nil || len(shape) != 1 {
		return firstError(err, "comparison of an aggregate")
	}
	c.width = shape[0].bits
	c.do = doICmp
	if c.width > 64 {
		c.do = doWideICmp
	}
	return nil
}

func doICmp(m *machine, in *inst) *Outcome {
	a, b := m.get(in.a), m.get(in.b)
	if a.u|b.u != 0 {
		return m.spoil(in.dst, 1)
	}
	x, y := signed(a.v, in.width), signed(b.v, in.width)
	if in.flags&ir.SameSign != 0 && (x < 0) != (y < 0) {
		return m.spoil(in.dst, 1)
	}
	var r bool
	switch in.pred {
	case ir.EQ:
		r = a.v == b.v
	case ir.NE:
		r = a.v != b.v
	case ir.UGT:
		r = a.v > b.v
	case ir.UGE:
		r = a.v >= b.v
	case ir.ULT:
		r = a.v < b.v
	case ir.ULE:
		r = a.v <= b.v
	case ir.SGT:
		r = x > y
	case ir.SGE:
		r = x >= y
	case ir.SLT:
		r = x < y
	case ir.SLE:
		r = x <= y
	}
	return m.set(in, bit(r))
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
