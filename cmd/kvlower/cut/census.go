package cut

import (
	"fmt"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Row is one construct of a census: how often it occurs, and the probes of the
// instructions that it occurs in, which show whether an engine knows it.
type Row struct {
	Count  int
	Probes map[string]bool // texts of slices
}

// Census counts what the functions of a module are made of, in the blocks that
// something leads to. Keys are such as "call of intrinsic llvm.memcpy", "flag nuw".
func Census(m *module.Module) (map[string]*Row, error) {
	c := census{m: m, rows: map[string]*Row{}}
	for _, f := range m.Funcs {
		if !f.Defined {
			continue
		}
		if err := c.function(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Symbol, err)
		}
	}
	return c.rows, nil
}

type census struct {
	m     *module.Module
	rows  map[string]*Row
	probe string // of the instruction that is being counted
}

// count counts a construct of the current instruction.
func (c *census) count(what string) {
	r := c.rows[what]
	if r == nil {
		r = &Row{Probes: map[string]bool{}}
		c.rows[what] = r
	}
	r.Count++
	if c.probe != "" {
		r.Probes[c.probe] = true
	}
}

func (c *census) function(f *module.Func) error {
	c.count("functions")
	if panicKind(f) != "" {
		c.count("functions that are panic entries")
	}
	live := reachable(f)
	for b, block := range f.Blocks {
		if live[b] < 0 {
			c.count("blocks that nothing reaches")
			continue
		}
		c.count("blocks")
		for _, in := range block.Insts {
			var err error
			if c.probe, err = probeOf(c.m, in); err != nil {
				return err
			}
			c.own(in)
			c.inst(in)
			c.probe = ""
		}
	}
	return nil
}

func (c *census) inst(in *ir.Inst) {
	c.count("op " + in.Op.String())
	if in.Type.Kind != ir.Void {
		c.count("type " + in.Type.String())
	}
	for _, flag := range in.Flags.Names() {
		c.count("flag " + in.Op.String() + " " + flag)
	}
	if in.Ordering != "" {
		c.count("ordering " + in.Op.String() + " " + in.Ordering)
	}
	if in.RMW != "" {
		c.count("atomicrmw " + in.RMW)
	}
	for i := range in.Args {
		c.operand(&in.Args[i])
	}
}

var operandNames = map[ir.ValueKind]string{
	ir.Poison: "poison", ir.Undef: "undef", ir.AddrInt: "address as an integer", ir.Aggregate: "aggregate",
}

func (c *census) operand(v *ir.Value) {
	if name, ok := operandNames[v.Kind]; ok {
		c.count("operand " + name)
	}
	if v.Kind == ir.ConstInt && v.Type.Kind == ir.Ptr {
		c.count("operand integer as an address")
	}
}

// own counts what has a row of its own, and is supported or not in that row only:
// a C function without a model does not make calls unknown.
func (c *census) own(in *ir.Inst) {
	switch in.Op {
	case ir.Call, ir.CallBr:
		c.call(in)
	case ir.Unsupported:
		c.count("unsupported " + in.Text)
		c.probe = ""
	}
}

func (c *census) call(in *ir.Inst) {
	callee := in.Args[0]
	switch callee.Kind {
	case ir.AsmRef:
		text := callee.Asm.Template + " " + callee.Asm.Constraints
		c.count("call of assembly " + strings.Join(strings.Fields(text), " "))
		c.probe = ""
		return
	case ir.FuncAddr:
	default:
		c.count("call through a pointer")
		return
	}
	f := c.m.Funcs[callee.Index]
	kind := panicKind(f)
	switch {
	case f.Intrinsic:
		c.count("call of intrinsic " + f.Name)
	case kind != "":
		c.count("site " + kind)
		c.count("sites")
	case f.Name == f.Symbol && !f.Defined:
		c.count("call of C " + f.Symbol)
		c.probe = ""
	default:
		c.count("call of Rust")
	}
}
