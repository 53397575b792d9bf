package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// Where products of unknowns do not contradict each other as numbers, one question after
// the other, less and less is tried to find that they do.
func TestNumbersInVainAreTriedForLess(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{})
	effort := func(want smt.Result, conds ...expr.Expr) int64 {
		t.Helper()
		before := s.Stats().Effort
		if r, _ := s.Check(conds); r != want {
			t.Fatalf("%v, want %v", r, want)
		}
		return s.Stats().Effort - before
	}
	// Many cases and no contradiction, and a model that is found at once: all is 0 but one number.
	var some []int64
	for range 6 {
		seven := b.Var("seven", 32)
		conds := []expr.Expr{b.Eq(seven, b.Const(7, 32))}
		sum := seven
		for range 12 {
			x, y, p := b.Var("x", 32), b.Var("y", 32), b.Var("p", 1)
			sum = b.Add(sum, b.Mul(b.ITE(p, x, b.Add(y, b.Const(1, 32))), y))
		}
		conds = append(conds, b.Ult(sum, b.Const(1000, 32)))
		some = append(some, effort(smt.Sat, conds...))
	}
	if last := some[len(some)-1]; 2*last > some[0] {
		t.Errorf("efforts %v: the last should be less than half of the first", some)
	}
}
