package interp_test

import (
	"math/big"
	"os"
	"path/filepath"
	"syscall"
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
	rate(b, func() int64 {
		o := p.Run(interp.Witness([]interp.Input{{Name: "arg0", Bits: 64, Value: big.NewInt(n)}}), interp.Limits{})
		if o.Kind != interp.Returned {
			b.Fatal(o)
		}
		return o.Steps
	})
}

// BenchmarkCompiled runs what rustc makes of small functions: calls, slices,
// structs in memory, and runs that are so short that to start them counts.
func BenchmarkCompiled(b *testing.B) {
	files, err := filepath.Glob("testdata/native/*.kvs")
	if err != nil || len(files) == 0 {
		b.Fatalf("no programs: %v", err)
	}
	var programs []*interp.Program
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		s, err := ir.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		p, err := interp.Compile(s)
		if err != nil {
			b.Fatal(err)
		}
		programs = append(programs, p)
	}
	rate(b, func() int64 {
		var steps int64
		for _, p := range programs {
			for seed := range uint64(20) {
				o := p.Run(interp.Random(seed), interp.Limits{})
				steps += o.Steps
			}
		}
		return steps
	})
}

// rate reports how many million instructions are executed in a second of this
// process's own time: others on the machine do not count.
func rate(b *testing.B, run func() int64) {
	var steps int64
	before := spent(b)
	for b.Loop() {
		steps += run()
	}
	b.ReportMetric(float64(steps)/float64(spent(b)-before), "Minst/cpu-s")
}

// spent is the processor time of this process, in microseconds.
func spent(b *testing.B) int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return (r.Utime.Sec+r.Stime.Sec)*1e6 + r.Utime.Usec + r.Stime.Usec
}
