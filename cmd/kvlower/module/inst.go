package module

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"
)

var ops = func() map[string]ir.Op {
	m := map[string]ir.Op{"getelementptr": ir.GEP, "ptrtoaddr": ir.PtrToInt}
	for op := ir.Ret; op <= ir.Unsupported; op++ {
		if op != ir.CondBr && op != ir.GEP {
			m[op.String()] = op
		}
	}
	return m
}()

// instruction reads what Writer::instruction writes, and its position.
func (r *reader) instruction() (*ir.Inst, int) {
	name := r.str()
	in := &ir.Inst{Op: ops[name], Result: -1, Type: r.typ()}
	in.Flags = ir.Flags(r.u())
	at := r.int()
	if in.Op == ir.OpInvalid {
		r.fail(fmt.Errorf("no opcode %q", name))
		return in, at
	}
	var why string
	switch {
	case in.Op == ir.Unsupported:
		in.Text = r.str()
	case in.Op == ir.Call || in.Op == ir.CallBr:
		r.call(in, &why)
	case in.Op == ir.Switch:
		r.switchInst(in, &why)
	case in.Op == ir.Phi:
		for range r.n() {
			in.Args = append(in.Args, r.value(&why))
			in.Targets = append(in.Targets, r.int())
		}
	case in.Op == ir.GEP:
		r.gep(in, &why)
	case in.Op.IsTerminator():
		r.args(in, &why)
		r.targets(in)
		if in.Op == ir.Br && len(in.Targets) == 2 {
			in.Op = ir.CondBr
		}
	default:
		r.memory(in, &why)
	}
	if why != "" {
		return &ir.Inst{Op: ir.Unsupported, Result: -1, Type: in.Type, Text: name + " with " + why}, at
	}
	return in, at
}

func (r *reader) args(in *ir.Inst, why *string) {
	for range r.n() {
		in.Args = append(in.Args, r.value(why))
	}
}

func (r *reader) targets(in *ir.Inst) {
	for range r.n() {
		in.Targets = append(in.Targets, r.int())
	}
}

func (r *reader) call(in *ir.Inst, why *string) {
	in.Args = []ir.Value{r.value(why)}
	r.args(in, why)
	flags := r.u()
	in.CallSig = &ir.Sig{NoReturn: flags&1 != 0, Variadic: flags&2 != 0}
	for range in.Args[1:] {
		in.CallSig.Params = append(in.CallSig.Params, r.param())
	}
	in.CallSig.Ret = r.param()
	if in.Op == ir.CallBr {
		r.targets(in)
	}
}

func (r *reader) switchInst(in *ir.Inst, why *string) {
	in.Args = []ir.Value{r.value(why)}
	for range r.n() {
		in.Cases = append(in.Cases, r.value(why))
		in.Targets = append(in.Targets, r.int())
	}
	in.Targets = append(in.Targets, r.int())
}

func (r *reader) gep(in *ir.Inst, why *string) {
	in.Args = []ir.Value{r.value(why)}
	in.Off = r.i()
	for range r.n() {
		in.Args = append(in.Args, r.value(why))
		in.Scales = append(in.Scales, r.i())
	}
}

// preds are the names of predicates in LLVM.
var preds = func() map[string]ir.Pred {
	m := map[string]ir.Pred{}
	for p := ir.EQ; p <= ir.SLE; p++ {
		m[p.String()] = p
	}
	return m
}()

// memory reads what Writer::memory writes: the opcodes that are not handled before.
func (r *reader) memory(in *ir.Inst, why *string) {
	r.args(in, why)
	switch in.Op {
	case ir.Alloca:
		in.Size, in.Align = r.size(), r.align()
	case ir.Load:
		in.Align, in.Ordering = r.align(), r.str()
		in.Meta = r.param().Attr
	case ir.Store:
		in.Align, in.Ordering = r.align(), r.str()
		if len(in.Args) > 0 {
			in.Type = in.Args[0].Type
		}
	case ir.Fence:
		in.Ordering = r.str()
	case ir.CmpXchg:
		in.Align, in.Ordering, in.FailOrd = r.align(), r.str(), r.str()
	case ir.AtomicRMW:
		in.Align, in.Ordering, in.RMW = r.align(), r.str(), r.str()
	case ir.ICmp:
		name := r.str()
		pred, ok := preds[name]
		if !ok {
			r.fail(fmt.Errorf("no predicate %q", name))
		}
		in.Pred = pred
	case ir.ExtractValue, ir.InsertValue:
		for range r.n() {
			in.Path = append(in.Path, r.int())
		}
	case ir.ShuffleVector:
		for range r.n() {
			in.Path = append(in.Path, int(r.i()))
		}
	}
}
