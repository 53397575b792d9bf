package smt_test

import (
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// The benchmarks are named after what they stand for in a proof; run them with
// and without -tags cadical.

// BenchmarkFactor64 finds factors of a 64-bit product of 32-bit numbers.
func BenchmarkFactor64(b *testing.B) {
	b.Logf("backend %s", sat.Backend)
	for b.Loop() {
		eb := expr.NewBuilder()
		x, y := eb.Var("x", 64), eb.Var("y", 64)
		s := smt.New(eb, smt.Config{})
		small := eb.Const(1<<16, 64)
		r, _ := s.Check([]expr.Expr{
			eb.Eq(eb.Mul(x, y), eb.Const(64087*60013, 64)), eb.Ult(x, small), eb.Ult(y, small), eb.Ult(eb.Const(1, 64), x), eb.Ule(x, y),
		})
		if r != smt.Sat {
			b.Fatal(r)
		}
	}
}

// BenchmarkMulOverflow asks whether the checked product of two bounded numbers overflows.
func BenchmarkMulOverflow(b *testing.B) {
	for b.Loop() {
		eb := expr.NewBuilder()
		x, y := eb.Var("x", 64), eb.Var("y", 64)
		s := smt.New(eb, smt.Config{})
		limit := eb.Const(1<<31, 64)
		r, _ := s.Check([]expr.Expr{eb.Ult(x, limit), eb.Ult(y, limit), eb.UMulOvf(x, y)})
		if r != smt.Unsat {
			b.Fatal(r)
		}
	}
}

// BenchmarkPathConditions walks a decision tree over eight words, asking at
// each branch for both sides, as an engine that explores paths does.
func BenchmarkPathConditions(b *testing.B) { pathConditions(b, smt.Config{}) }

// BenchmarkWithout does the same with one stage of the chain left out: what it
// costs more is what the stage is good for.
func BenchmarkWithout(b *testing.B) {
	for _, stage := range smt.Stages {
		b.Run(stage, func(b *testing.B) { pathConditions(b, smt.Without(stage)) })
	}
}

func pathConditions(b *testing.B, cfg smt.Config) {
	queries, rounds, conflicts := int64(0), int64(0), int64(0)
	for b.Loop() {
		eb := expr.NewBuilder()
		s := smt.New(eb, cfg)
		walk(eb, s)
		st := s.Stats()
		queries, rounds, conflicts = queries+st.Queries, rounds+st.Blasted, conflicts+st.Conflicts
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(queries), "ns/query")
	b.ReportMetric(float64(rounds)/float64(b.N), "rounds/op")
	b.ReportMetric(float64(conflicts)/float64(b.N), "conflicts/op")
}

// walk branches 400 times on sums and, now and then, on quotients, over eight words.
func walk(eb *expr.Builder, s *smt.Chain) {
	rnd := rand.New(rand.NewSource(1))
	var vars []expr.Expr
	for range 8 {
		vars = append(vars, eb.Var("v", 32))
	}
	var pc []expr.Expr
	for i := range 400 {
		x, y := vars[rnd.Intn(8)], vars[rnd.Intn(8)]
		c := eb.Ult(eb.Add(eb.Xor(x, eb.Const(rnd.Uint64(), 32)), y), eb.Const(rnd.Uint64(), 32))
		if i%16 == 0 {
			c = eb.Ult(eb.Mul(eb.UDiv(x, eb.Const(1000, 32)), eb.Const(1000, 32)), x)
		}
		yes, _ := s.Check(append(pc, c))
		no, _ := s.Check(append(pc, eb.Not(c)))
		switch {
		case yes == smt.Sat && (no != smt.Sat || rnd.Intn(2) == 0):
			pc = append(pc, c)
		case no == smt.Sat:
			pc = append(pc, eb.Not(c))
		}
		if len(pc) == 24 {
			pc = pc[:rnd.Intn(16)]
		}
	}
}

// BenchmarkDivision proves x = x/7*7 + x%7 at 32 bits.
func BenchmarkDivision(b *testing.B) {
	for b.Loop() {
		eb := expr.NewBuilder()
		x, seven := eb.Var("x", 32), eb.Const(7, 32)
		s := smt.New(eb, smt.Config{})
		r, _ := s.Check([]expr.Expr{eb.Ne(x, eb.Add(eb.Mul(eb.UDiv(x, seven), seven), eb.URem(x, seven)))})
		if r != smt.Unsat {
			b.Fatal(r)
		}
	}
}
