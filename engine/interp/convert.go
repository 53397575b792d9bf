package interp

import (
	"errors"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

func firstError(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}

func widthOf(t *ir.Type) int32 {
	if t != nil && t.Kind == ir.Int {
		return int32(t.Bits)
	}
	return 64
}

func decodeCast(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := d.operands(in.Args, &c.a); err != nil {
		return err
	}
	from, to := in.Args[0].Type, in.Type
	if isAggregate(from) || isAggregate(to) {
		return errors.New("cast of an aggregate")
	}
	c.width, c.mask = widthOf(from), maskOf(widthOf(to))
	c.imm = int64(widthOf(to))
	c.x = &extra{ir: in}
	switch {
	case c.width > 64 || c.imm > 64:
		c.do = doWideCast
	case in.Op == ir.BitCast && (from == nil || to == nil || from.Kind == to.Kind):
		c.do = doCopy
	case in.Op == ir.SExt:
		c.do = doSExt
	default:
		c.do = doResize
	}
	return nil
}

func isAggregate(t *ir.Type) bool { return t != nil && (t.Kind == ir.Struct || t.Kind == ir.Array) }

func doCopy(m *machine, in *inst) *Outcome {
	m.regs[in.dst] = *m.get(in.a)
	return nil
}

// doResize is trunc, zext, ptrtoint and inttoptr. A pointer made from an
// integer has no known provenance.
func doResize(m *machine, in *inst) *Outcome {
	a := m.get(in.a)
	v := a.v & in.mask
	u := a.u
	if u != poison {
		u &= byteMask(int32(in.imm))
	}
	if in.flags != 0 && u != poison {
		bad := in.flags&ir.NUW != 0 && v != a.v ||
			in.flags&ir.NSW != 0 && signed(v, int32(in.imm)) != signed(a.v, in.width) ||
			in.flags&ir.NNeg != 0 && signed(a.v, in.width) < 0
		if bad || a.u != 0 {
			u = poison
		}
	}
	m.regs[in.dst] = slot{v: v, u: u}
	return nil
}

func doSExt(m *machine, in *inst) *Outcome {
	a := m.get(in.a)
	if a.u != 0 {
		return m.spoil(in.dst, 1)
	}
	return m.set(in, uint64(signed(a.v, in.width))&in.mask)
}

func doWideCast(m *machine, in *inst) *Outcome {
	n := limbs(in.width)
	a, to := m.many(in.a, n), int32(in.imm)
	if in.x.ir.Op == ir.Trunc && in.flags == 0 || in.x.ir.Op == ir.BitCast {
		return m.narrow(in, a, to)
	}
	if undefined(a) {
		return m.spoil(in.dst, int(in.n))
	}
	v := toBig(a)
	s := bigSigned(v, in.width)
	switch {
	case in.flags&ir.NUW != 0 && v.BitLen() > int(to),
		in.flags&ir.NSW != 0 && !fitsSigned(s, to),
		in.flags&ir.NNeg != 0 && s.Sign() < 0:
		return m.spoil(in.dst, int(in.n))
	case in.x.ir.Op == ir.SExt:
		v = s
	}
	put(m.many(in.dst, int(in.n)), v, to)
	return nil
}

// narrow keeps the low limbs, defined or not.
func (m *machine) narrow(in *inst, a []slot, to int32) *Outcome {
	copy(m.many(in.dst, int(in.n)), a)
	last := &m.regs[int(in.dst)+int(in.n)-1]
	if rest := to % 64; rest != 0 {
		last.v &= maskOf(rest)
		if last.u != poison {
			last.u &= byteMask(rest)
		}
	}
	return nil
}

func decodeSelect(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.do = doSelect
	return d.operands(in.Args, &c.a, &c.b, &c.c)
}

func doSelect(m *machine, in *inst) *Outcome {
	cond := m.get(in.a)
	if cond.u != 0 {
		return m.spoil(in.dst, int(in.n))
	}
	from := in.c
	if cond.v != 0 {
		from = in.b
	}
	copy(m.regs[in.dst:], m.many(from, int(in.n)))
	return nil
}

func decodeFreeze(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.do = doFreeze
	return d.operands(in.Args, &c.a)
}

// doFreeze picks zero for what is undefined.
func doFreeze(m *machine, in *inst) *Outcome {
	for i, s := range m.many(in.a, int(in.n)) {
		for b := range 8 {
			if s.u>>b&1 != 0 {
				s.v &^= 0xff << (8 * b)
			}
		}
		s.u = 0
		m.regs[int(in.dst)+i] = s
	}
	return nil
}

// member finds the slots of a part of an aggregate.
func member(t *ir.Type, path []int) (at, n int, err error) {
	for _, i := range path {
		f := t.Field(i)
		if f == nil {
			return 0, 0, errors.New("no such field")
		}
		for j := range i {
			k, err := slots(t.Field(j))
			if err != nil {
				return 0, 0, err
			}
			at += k
		}
		t = f
	}
	n, err = slots(t)
	return at, n, err
}

func decodeExtract(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := d.operands(in.Args, &c.a); err != nil {
		return err
	}
	at, n, err := member(in.Args[0].Type, in.Path)
	if err != nil || n != int(c.n) {
		return firstError(err, "part and result differ")
	}
	c.imm, c.do = int64(at), doExtract
	whole, err := slots(in.Args[0].Type)
	c.width = int32(whole)
	return err
}

func doExtract(m *machine, in *inst) *Outcome {
	copy(m.regs[in.dst:in.dst+in.n], m.many(in.a, int(in.width))[in.imm:])
	return nil
}

func decodeInsert(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if err := d.operands(in.Args, &c.a, &c.b); err != nil {
		return err
	}
	at, n, err := member(in.Args[0].Type, in.Path)
	if err != nil {
		return err
	}
	have, err := slots(in.Args[1].Type)
	if err != nil || have != n {
		return firstError(err, "part and operand differ")
	}
	c.imm, c.width, c.do = int64(at), int32(n), doInsert
	return nil
}

func doInsert(m *machine, in *inst) *Outcome {
	m.tmp = append(m.tmp[:0], m.many(in.b, int(in.width))...)
	copy(m.regs[in.dst:], m.many(in.a, int(in.n)))
	copy(m.regs[int64(in.dst)+in.imm:], m.tmp)
	return nil
}

// bigOf is the number in n slots, nil if it is not defined.
func (m *machine) bigOf(o int32, width int32) *big.Int {
	vs := m.many(o, limbs(width))
	if undefined(vs) {
		return nil
	}
	return toBig(vs)
}
