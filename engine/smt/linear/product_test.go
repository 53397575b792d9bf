package linear_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// product is a question about products: under the conditions before, bad cannot
// hold; without the condition weak it can.
type product struct {
	name   string
	before []expr.Expr
	bad    expr.Expr
	weak   int // index in before
}

// TestProducts asks what programs that lay out blocks ask: whether an index by
// quotient and remainder stays inside, and whether what computes it overflows.
func TestProducts(t *testing.T) {
	b := expr.NewBuilder()
	for _, p := range products(b) {
		t.Run(p.name, func(t *testing.T) {
			if !contradict(b, append(p.before, p.bad), steps) {
				t.Error("not refuted")
			}
			weaker := append([]expr.Expr{p.bad}, p.before[:p.weak]...)
			if contradict(b, append(weaker, p.before[p.weak+1:]...), steps) {
				t.Errorf("refuted even without %s", b.String(p.before[p.weak]))
			}
		})
	}
}

func products(b *expr.Builder) []product {
	v := func(name string) expr.Expr { return b.Var(name, 64) }
	number := func(n uint64) expr.Expr { return b.Const(n, 64) }
	no, zero := b.Not, number(0)

	x, y, z := v("x"), v("y"), v("z") // z is the divisor
	small := []expr.Expr{b.Ne(zero, z), b.Ult(z, number(1<<16)), b.Ult(x, number(1<<24)), b.Ult(y, number(1<<16))}
	whole := b.Mul(b.UDiv(x, z), y)
	part := b.Mul(b.URem(x, z), y)
	muldiv := b.Add(whole, b.UDiv(part, z))

	n, size, at := v("n"), v("size"), v("at")
	grid := []expr.Expr{no(b.UMulOvf(n, size)), b.Ult(at, b.Mul(n, size)), b.Ne(zero, n)}
	turned := b.Mul(size, b.URem(at, n))

	row, col := v("row"), v("col")
	cell := []expr.Expr{no(b.UMulOvf(n, size)), b.Ult(row, n), b.Ult(col, size)}

	wide := func(e expr.Expr) expr.Expr { return b.ZExt(e, 128) }
	return []product{
		{"muldiv", small, b.Ult(b.Mul(x, y), muldiv), 2},
		{"muldiv, its sum", small, b.Ult(muldiv, whole), 2},
		{"muldiv, its product", small, b.UMulOvf(b.URem(x, z), y), 3},
		{"turned, its product", grid, b.UMulOvf(size, b.URem(at, n)), 0},
		{"turned, its sum", grid, b.Ult(b.Add(b.UDiv(at, n), turned), turned), 0},
		{"turned, inside", grid, b.Ule(b.Mul(n, size), b.Add(b.UDiv(at, n), turned)), 1},
		{"cell, its product", cell, b.UMulOvf(row, size), 0},
		{"cell, inside", cell, b.Ule(b.Mul(n, size), b.Add(b.Mul(row, size), col)), 2},
		{"at twice the width", cell, b.Ule(b.Mul(wide(n), wide(size)), b.Mul(wide(row), wide(size))), 1},
	}
}
