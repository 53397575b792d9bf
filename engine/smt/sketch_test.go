package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// What multipliers and dividers give matters to no more queries than it must: the others are decided
// without them, and those that hang on it are decided right.
func TestSketch(t *testing.T) {
	b := expr.NewBuilder()
	x, y, z := b.Var("x", 32), b.Var("y", 32), b.Var("z", 32)
	p := b.ITE(b.Ult(z, b.Const(5, 32)), b.Mul(x, y), b.UDiv(x, y))
	small := b.Ult(b.Xor(p, z), b.Const(3, 32))
	mixed := b.Xor(p, b.And(z, b.Add(x, y)))
	for _, tt := range []struct {
		name     string
		conds    []expr.Expr
		want     smt.Result
		sketched bool
	}{
		// p^z and its last bit, whatever p is.
		{"apart", []expr.Expr{small, b.Eq(b.Extract(b.Xor(p, z), 4, 1), b.Const(1, 1))}, smt.Unsat, true},
		// p is q or not, however they come about.
		{"choice", []expr.Expr{b.Ult(mixed, b.Const(9, 32)), b.Ult(b.Const(100, 32), b.ITE(b.Ult(y, x), mixed, b.And(mixed, z)))}, smt.Unsat, true},
		// An odd number times an odd number.
		{"product", []expr.Expr{b.Not(b.Extract(b.Mul(x, b.Xor(y, b.UDiv(x, z))), 0, 1)), b.Extract(x, 0, 1), b.Extract(b.Xor(y, b.UDiv(x, z)), 0, 1)}, smt.Unsat, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := smt.New(b, smt.Without("ranges"))
			if r, _ := s.Check(tt.conds); r != tt.want {
				t.Fatalf("%v, want %v", r, tt.want)
			}
			if got := s.Stats().Sketched > 0; got != tt.sketched {
				t.Errorf("sketched: %v, want %v; %+v", got, tt.sketched, s.Stats())
			}
		})
	}
}
