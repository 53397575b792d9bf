package interp

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// Program is a slice in the form in which it is run: operands are numbers,
// types are widths, every instruction knows the function that executes it.
type Program struct {
	slice   *ir.Slice
	root    int
	funcs   []*function
	externs []*extern
	globals []object
	end     uint64 // first free data address
	consts  []slot
}

type function struct {
	index  int
	slots  int // of all registers
	params []param
	args   int // slots of all parameters
	ret    []scalar
	code   []inst
	blocks []int // index in code of each block's first instruction

	variadic bool
}

// param is a parameter with what its attributes promise.
type param struct {
	slot, slots int
	attr        *promise // nil: nothing
	size, align int64    // of the object that it points to and that is passed by value; 0: none
}

// inst is one instruction. Operands a, b, c are register slots, or constants
// where negative.
type inst struct {
	do      func(*machine, *inst) *Outcome
	dst     int32
	a, b, c int32
	width   int32 // of the first operand, in bits
	n       int32 // slots of the result
	flags   ir.Flags
	pred    ir.Pred
	mask    uint64
	imm     int64 // bytes: offset or size
	align   int64
	x       *extra
}

// extra is what only some instructions need.
type extra struct {
	ir     *ir.Inst
	bin    func(in *inst, a, b uint64) (uint64, bool)
	wide   wideOp
	shape  []scalar // of the value that is loaded or stored
	meta   *promise
	edges  []edge
	cases  []int32
	index  []int32 // variable operands of a GEP
	scales []int64
	call   *call
	lanes  *lanes
}

// scalar is one scalar of a flattened type.
type scalar struct {
	slot int
	off  int64 // bytes from the start of the value in memory
	bits int32 // 64 for a pointer
	ptr  bool
}

func (s scalar) limbs() int { return limbs(s.bits) }

func limbs(bits int32) int { return int(bits+63) / 64 }

// decoder turns one function into code.
type decoder struct {
	p    *Program
	fn   *ir.Func
	out  *function
	regs []int32 // first slot of each register
}

// Compile prepares a slice for running.
func Compile(s *ir.Slice) (*Program, error) {
	if err := ir.Sanity(s); err != nil {
		return nil, fmt.Errorf("compile slice: %w", err)
	}
	p := &Program{slice: s, root: s.Root}
	if err := p.layout(); err != nil {
		return nil, fmt.Errorf("compile slice: %w", err)
	}
	for _, e := range s.Externs {
		p.externs = append(p.externs, newExtern(e))
	}
	for i, f := range s.Funcs {
		fn, err := p.function(i, f)
		if err != nil {
			return nil, fmt.Errorf("compile slice: function %d: %w", i, err)
		}
		p.funcs = append(p.funcs, fn)
	}
	return p, nil
}

func (p *Program) function(i int, f *ir.Func) (*function, error) {
	d := &decoder{p: p, fn: f, out: &function{index: i}}
	if err := d.registers(); err != nil {
		return nil, err
	}
	n := 0
	for _, b := range f.Blocks {
		d.out.blocks = append(d.out.blocks, n)
		n += len(b.Insts)
		if len(b.Insts) == 0 || !ends(b.Insts[len(b.Insts)-1]) {
			return nil, fmt.Errorf("block %d has no terminator", len(d.out.blocks)-1)
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("no instructions")
	}
	for bi, b := range f.Blocks {
		for _, in := range b.Insts {
			c, err := d.inst(in, bi)
			if err != nil {
				return nil, fmt.Errorf("instruction %d: %v: %w", len(d.out.code), in.Op, err)
			}
			d.out.code = append(d.out.code, c)
		}
	}
	return d.out, nil
}

func ends(in *ir.Inst) bool { return in.Op.IsTerminator() || in.Op == ir.Unsupported }

func (d *decoder) registers() error {
	f := d.fn
	if len(f.Regs) < f.NumReg || len(f.Sig.Params) > f.NumReg {
		return fmt.Errorf("%d registers, %d with a type, %d parameters", f.NumReg, len(f.Regs), len(f.Sig.Params))
	}
	for i := range f.NumReg {
		n, err := slots(f.Regs[i])
		if err != nil {
			return fmt.Errorf("register %d: %w", i, err)
		}
		d.regs = append(d.regs, int32(d.out.slots))
		if i < len(f.Sig.Params) {
			a := promiseOf(f.Sig.Params[i].Attr, f.Sig.Params[i].Type)
			d.out.params = append(d.out.params, newParam(d.out.slots, n, a, &f.Sig.Params[i].Attr))
		}
		d.out.slots += n
		if i < len(f.Sig.Params) {
			d.out.args = d.out.slots
		}
	}
	shape, err := flatten(f.Sig.Ret.Type)
	d.out.ret, d.out.variadic = shape, f.Sig.Variadic
	return err
}

func newParam(slot, slots int, promised *promise, at *ir.Attr) param {
	p := param{slot: slot, slots: slots, attr: promised}
	if at.ByVal != nil {
		p.size, p.align = at.ByVal.Size(), max(at.Align, at.ByVal.Align())
	}
	return p
}

// maxSlots bounds a register: no compiler makes larger ones.
const maxSlots = 1 << 12

// slots is the number of slots of a value of type t.
func slots(t *ir.Type) (int, error) {
	shape, err := flatten(t)
	if err != nil || len(shape) == 0 {
		return 0, err
	}
	last := shape[len(shape)-1]
	return last.slot + last.limbs(), nil
}

// flatten lists the scalars of a type in order.
func flatten(t *ir.Type) ([]scalar, error) {
	var out []scalar
	n := 0
	err := flattenInto(&out, &n, t, 0)
	return out, err
}

func flattenInto(out *[]scalar, n *int, t *ir.Type, off int64) error {
	if *n > maxSlots {
		return fmt.Errorf("value of more than %d words", maxSlots)
	}
	switch {
	case t == nil || t.Kind == ir.Void:
		return nil
	case t.Kind == ir.Ptr:
		*out = append(*out, scalar{slot: *n, off: off, bits: 64, ptr: true})
		*n++
	case t.Kind == ir.Int || t.Kind == ir.Float:
		if t.Bits < 1 || t.Bits > maxSlots*64 {
			return fmt.Errorf("integer of %d bits", t.Bits)
		}
		*out = append(*out, scalar{slot: *n, off: off, bits: int32(t.Bits)})
		*n += limbs(int32(t.Bits))
	default:
		for i := range t.NumFields() {
			if err := flattenInto(out, n, t.Field(i), off+t.Offset(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// operand returns the place of a value.
func (d *decoder) operand(v ir.Value) (int32, error) {
	if v.Kind == ir.Reg {
		if v.Index < 0 || v.Index >= len(d.regs) {
			return 0, fmt.Errorf("no register %d", v.Index)
		}
		return d.regs[v.Index], nil
	}
	vs, err := d.p.constant(v)
	if err != nil {
		return 0, err
	}
	at := len(d.p.consts)
	d.p.consts = append(d.p.consts, vs...)
	return ^int32(at), nil
}

func (d *decoder) operands(vs []ir.Value, into ...*int32) error {
	if len(vs) < len(into) {
		return fmt.Errorf("%d operands, want %d", len(vs), len(into))
	}
	for i, p := range into {
		o, err := d.operand(vs[i])
		if err != nil {
			return err
		}
		*p = o
	}
	return nil
}

// inst decodes one instruction of block b.
func (d *decoder) inst(in *ir.Inst, b int) (inst, error) {
	c := inst{dst: -1, flags: in.Flags, pred: in.Pred, imm: in.Off, align: max(in.Align, 1)}
	if in.Result >= 0 {
		if in.Result >= len(d.regs) {
			return c, fmt.Errorf("no register %d", in.Result)
		}
		c.dst = d.regs[in.Result]
		n, err := slots(d.fn.Regs[in.Result])
		if err != nil {
			return c, err
		}
		c.n = int32(n)
	}
	var err error
	switch {
	case hasKind(in, ir.Vector) && !hasKind(in, ir.Float):
		var ok bool
		if ok, err = d.vectorInst(in, &c, b); !ok {
			c.do, c.x = doUnsupported, &extra{ir: in}
		}
	case hasKind(in, ir.Float) || int(in.Op) >= len(decoders) || decoders[in.Op] == nil:
		c.do, c.x = doUnsupported, &extra{ir: in}
	default:
		err = decoders[in.Op](d, in, &c, b)
	}
	return c, err
}

// hasKind reports whether an instruction takes or gives a value of a kind, or vectors of it.
func hasKind(in *ir.Inst, k ir.Kind) bool {
	is := func(t *ir.Type) bool { return t != nil && (t.Kind == k || t.Kind == ir.Vector && t.Elem.Kind == k) }
	for i := range in.Args {
		if is(in.Args[i].Type) {
			return true
		}
	}
	return is(in.Type)
}

// decoders has one entry per opcode; init breaks the cycle through call.
var decoders [ir.Unsupported + 1]func(*decoder, *ir.Inst, *inst, int) error

func init() {
	for op := range binaries {
		decoders[op] = decodeBinary
	}
	for op, f := range map[ir.Op]func(*decoder, *ir.Inst, *inst, int) error{
		ir.UDiv: decodeDivision, ir.SDiv: decodeDivision, ir.URem: decodeDivision, ir.SRem: decodeDivision,
		ir.Trunc: decodeCast, ir.ZExt: decodeCast, ir.SExt: decodeCast,
		ir.PtrToInt: decodeCast, ir.IntToPtr: decodeCast, ir.BitCast: decodeCast,
		ir.ICmp: decodeICmp, ir.Select: decodeSelect, ir.Freeze: decodeFreeze,
		ir.ExtractValue: decodeExtract, ir.InsertValue: decodeInsert,
		ir.Alloca: decodeAlloca, ir.Load: decodeLoad, ir.Store: decodeStore, ir.GEP: decodeGEP,
		ir.Fence: decodeNothing, ir.Phi: decodeNothing, ir.CmpXchg: decodeCmpXchg, ir.AtomicRMW: decodeRMW,
		ir.Ret: decodeRet, ir.Br: decodeBr, ir.CondBr: decodeBr, ir.Switch: decodeSwitch,
		ir.Unreachable: decodeUnreachable, ir.Call: decodeCall, ir.CallBr: decodeCallBr,
	} {
		decoders[op] = f
	}
}

func doUnsupported(m *machine, in *inst) *Outcome {
	if in.x.ir.Op == ir.Unsupported {
		return m.unsupported("%s", in.x.ir.Text)
	}
	return m.unsupported("%v", in.x.ir.Op)
}

func decodeNothing(_ *decoder, _ *ir.Inst, c *inst, _ int) error {
	c.do = doNothing
	return nil
}

func doNothing(*machine, *inst) *Outcome { return nil }
