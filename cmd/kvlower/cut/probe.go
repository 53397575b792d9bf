package cut

import (
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// probe is the least slice that executes one instruction: its operands are any
// values, addresses are parameters. To run it shows whether an engine knows the
// instruction. Sizes and offsets are made alike, so that there are few probes.
type probe struct {
	m     *module.Module
	slice *ir.Slice
	fn    *ir.Func
	entry *ir.Block
}

// probeOf returns the text of an instruction's probe; empty where there is nothing
// to ask: a call of what has a body, a panic.
func probeOf(m *module.Module, in *ir.Inst) (string, error) {
	p := &probe{m: m, fn: &ir.Func{Sig: ir.Sig{Ret: ir.Param{Type: ir.VoidType}}}, entry: &ir.Block{}}
	p.slice = &ir.Slice{Arch: "x86_64", Funcs: []*ir.Func{p.fn}}
	c := p.plain(in)
	if !p.operands(in, c) {
		return "", nil
	}
	p.finish(c)
	if err := ir.Sanity(p.slice); err != nil {
		return "", fmt.Errorf("probe of %v: %w", in.Op, err)
	}
	return string(ir.Print(p.slice)), nil
}

// plain copies an instruction without what differs from place to place.
func (p *probe) plain(in *ir.Inst) *ir.Inst {
	c := *in
	c.Result = -1
	c.Off, c.Size = max(-8, min(c.Off, 8)), min(c.Size, 16)
	c.Scales = nil
	for _, s := range in.Scales {
		c.Scales = append(c.Scales, min(s, 16))
	}
	c.Meta.RangeLo, c.Meta.RangeHi = nil, nil
	c.Meta.Align, c.Meta.Deref, c.Meta.DerefOrNull = 0, 0, 0
	switch {
	case in.Op == ir.Switch:
		c.Cases, c.Targets = in.Cases[:min(1, len(in.Cases))], []int{1}
		for range c.Cases {
			c.Targets = append(c.Targets, 1)
		}
	case in.Op == ir.Phi:
		c.Args, c.Targets = in.Args[:1], []int{0}
	default:
		c.Targets = make([]int, len(in.Targets))
		for i := range c.Targets {
			c.Targets[i] = 1
		}
	}
	return &c
}

// operands gives c operands of its own. It reports whether there is something to ask.
func (p *probe) operands(in, c *ir.Inst) bool {
	args := c.Args
	c.Args = nil
	if in.Op == ir.Call || in.Op == ir.CallBr {
		callee, ok := p.callee(args[0], in.CallSig)
		if !ok {
			return false
		}
		c.Args, args = append(c.Args, callee), args[1:]
		c.CallSig = plainSig(in.CallSig)
	}
	for i := range args {
		c.Args = append(c.Args, p.operand(args[i], len(c.Args) > 0 && c.Args[0].Kind == ir.ExternAddr))
	}
	return true
}

// plainSig is a signature without the promises that differ from call to call.
func plainSig(s *ir.Sig) *ir.Sig {
	out := &ir.Sig{NoReturn: s.NoReturn, Variadic: s.Variadic, Ret: ir.Param{Type: s.Ret.Type}}
	for _, p := range s.Params {
		out.Params = append(out.Params, ir.Param{Type: p.Type, Attr: ir.Attr{ByVal: p.Attr.ByVal}})
	}
	return out
}

func (p *probe) callee(v ir.Value, sig *ir.Sig) (ir.Value, bool) {
	switch v.Kind {
	case ir.AsmRef:
		return v, true
	case ir.FuncAddr:
		f := p.m.Funcs[v.Index]
		if f.Defined || panicKind(f) != "" || !f.Intrinsic && f.Name != f.Symbol {
			return v, false
		}
		e := &ir.Extern{Symbol: f.Symbol, Sig: *plainSig(&f.Sig)}
		if f.Intrinsic {
			e.Symbol = f.Name
		}
		p.slice.Externs = append(p.slice.Externs, e)
		return ir.Value{Kind: ir.ExternAddr, Type: ir.PtrType}, true
	}
	return p.function(sig), true
}

// function is the address of a function with a body: one that came in as a parameter is unknown to the engine
// whatever the instruction is.
func (p *probe) function(sig *ir.Sig) ir.Value {
	f := &ir.Func{Sig: *plainSig(sig), NumReg: len(sig.Params), Blocks: []*ir.Block{{Insts: []*ir.Inst{{Op: ir.Unreachable, Type: ir.VoidType, Result: -1}}}}}
	for _, param := range sig.Params {
		f.Regs = append(f.Regs, param.Type)
	}
	p.slice.Funcs = append(p.slice.Funcs, f)
	return ir.Value{Kind: ir.FuncAddr, Type: ir.PtrType, Index: len(p.slice.Funcs) - 1}
}

// operand is any value of v's type. Numbers passed to a function stay as they
// are: some intrinsics want constants.
func (p *probe) operand(v ir.Value, argument bool) ir.Value {
	switch {
	case v.Kind == ir.Poison || v.Kind == ir.Undef || v.Kind == ir.Null || v.Kind == ir.Zero:
		return v
	case v.Kind == ir.ConstInt && argument:
		v.Big = new(big.Int).And(v.Big, big.NewInt(0xf))
		return v
	case v.Type.Kind == ir.Ptr:
		return p.param()
	case v.Kind == ir.Aggregate:
		elems := v.Elems
		v.Elems = nil
		for _, e := range elems {
			if e.Type.Kind == ir.Ptr {
				e = ir.Value{Kind: ir.Null, Type: e.Type}
			}
			v.Elems = append(v.Elems, e)
		}
		return v
	}
	return p.any(v.Type)
}

// param is a pointer to some object.
func (p *probe) param() ir.Value {
	p.fn.Sig.Params = append(p.fn.Sig.Params, ir.Param{Type: ir.PtrType, Attr: ir.Attr{NonNull: true}})
	return ir.Value{Kind: ir.Reg, Type: ir.PtrType, Index: len(p.fn.Sig.Params) - 1}
}

// any is a frozen poison value; its register is counted from the end until all parameters are known.
func (p *probe) any(t *ir.Type) ir.Value {
	in := &ir.Inst{Op: ir.Freeze, Type: t, Args: []ir.Value{{Kind: ir.Poison, Type: t}}}
	p.entry.Insts = append(p.entry.Insts, in)
	return ir.Value{Kind: ir.Reg, Type: t, Index: -len(p.entry.Insts)}
}

// finish puts the blocks together and numbers the registers.
func (p *probe) finish(c *ir.Inst) {
	n := len(p.fn.Sig.Params)
	for i := range c.Args {
		if a := &c.Args[i]; a.Kind == ir.Reg && a.Index < 0 {
			a.Index = n - 1 - a.Index
		}
	}
	for i, in := range p.entry.Insts {
		in.Result = n + i
	}
	ret := &ir.Inst{Op: ir.Ret, Type: ir.VoidType, Result: -1}
	p.fn.Blocks = []*ir.Block{p.entry}
	body := p.entry
	switch {
	case c.Op == ir.Ret && len(c.Args) > 0:
		p.fn.Sig.Ret.Type = c.Args[0].Type
	case c.Op == ir.Phi:
		p.entry.Insts = append(p.entry.Insts, &ir.Inst{Op: ir.Br, Type: ir.VoidType, Result: -1, Targets: []int{1}})
		body = &ir.Block{}
		p.fn.Blocks = append(p.fn.Blocks, body)
	}
	body.Insts = append(body.Insts, c)
	switch {
	case !c.Op.IsTerminator() && c.Op != ir.Unsupported:
		body.Insts = append(body.Insts, ret)
	case c.Op.IsTerminator() && len(c.Targets) > 0:
		p.fn.Blocks = append(p.fn.Blocks, &ir.Block{Insts: []*ir.Inst{ret}})
	}
	p.registers(c)
}

// registers lists the types of the registers, the instruction's own last.
func (p *probe) registers(c *ir.Inst) {
	for _, q := range p.fn.Sig.Params {
		p.fn.Regs = append(p.fn.Regs, q.Type)
	}
	for _, in := range p.entry.Insts {
		if in.Result >= 0 {
			p.fn.Regs = append(p.fn.Regs, in.Type)
		}
	}
	if c.Type.Kind != ir.Void && c.Op != ir.Store {
		c.Result = len(p.fn.Regs)
		p.fn.Regs = append(p.fn.Regs, c.Type)
	}
	p.fn.NumReg = len(p.fn.Regs)
}
