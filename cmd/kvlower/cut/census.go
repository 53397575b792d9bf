package cut

import (
	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Census counts what the functions of a module are made of, in the blocks that
// something leads to. Keys are such as "call of intrinsic llvm.memcpy", "flag nuw".
func Census(m *module.Module) map[string]int {
	c := census{m: m, n: map[string]int{}}
	for _, f := range m.Funcs {
		if f.Defined {
			c.function(f)
		}
	}
	return c.n
}

type census struct {
	m *module.Module
	n map[string]int
}

func (c *census) function(f *module.Func) {
	c.n["functions"]++
	if panicKind(f) != "" {
		c.n["functions that are panic entries"]++
	}
	live := reachable(f)
	for b, block := range f.Blocks {
		if live[b] < 0 {
			c.n["blocks that nothing reaches"]++
			continue
		}
		c.n["blocks"]++
		for _, in := range block.Insts {
			c.inst(in)
		}
	}
}

func (c *census) inst(in *ir.Inst) {
	c.n["instructions"]++
	c.n["op "+in.Op.String()]++
	if in.Type.Kind != ir.Void {
		c.n["type "+in.Type.String()]++
	}
	for _, flag := range in.Flags.Names() {
		c.n["flag "+in.Op.String()+" "+flag]++
	}
	if in.Ordering != "" {
		c.n["ordering "+in.Op.String()+" "+in.Ordering]++
	}
	for i := range in.Args {
		c.operand(&in.Args[i])
	}
	switch in.Op {
	case ir.Call, ir.CallBr:
		c.call(in)
	case ir.Unsupported:
		c.n["unsupported "+in.Text]++
	}
}

var operandNames = map[ir.ValueKind]string{
	ir.Poison: "poison", ir.Undef: "undef", ir.AddrInt: "address as an integer", ir.Aggregate: "aggregate",
}

func (c *census) operand(v *ir.Value) {
	if name, ok := operandNames[v.Kind]; ok {
		c.n["operand "+name]++
	}
	if v.Kind == ir.ConstInt && v.Type.Kind == ir.Ptr {
		c.n["operand integer as an address"]++
	}
}

func (c *census) call(in *ir.Inst) {
	callee := in.Args[0]
	switch callee.Kind {
	case ir.AsmRef:
		c.n["call of assembly"]++
		return
	case ir.FuncAddr:
	default:
		c.n["call through a pointer"]++
		return
	}
	f := c.m.Funcs[callee.Index]
	kind := panicKind(f)
	switch {
	case f.Intrinsic:
		c.n["call of intrinsic "+f.Name]++
	case kind != "":
		c.n["site "+kind]++
		c.n["sites"]++
	case f.Name == f.Symbol && !f.Defined:
		c.n["call of C"]++
	default:
		c.n["call of Rust"]++
	}
}
