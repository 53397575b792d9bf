package expr_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// BenchmarkExisting makes an expression that is there.
func BenchmarkExisting(b *testing.B) {
	eb := expr.NewBuilder()
	x, y := eb.Var("x", 64), eb.Var("y", 64)
	for b.Loop() {
		eb.Add(x, y)
	}
}

// BenchmarkNew makes expressions that are not there, with facts about them.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	eb := expr.NewBuilder()
	x, acc := eb.ZExt(eb.Var("x", 8), 64), eb.ZExt(eb.Var("y", 8), 64)
	for i := 0; b.Loop(); i++ {
		if i%100000 == 0 { // a builder of bounded size
			eb = expr.NewBuilder()
			x, acc = eb.ZExt(eb.Var("x", 8), 64), eb.ZExt(eb.Var("y", 8), 64)
		}
		acc = eb.Xor(eb.Mul(acc, x), acc)
	}
}

// BenchmarkBytes writes a word byte by byte and reads it back.
func BenchmarkBytes(b *testing.B) {
	eb := expr.NewBuilder()
	x := eb.Var("x", 64)
	for b.Loop() {
		word := eb.Extract(x, 0, 8)
		for i := 8; i < 64; i += 8 {
			word = eb.Concat(eb.Extract(x, i, 8), word)
		}
		if word != x {
			b.Fatal("not the same word")
		}
	}
}

// BenchmarkEval evaluates a chain of 1000 operations under a new model.
func BenchmarkEval(b *testing.B) {
	eb := expr.NewBuilder()
	x := eb.Var("x", 64)
	acc := x
	for i := range uint64(500) {
		acc = eb.Xor(eb.Mul(acc, x), eb.Const(i, 64))
	}
	m := expr.NewModel()
	for b.Loop() {
		m.Set(x, expr.ValueOf(3))
		eb.Eval(acc, m)
	}
}

// BenchmarkVars asks for the variables of a long sum, as for each model that is made.
func BenchmarkVars(b *testing.B) {
	build := expr.NewBuilder()
	sum := build.Const(0, 32)
	for range 2000 {
		sum = build.Add(sum, build.ZExt(build.Mul(build.Var("x", 16), build.Var("y", 16)), 32))
	}
	for b.Loop() {
		if n := len(build.Vars(sum)); n != 4000 {
			b.Fatalf("%d variables, want 4000", n)
		}
		if len(build.FreeReads(sum)) > 0 {
			b.Fatal("there is no array")
		}
	}
}
