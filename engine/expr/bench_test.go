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
