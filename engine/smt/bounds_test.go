package smt_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// What is left of bounds says the same as all of them, of any number.
func TestStrongestBoundsSayTheSame(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	fewer := 0
	for range 2000 {
		b := expr.NewBuilder()
		x, y := b.Var("x", 3), b.Var("y", 3)
		var conds []expr.Expr
		for range 2 + rnd.IntN(100) {
			v, k := x, b.Const(rnd.Uint64N(8), 3)
			if rnd.IntN(3) == 0 {
				v = y
			}
			make := []func(x, y expr.Expr) expr.Expr{b.Ult, b.Ule, b.Slt, b.Sle, b.Eq}[rnd.IntN(5)]
			e := make(v, k)
			if rnd.IntN(2) == 0 {
				e = make(k, v)
			}
			if rnd.IntN(2) == 0 {
				e = b.Not(e)
			}
			conds = append(conds, e)
		}
		left := smt.Strongest(b, slices.Clone(conds))
		fewer += len(conds) - len(left)
		for i := range uint64(64) {
			m := expr.NewModel()
			m.Set(x, expr.ValueOf(i%8))
			m.Set(y, expr.ValueOf(i/8))
			ev := expr.NewEvaluator(b, m)
			if all(ev, conds) != all(ev, left) {
				t.Fatalf("%d conditions, of which %d are left, differ at %d", len(conds), len(left), i)
			}
		}
	}
	if fewer < 100 {
		t.Errorf("only %d conditions were left out", fewer)
	}
}

func all(ev *expr.Evaluator, conds []expr.Expr) bool {
	return !slices.ContainsFunc(conds, func(e expr.Expr) bool { return !ev.True(e) })
}

// A loop's bounds come to one, few bounds stay as they are.
func TestStrongestOfMany(t *testing.T) {
	b := expr.NewBuilder()
	n := b.Var("n", 32)
	conds := []expr.Expr{b.Ule(n, b.Const(160, 32))}
	for i := range uint64(100) {
		conds = append(conds, b.Ult(b.Const(i+1, 32), n))
	}
	if got, want := smt.Strongest(b, slices.Clone(conds)), []expr.Expr{conds[0], conds[100]}; !slices.Equal(got, want) {
		t.Errorf("%d are left, want the first and the last", len(got))
	}
	if got := smt.Strongest(b, slices.Clone(conds[:16])); len(got) != 16 {
		t.Errorf("%d of 16 are left, want all", len(got))
	}
}
