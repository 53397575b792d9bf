package interp

import (
	"errors"
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// edge is a way from one block to another, with what the phis of the target take.
type edge struct {
	pc    int
	moves []copied
}

type copied struct{ dst, src, n int32 }

func (d *decoder) edge(from, to int) (edge, error) {
	if to < 0 || to >= len(d.fn.Blocks) {
		return edge{}, fmt.Errorf("no block %d", to)
	}
	e := edge{pc: d.out.blocks[to]}
	for _, in := range d.fn.Blocks[to].Insts {
		if in.Op != ir.Phi {
			break
		}
		mv, err := d.phi(in, from)
		if err != nil {
			return edge{}, err
		}
		e.moves = append(e.moves, mv)
		e.pc++
	}
	return e, nil
}

func (d *decoder) phi(in *ir.Inst, from int) (copied, error) {
	if in.Result < 0 || in.Result >= len(d.regs) {
		return copied{}, fmt.Errorf("no register %d", in.Result)
	}
	n, err := slots(d.fn.Regs[in.Result])
	if err != nil {
		return copied{}, err
	}
	for i, b := range in.Targets {
		if b != from || i >= len(in.Args) {
			continue
		}
		src, err := d.operand(in.Args[i])
		return copied{d.regs[in.Result], src, int32(n)}, err
	}
	return copied{}, fmt.Errorf("phi has no value from block %d", from)
}

func (d *decoder) edges(in *ir.Inst, c *inst, b int) error {
	c.x = &extra{ir: in}
	for _, t := range in.Targets {
		e, err := d.edge(b, t)
		if err != nil {
			return err
		}
		c.x.edges = append(c.x.edges, e)
	}
	return nil
}

// follow takes an edge. All phis read before any is written.
func (m *machine) follow(e *edge) *Outcome {
	m.pc = e.pc
	if len(e.moves) == 0 {
		return nil
	}
	m.tmp = m.tmp[:0]
	for _, mv := range e.moves {
		m.tmp = append(m.tmp, m.many(mv.src, int(mv.n))...)
	}
	at := int32(0)
	for _, mv := range e.moves {
		copy(m.regs[mv.dst:mv.dst+mv.n], m.tmp[at:])
		at += mv.n
	}
	return nil
}

func decodeBr(d *decoder, in *ir.Inst, c *inst, b int) error {
	if err := d.edges(in, c, b); err != nil {
		return err
	}
	c.do = doBr
	want := 1
	if in.Op == ir.CondBr {
		c.do, want = doCondBr, 2
		if err := d.operands(in.Args, &c.a); err != nil {
			return err
		}
	}
	if len(c.x.edges) != want {
		return fmt.Errorf("%d targets, want %d", len(c.x.edges), want)
	}
	return nil
}

func doBr(m *machine, in *inst) *Outcome { return m.follow(&in.x.edges[0]) }

func doCondBr(m *machine, in *inst) *Outcome {
	c := m.get(in.a)
	if c.u != 0 {
		return m.ub(UBBranch, "")
	}
	return m.follow(&in.x.edges[1-c.v])
}

func decodeSwitch(d *decoder, in *ir.Inst, c *inst, b int) error {
	if err := d.edges(in, c, b); err != nil {
		return err
	}
	if len(in.Targets) != len(in.Cases)+1 {
		return errors.New("cases and targets differ in number")
	}
	if err := d.operands(in.Args, &c.a); err != nil {
		return err
	}
	c.width, c.do = widthOf(in.Args[0].Type), doSwitch
	for _, v := range in.Cases {
		if v.Kind != ir.ConstInt {
			return errors.New("case is no integer")
		}
		o, err := d.operand(v)
		if err != nil {
			return err
		}
		c.x.cases = append(c.x.cases, o)
	}
	return nil
}

func doSwitch(m *machine, in *inst) *Outcome {
	n := limbs(in.width)
	v := m.many(in.a, n)
	if undefined(v) {
		return m.ub(UBBranch, "")
	}
	for i, c := range in.x.cases {
		if equalSlots(v, m.many(c, n)) {
			return m.follow(&in.x.edges[i])
		}
	}
	return m.follow(&in.x.edges[len(in.x.cases)])
}

func equalSlots(a, b []slot) bool {
	for i := range a {
		if a[i].v != b[i].v {
			return false
		}
	}
	return true
}

func decodeUnreachable(_ *decoder, _ *ir.Inst, c *inst, _ int) error {
	c.do = func(m *machine, _ *inst) *Outcome { return m.ub(UBUnreachable, "") }
	return nil
}

func decodeRet(d *decoder, in *ir.Inst, c *inst, _ int) error {
	c.do = doRet
	if len(in.Args) == 0 {
		return nil
	}
	n, err := slots(in.Args[0].Type)
	if err != nil {
		return err
	}
	c.n = int32(n)
	c.x = &extra{ir: in, meta: promiseOf(d.fn.Sig.Ret.Attr, d.fn.Sig.Ret.Type)}
	if c.x.meta != nil && c.x.meta.slots != n {
		return errors.New("value is not of the function's type")
	}
	return d.operands(in.Args, &c.a)
}

func doRet(m *machine, in *inst) *Outcome {
	if in.n > 0 && in.x.meta != nil {
		// A copy: a broken promise makes the result poison, not the operand.
		vs := append([]slot(nil), m.many(in.a, int(in.n))...)
		if o := m.keep(in.x.meta, vs); o != nil {
			return o
		}
	}
	return m.leave(in.a, int(in.n))
}

func decodeCmpXchg(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if len(in.Args) != 3 {
		return errors.New("not three operands")
	}
	t := in.Args[1].Type
	c.width, c.do = widthOf(t), doCmpXchg
	if c.width > 64 || isAggregate(t) {
		c.do, c.x = doUnsupported, &extra{ir: in}
		return nil
	}
	c.imm = int64(c.width+7) / 8
	c.x = &extra{shape: []scalar{{bits: c.width, ptr: t != nil && t.Kind == ir.Ptr}}}
	return d.operands(in.Args, &c.a, &c.b, &c.c)
}

// exchange finds where a value is read and written at once.
func (m *machine) exchange(p slot, n, align int64) (*object, int, *Outcome) {
	if _, _, end := m.access(p, n, align, writing); end != nil {
		return nil, 0, end
	}
	return m.access(p, n, align, reading) // what was not asked for yet is asked for
}

// doCmpXchg never fails spuriously, weak or not.
func doCmpXchg(m *machine, in *inst) *Outcome {
	o, off, end := m.exchange(*m.get(in.a), in.imm, max(in.align, in.imm))
	if end != nil {
		return end
	}
	ptr := in.x.shape[0].ptr
	old := o.load(off, in.width, ptr)
	want := *m.get(in.b)
	if old.u|want.u != 0 {
		return m.ub(UBUninit, "comparison with an undefined value")
	}
	if old.v == want.v {
		o.store(off, *m.get(in.c), in.width, ptr)
	}
	m.regs[in.dst] = old
	m.regs[in.dst+1] = slot{v: bit(old.v == want.v)}
	return nil
}

func decodeRMW(d *decoder, in *ir.Inst, c *inst, _ int) error {
	if len(in.Args) != 2 {
		return errors.New("not two operands")
	}
	t := in.Args[1].Type
	c.width, c.do = widthOf(t), doRMW
	if _, known := rmwOps[in.RMW]; !known || c.width > 64 || isAggregate(t) {
		c.do, c.x = doUnsupported, &extra{ir: in}
		return nil
	}
	c.imm = int64(c.width+7) / 8
	c.x = &extra{ir: in, shape: []scalar{{bits: c.width, ptr: t != nil && t.Kind == ir.Ptr}}}
	return d.operands(in.Args, &c.a, &c.b)
}

var rmwOps = map[string]func(old, v uint64, width int32) uint64{
	"xchg": func(_, v uint64, _ int32) uint64 { return v },
	"add":  func(old, v uint64, _ int32) uint64 { return old + v },
	"sub":  func(old, v uint64, _ int32) uint64 { return old - v },
	"and":  func(old, v uint64, _ int32) uint64 { return old & v },
	"nand": func(old, v uint64, _ int32) uint64 { return ^(old & v) },
	"or":   func(old, v uint64, _ int32) uint64 { return old | v },
	"xor":  func(old, v uint64, _ int32) uint64 { return old ^ v },
	"umax": func(old, v uint64, _ int32) uint64 { return max(old, v) },
	"umin": func(old, v uint64, _ int32) uint64 { return min(old, v) },
	"max":  func(old, v uint64, w int32) uint64 { return uint64(max(signed(old, w), signed(v, w))) },
	"min":  func(old, v uint64, w int32) uint64 { return uint64(min(signed(old, w), signed(v, w))) },
}

func doRMW(m *machine, in *inst) *Outcome {
	o, off, end := m.exchange(*m.get(in.a), in.imm, max(in.align, in.imm))
	if end != nil {
		return end
	}
	ptr := in.x.shape[0].ptr
	old, v := o.load(off, in.width, ptr), *m.get(in.b)
	next := v
	if in.x.ir.RMW != "xchg" {
		next = slot{v: rmwOps[in.x.ir.RMW](old.v, v.v, in.width) & maskOf(in.width)}
		if old.u|v.u != 0 {
			next.u = poison
		}
	}
	o.store(off, next, in.width, ptr)
	if in.dst >= 0 {
		m.regs[in.dst] = old
	}
	return nil
}
