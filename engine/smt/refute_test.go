package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// TestRefuteProduct: a contradiction that is none of a product, and is found without its circuit, comes to clauses
// like any other.
func TestRefuteProduct(t *testing.T) {
	b := expr.NewBuilder()
	x, y, z := b.Var("x", 32), b.Var("y", 32), b.Var("z", 32)
	p := b.ITE(b.Ult(z, b.Const(5, 32)), b.Mul(x, y), b.UDiv(x, y))
	conds := []expr.Expr{b.Ult(b.Xor(p, z), b.Const(3, 32)), b.Eq(b.Extract(b.Xor(p, z), 4, 1), b.Const(1, 1))}
	r := smt.NewRefuter(b, 10_000)
	res, c := r.Refute(r.Conjuncts(conds))
	if res != smt.Unsat || len(c.Clauses) == 0 || len(c.Core) == 0 {
		t.Fatalf("%v, %+v", res, c)
	}
}
