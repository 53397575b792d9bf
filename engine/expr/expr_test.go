package expr_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

func TestHandlesAreEqualForEqualExpressions(t *testing.T) {
	b := expr.NewBuilder()
	x, y := b.Var("x", 32), b.Var("y", 32)
	if b.Add(x, y) != b.Add(y, x) {
		t.Error("x+y and y+x differ")
	}
	if got := b.Add(b.Const(3, 8), b.Const(254, 8)); got != b.Const(1, 8) {
		t.Errorf("3+254 at 8 bits is %v", got)
	}
	if b.Not(b.Not(x)) != x || b.Bool(true) != expr.True || b.Not(expr.True) != expr.False {
		t.Error("double complement, or truth values, differ")
	}
}

func TestEval(t *testing.T) {
	b := expr.NewBuilder()
	x := b.Var("x", 64)
	m := expr.NewModel()
	m.Set(x, expr.ValueOf(1<<63))
	wide := b.Mul(b.ZExt(x, 128), b.Const(6, 128))
	if got := b.Eval(wide, m).String(); got != "55340232221128654848" {
		t.Errorf("2^63*6 = %s", got)
	}
	if got, _ := b.Eval(b.Sub(x, b.Const(1, 64)), m).Uint64(); got != 1<<63-1 {
		t.Errorf("2^63-1 = %d", got)
	}
}
