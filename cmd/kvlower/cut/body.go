package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// body is a function's body as every slice has it, but for the numbers of functions, externs and
// globals, which are still those of the module. It is made once and is not changed.
type body struct {
	blocks []block
	regs   []*ir.Type
	at     []instAt // instructions that may be asked for, in their order
	err    error    // it does not pass ir.Sanity
}

type block struct {
	*ir.Block
	names []int // instructions that name something whose number differs from slice to slice
}

// instAt is the place of an instruction in the source: 1 + index in Positions.
type instAt struct{ inst, at int }

// body returns the body of function i. Two that ask at a time may both make it: it is the same.
func (c *Cutter) body(i int) *body {
	b := c.bodies[i].Load()
	if b == nil {
		b = newBody(c.m.Funcs[i])
		b.check(c.around, i, c.m.Funcs[i])
		c.bodies[i].Store(b)
	}
	return b
}

func newBody(src *module.Func) *body {
	r := renumber{&body{}, reachable(src), make([]int, len(src.Regs))}
	r.number(src)
	inst := 0
	for i, from := range src.Blocks {
		if r.block[i] < 0 {
			continue
		}
		to := block{Block: &ir.Block{Insts: make([]*ir.Inst, len(from.Insts))}}
		for j, in := range from.Insts {
			if at := src.At[i][j]; at > 0 && hasPlace(in.Op) {
				r.at = append(r.at, instAt{inst, at})
			}
			to.Insts[j] = r.inst(in)
			if slices.ContainsFunc(to.Insts[j].Args, named) {
				to.names = append(to.names, j)
			}
			inst++
		}
		r.blocks = append(r.blocks, to)
	}
	return r.body
}

// check notes what is wrong with the body of src, function i. Of one that is in order, it has the text of what does not differ
// from slice to slice kept.
func (b *body) check(around *ir.Slice, i int, src *module.Func) {
	f := &ir.Func{Sig: src.Sig, NumReg: len(b.regs), Regs: b.regs}
	for _, block := range b.blocks {
		f.Blocks = append(f.Blocks, block.Block)
	}
	if b.err = ir.SanityFunc(around, i, f); b.err != nil {
		return
	}
	for _, block := range b.blocks {
		names := block.names
		for j, in := range block.Insts {
			if len(names) > 0 && names[0] == j {
				names = names[1:]
			} else {
				in.Keep()
			}
		}
	}
}

// named reports whether walk.value has something to do for v.
func named(v ir.Value) bool {
	switch v.Kind {
	case ir.FuncAddr, ir.ExternAddr, ir.GlobalAddr, ir.AsmRef:
		return true
	}
	return slices.ContainsFunc(v.Elems, named)
}

// hasPlace reports whether an instruction can violate a property, call, or end
// in UNKNOWN, so that a reader of the verdict asks for its place.
func hasPlace(op ir.Op) bool {
	switch op {
	case ir.Call, ir.CallBr, ir.Load, ir.Store, ir.CmpXchg, ir.AtomicRMW, ir.Unsupported, ir.Unreachable,
		ir.UDiv, ir.SDiv, ir.URem, ir.SRem, ir.GEP, ir.CondBr, ir.Switch:
		return true
	}
	return false
}

// reachable gives each block its number in the slice, -1 if nothing leads to it.
func reachable(f *module.Func) []int {
	num := make([]int, len(f.Blocks))
	for i := range num {
		num[i] = -1
	}
	num[0] = 0
	for todo := []int{0}; len(todo) > 0; {
		insts := f.Blocks[todo[0]].Insts
		todo = todo[1:]
		for _, t := range insts[len(insts)-1].Targets {
			if num[t] < 0 {
				num[t] = 0
				todo = append(todo, t)
			}
		}
	}
	n := 0
	for i := range num {
		if num[i] == 0 {
			num[i] = n
			n++
		}
	}
	return num
}

// renumber makes a body: its blocks and registers have the numbers of what is left.
type renumber struct {
	*body
	block []int // by number in the module
	reg   []int
}

func (r *renumber) number(src *module.Func) {
	for i, p := range src.Sig.Params {
		r.reg[i] = i
		r.regs = append(r.regs, p.Type)
	}
	for i, block := range src.Blocks {
		for _, in := range block.Insts {
			if r.block[i] >= 0 && in.Result >= 0 {
				r.reg[in.Result] = len(r.regs)
				r.regs = append(r.regs, in.Type)
			}
		}
	}
}

func (r *renumber) inst(in *ir.Inst) *ir.Inst {
	out := *in
	out.Args, out.Targets = nil, nil
	if in.Result >= 0 {
		out.Result = r.reg[in.Result]
	}
	for i, v := range in.Args {
		if in.Op == ir.Phi && r.block[in.Targets[i]] < 0 {
			continue
		}
		if v.Kind == ir.Reg {
			v.Index = r.reg[v.Index]
		}
		out.Args = append(out.Args, v)
	}
	for _, t := range in.Targets {
		if r.block[t] >= 0 {
			out.Targets = append(out.Targets, r.block[t])
		}
	}
	return &out
}
