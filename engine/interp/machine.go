package interp

import (
	"fmt"
	"math/big"
)

// slot holds one scalar of at most 64 bits. Wider integers and aggregates take
// several slots in a row, the least significant limb or the first field first.
type slot struct {
	v uint64 // value, zero above its width; a pointer's address
	p prov   // pointers: the object it may access
	u uint8  // bit i: byte i is undefined. A poison value has all eight set.
}

const poison = 0xff

// frame is an active call.
type frame struct {
	fn     *function
	pc     int // where to go on; the call is the instruction before
	base   int // of its registers in machine.stack
	dst    int32
	locals []prov // objects that die with it
}

type machine struct {
	prog   *Program
	source Source
	limits Limits
	called string          // the function without a body that is executed
	things map[string]prov // what C gave an address of, by the function that returned it
	left   int64           // steps

	code  []inst // of the current function
	pc    int    // of the next instruction
	regs  []slot // of the current frame
	stack []slot
	cur   frame
	calls []frame // callers, outermost first
	spare [][]prov

	mem      memory
	consumed []Input
	asked    int // dynamic inputs so far
	guessed  bool
	mixed    bool     // some bits were set of a byte that was not: what is undefined is not known any more
	zero     []string // functions that returned 0 for want of anything better
	tmp      []slot
}

func newMachine(p *Program, in Source, lim Limits) *machine {
	m := &machine{prog: p, source: in, limits: lim, left: lim.Steps, things: map[string]prov{}}
	m.mem.init(p, lim.Memory)
	return m
}

// start enters the root with its arguments.
func (m *machine) start() *Outcome {
	f := m.prog.funcs[m.prog.root]
	m.cur = frame{fn: f}
	m.code = f.code
	m.grow(f.slots)
	m.regs = m.stack[:f.slots]
	args, o := m.arguments(f)
	if o != nil {
		return o
	}
	copy(m.regs, args)
	return nil
}

// grow makes room for n slots. Most runs are short: the first piece is small.
func (m *machine) grow(n int) {
	if len(m.stack) < n {
		m.stack = append(m.stack, make([]slot, n+32)...)
	}
}

// enter calls f; its arguments are in m.tmp.
func (m *machine) enter(f *function, dst int32) *Outcome {
	if len(m.calls) >= m.limits.Depth {
		return m.end(OutOfSteps, "depth")
	}
	base := m.cur.base + m.cur.fn.slots
	m.cur.pc = m.pc
	m.calls = append(m.calls, m.cur)
	m.cur = frame{fn: f, base: base, dst: dst}
	if n := len(m.spare); n > 0 {
		m.cur.locals = m.spare[n-1]
		m.spare = m.spare[:n-1]
	}
	m.grow(base + f.slots)
	m.regs = m.stack[base : base+f.slots]
	copy(m.regs, m.tmp)
	m.code, m.pc = f.code, 0
	return nil
}

// leave returns to the caller with the n slots of the operand v. The outcome
// is not nil when the root returned.
func (m *machine) leave(v int32, n int) *Outcome {
	m.tmp = append(m.tmp[:0], m.many(v, n)...)
	if len(m.calls) == 0 {
		o := m.end(Returned, "")
		o.Result = scalars(m.tmp, m.cur.fn.ret)
		return o
	}
	for _, l := range m.cur.locals {
		m.mem.free(l)
	}
	m.spare = append(m.spare, m.cur.locals[:0])
	dst := m.cur.dst
	m.cur = m.calls[len(m.calls)-1]
	m.calls = m.calls[:len(m.calls)-1]
	m.code, m.pc = m.cur.fn.code, m.cur.pc
	m.regs = m.stack[m.cur.base : m.cur.base+m.cur.fn.slots]
	if n > 0 && dst >= 0 {
		copy(m.regs[dst:], m.tmp)
	}
	return nil
}

// get returns the first slot of an operand.
func (m *machine) get(o int32) *slot {
	if o >= 0 {
		return &m.regs[o]
	}
	return &m.prog.consts[^o]
}

// many returns the n slots of an operand.
func (m *machine) many(o int32, n int) []slot {
	if n == 0 {
		return nil
	}
	if o >= 0 {
		return m.regs[o : int(o)+n]
	}
	return m.prog.consts[^o : int(^o)+n]
}

// set writes a defined result.
func (m *machine) set(in *inst, v uint64) *Outcome {
	m.regs[in.dst] = slot{v: v}
	return nil
}

// spoil writes a poison result of n slots.
func (m *machine) spoil(dst int32, n int) *Outcome {
	for i := range m.regs[dst : int(dst)+n] {
		m.regs[int(dst)+i] = slot{u: poison}
	}
	return nil
}

// end makes an outcome at the instruction that is being executed.
func (m *machine) end(k Kind, what string) *Outcome {
	o := &Outcome{Kind: k, What: what, Loc: -1, Place: Place{m.cur.fn.index, max(m.pc-1, 0)}}
	o.Stack = append(o.Stack, o.Place)
	for i := len(m.calls) - 1; i >= 0; i-- {
		o.Stack = append(o.Stack, Place{m.calls[i].fn.index, m.calls[i].pc - 1})
	}
	return o
}

func (m *machine) ub(what, format string, args ...any) *Outcome {
	if m.mixed && (what == UBBranch || what == UBUninit || what == UBAddress) {
		return m.unsupported("%s after some bits were set of an undefined byte", what)
	}
	o := m.end(Undefined, what)
	o.Detail = fmt.Sprintf(format, args...)
	return o
}

func (m *machine) unsupported(format string, args ...any) *Outcome {
	return m.end(Unsupported, fmt.Sprintf(format, args...))
}

// scalars turns slots into numbers, one per scalar of the shape.
func scalars(vs []slot, shape []scalar) []*big.Int {
	var out []*big.Int
	for _, s := range shape {
		n := s.limbs()
		if undefined(vs[s.slot : s.slot+n]) {
			out = append(out, nil)
		} else {
			out = append(out, toBig(vs[s.slot:s.slot+n]))
		}
	}
	return out
}

func undefined(vs []slot) bool {
	for i := range vs {
		if vs[i].u != 0 {
			return true
		}
	}
	return false
}
