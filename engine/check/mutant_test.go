package check_test

import (
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// TestSeededBugs puts the bugs of testdata/mutants.txt into programs that
// prove. What counts as equivalent must still prove.
func TestSeededBugs(t *testing.T) {
	list, err := os.ReadFile("../testdata/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(list), "\n") {
		program, rest, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(rest, " : ")
		from, to, ok := strings.Cut(rest[:max(at, 0)], " => ")
		if !ok {
			t.Fatalf("line %d: no change and verdict", i+1)
		}
		want, _, _ := strings.Cut(rest[at+3:], ",")
		t.Run(fmt.Sprintf("%d:%s", i+1, program), func(t *testing.T) { seededBug(t, program, from, strings.TrimSpace(to), want) })
	}
}

func seededBug(t *testing.T, program, from, to, want string) {
	text, err := os.ReadFile("../testdata/" + program + ".kvs")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%q is not there", from)
	}
	s, err := ir.Parse([]byte(strings.Replace(string(text), from, to, 1)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if want == "equivalent" {
		want = string(verdict.Proved)
	}
	if string(v.Verdict) != want {
		t.Errorf("%s %s, want %s", v.Verdict, v.Reason, want)
	}
	randomRuns(t, s, v, 100)
}

// mutants calls f with every slice that differs from s by one small change of
// an instruction, and puts it back.
func mutants(s *ir.Slice, f func(what string)) {
	for fi, fn := range s.Funcs {
		for bi, b := range fn.Blocks {
			for ii, in := range b.Insts {
				for _, m := range changes(in) {
					old := *in
					args := append([]ir.Value(nil), in.Args...)
					targets := append([]int(nil), in.Targets...)
					m.apply(in)
					if ir.Sanity(s) == nil {
						f(fmt.Sprintf("%d:b%d:%d %v: %s", fi, bi, ii, old.Op, m.what))
					}
					*in = old
					in.Args, in.Targets = args, targets
				}
			}
		}
	}
}

type change struct {
	what  string
	apply func(*ir.Inst)
}

// changes lists the mistakes that one instruction may hold.
func changes(in *ir.Inst) []change {
	var out []change
	add := func(what string, apply func(*ir.Inst)) { out = append(out, change{what, apply}) }
	if in.Flags != 0 {
		add("without flags", func(in *ir.Inst) { in.Flags = 0 })
	}
	if in.Op == ir.Add || in.Op == ir.Sub || in.Op == ir.Mul {
		add("must not wrap", func(in *ir.Inst) { in.Flags ^= ir.NUW })
	}
	if p, ok := swapped[in.Pred]; ok && in.Op == ir.ICmp {
		add("off by one", func(in *ir.Inst) { in.Pred = p[0] })
		add("other sign", func(in *ir.Inst) { in.Pred = p[1] })
	}
	if op, ok := confused[in.Op]; ok {
		add("other operation", func(in *ir.Inst) { in.Op = op; in.Flags = 0 })
	}
	switch in.Op {
	case ir.Sub, ir.UDiv, ir.ICmp, ir.Shl:
		add("operands swapped", func(in *ir.Inst) { in.Args[0], in.Args[1] = in.Args[1], in.Args[0] })
	case ir.Select:
		add("sides swapped", func(in *ir.Inst) { in.Args[1], in.Args[2] = in.Args[2], in.Args[1] })
	case ir.CondBr:
		add("ways swapped", func(in *ir.Inst) { in.Targets[0], in.Targets[1] = in.Targets[1], in.Targets[0] })
	case ir.GEP:
		add("one further", func(in *ir.Inst) { in.Off++ })
	case ir.Alloca:
		add("one shorter", func(in *ir.Inst) { in.Size = max(in.Size-1, 0) })
	case ir.Load, ir.Store:
		add("aligned", func(in *ir.Inst) { in.Align *= 2 })
	}
	for i := range in.Args {
		if in.Args[i].Kind == ir.ConstInt && in.Args[i].Type.Kind == ir.Int {
			add(fmt.Sprintf("operand %d one more", i), func(in *ir.Inst) { in.Args[i] = oneMore(in.Args[i]) })
		}
	}
	return out
}

var swapped = map[ir.Pred][2]ir.Pred{
	ir.ULT: {ir.ULE, ir.SLT}, ir.ULE: {ir.ULT, ir.SLE}, ir.UGT: {ir.UGE, ir.SGT}, ir.UGE: {ir.UGT, ir.SGE},
	ir.SLT: {ir.SLE, ir.ULT}, ir.SLE: {ir.SLT, ir.ULE}, ir.SGT: {ir.SGE, ir.UGT}, ir.SGE: {ir.SGT, ir.UGE},
	ir.EQ: {ir.NE, ir.UGE}, ir.NE: {ir.EQ, ir.ULT},
}

var confused = map[ir.Op]ir.Op{
	ir.Add: ir.Sub, ir.Sub: ir.Add, ir.And: ir.Or, ir.Or: ir.Xor, ir.Xor: ir.And, ir.Shl: ir.LShr, ir.LShr: ir.AShr,
	ir.AShr: ir.LShr, ir.UDiv: ir.SDiv, ir.SDiv: ir.UDiv, ir.URem: ir.SRem, ir.SRem: ir.URem, ir.ZExt: ir.SExt, ir.SExt: ir.ZExt,
}

func oneMore(v ir.Value) ir.Value {
	n := new(big.Int).Add(v.Big, big.NewInt(1))
	v.Big = n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(v.Type.Bits)), big.NewInt(1)))
	return v
}

// TestMutants changes programs that prove, in every small way. What still
// proves must not fail in any run that is tried, and what fails in one must be refuted.
func TestMutants(t *testing.T) {
	t.Parallel()
	every := 10
	if os.Getenv("KVFARM_CI") != "" {
		every = 5
	}
	words := map[verdict.Word]int{}
	n := 0
	for _, p := range programs(t) {
		if !strings.HasPrefix(p.verdict, string(verdict.Proved)) {
			continue
		}
		mutants(p.slice, func(what string) {
			if n++; n%every != 0 {
				return
			}
			words[tryMutant(t, p.name+" "+what, p.slice)]++
		})
	}
	t.Logf("verdicts of mutants: %v", words)
}

func tryMutant(t *testing.T, name string, s *ir.Slice) verdict.Word {
	v, err := check.Prove(s, exec.Config{Budget: 50_000, LoopBound: 20})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	prog, err := interp.Compile(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for seed := range uint64(200) {
		o := prog.Run(interp.Random(seed), interp.Limits{Steps: 5_000, Memory: 1 << 16})
		if bad := contradicts(v, &o); bad != "" {
			t.Errorf("%s: %s, but the run with seed %d ends with %v on %v", name, bad, seed, &o, o.Inputs)
			break
		}
	}
	return v.Verdict
}
