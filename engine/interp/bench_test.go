package interp_test

import (
	"math/big"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

func reg(i int, t *ir.Type) ir.Value { return ir.Value{Kind: ir.Reg, Type: t, Index: i} }

func num(n int64, t *ir.Type) ir.Value {
	return ir.Value{Kind: ir.ConstInt, Type: t, Big: big.NewInt(n)}
}

// loopSlice counts arg0 down to zero through a stack slot, as rustc's code
// does at the level that is verified.
func loopSlice() *ir.Slice {
	t, p := ir.I64, ir.PtrType
	f := &ir.Func{
		Sig:    ir.Sig{Params: []ir.Param{{Type: t}}, Ret: ir.Param{Type: t}},
		NumReg: 6, Regs: []*ir.Type{t, p, t, ir.I1, t, t},
		Blocks: []*ir.Block{
			{Insts: []*ir.Inst{
				{Op: ir.Alloca, Type: p, Result: 1, Size: 8, Align: 8},
				{Op: ir.Store, Type: t, Result: -1, Args: []ir.Value{reg(0, t), reg(1, p)}, Align: 8},
				{Op: ir.Br, Type: ir.VoidType, Result: -1, Targets: []int{1}},
			}},
			{Insts: []*ir.Inst{
				{Op: ir.Load, Type: t, Result: 2, Args: []ir.Value{reg(1, p)}, Align: 8, Meta: ir.Attr{NoUndef: true}},
				{Op: ir.ICmp, Type: ir.I1, Result: 3, Pred: ir.EQ, Args: []ir.Value{reg(2, t), num(0, t)}},
				{Op: ir.CondBr, Type: ir.VoidType, Result: -1, Args: []ir.Value{reg(3, ir.I1)}, Targets: []int{3, 2}},
			}},
			{Insts: []*ir.Inst{
				{Op: ir.Load, Type: t, Result: 4, Args: []ir.Value{reg(1, p)}, Align: 8, Meta: ir.Attr{NoUndef: true}},
				{Op: ir.Sub, Type: t, Result: 5, Args: []ir.Value{reg(4, t), num(1, t)}, Flags: ir.NUW},
				{Op: ir.Store, Type: t, Result: -1, Args: []ir.Value{reg(5, t), reg(1, p)}, Align: 8},
				{Op: ir.Br, Type: ir.VoidType, Result: -1, Targets: []int{1}},
			}},
			{Insts: []*ir.Inst{{Op: ir.Ret, Type: ir.VoidType, Result: -1, Args: []ir.Value{reg(2, t)}}}},
		},
	}
	return &ir.Slice{Arch: "x86_64", Funcs: []*ir.Func{f}}
}

func BenchmarkLoop(b *testing.B) {
	p, err := interp.Compile(loopSlice())
	if err != nil {
		b.Fatal(err)
	}
	const n = 1_000_000
	var steps int64
	for b.Loop() {
		o := p.Run(interp.Witness([]interp.Input{{Name: "arg0", Bits: 64, Value: big.NewInt(n)}}), interp.Limits{})
		if o.Kind != interp.Returned {
			b.Fatal(o)
		}
		steps += o.Steps
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds()/1e6, "Minst/s")
}
