package expr_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// quotient returns a number and a term with a quotient by it, or nearly so, as
// programs have them that convert units.
func (g *generator) quotient(w int) (k, e expr.Expr) {
	b, from := g.b, 1+g.rnd.Intn(w)
	k = b.Const(g.rnd.Uint64(), from)
	by := k
	if g.rnd.Intn(8) == 0 {
		by = b.Const(g.rnd.Uint64(), from)
	}
	divide := []func(x, y expr.Expr) expr.Expr{b.UDiv, b.SDiv}[g.rnd.Intn(2)]
	extend := []func(x expr.Expr, width int) expr.Expr{b.ZExt, b.SExt}[g.rnd.Intn(2)]
	e = divide(g.term(from, 1), by)
	if g.rnd.Intn(3) == 0 {
		e = b.Not(e)
	}
	if g.rnd.Intn(2) == 0 {
		e = b.Add(e, extend(g.term(1+g.rnd.Intn(from), 0), from))
	}
	e, k = extend(e, w), extend(k, w)
	if g.rnd.Intn(4) == 0 {
		e = b.Not(e)
	}
	return k, e
}

// TestQuotientTimesDivisor multiplies every quotient of up to 4 bits, as it is or
// in a sum, extended or not, with every constant of the width, and compares with
// the meaning for every value of x and y.
func TestQuotientTimesDivisor(t *testing.T) {
	rewritten, left := 0, 0
	for from := 2; from <= 4; from++ {
		for to := from; to <= from+1; to++ {
			for shape := range shapes {
				r, l := timesDivisor(t, from, to, shape)
				rewritten, left = rewritten+r, left+l
			}
		}
	}
	if rewritten == 0 || left == 0 {
		t.Errorf("%d products without a quotient, %d with one", rewritten, left)
	}
}

func timesDivisor(t *testing.T, from, to, shape int) (rewritten, left int) {
	t.Helper()
	for k := range uint64(1) << from {
		b := expr.NewBuilder()
		x, y := b.Var("x", from), b.Var("y", from)
		by, e := product(b, x, y, b.Const(k, from), to, shape)
		got, raw := b.Mul(by, e), b.MakeRaw(expr.OpMul, to, 0, by, e)
		if got == raw {
			left++
			continue
		}
		rewritten++
		for i := uint64(0); i < 1<<(2*from); i++ {
			m := expr.NewModel()
			m.Set(x, expr.ValueOf(i>>from))
			m.Set(y, expr.ValueOf(i&(1<<from-1)))
			if have, want := b.Eval(got, m), b.Eval(raw, m); !have.Equal(want) {
				t.Fatalf("%s is %v, want %v, for model %d of %s", b.String(got), have, want, i, b.String(raw))
			}
		}
	}
	return rewritten, left
}

// shapes numbers the choices that product makes.
const shapes = 5 << 5

// product returns the factors: k, extended, and a term that divides x by it or by
// the number after it, may add a part of y, and is extended.
func product(b *expr.Builder, x, y, k expr.Expr, to, shape int) (by, e expr.Expr) {
	from := b.Width(k)
	choose := func(bit int) bool { return shape>>bit&1 == 1 }
	divide, extend := b.UDiv, b.ZExt
	if choose(0) {
		divide = b.SDiv
	}
	if choose(1) {
		extend = b.SExt
	}
	e = divide(x, k)
	if choose(2) {
		e = divide(x, b.Add(k, b.Const(1, from)))
	}
	if choose(3) {
		e = b.Not(e)
	}
	switch shape >> 5 { // sums that overflow on either side, on both, or never
	case 1:
		e = b.Add(e, b.ZExt(b.Trunc(y, 1), from))
	case 2:
		e = b.Add(e, b.SExt(b.Trunc(y, 1), from))
	case 3:
		e = b.Add(e, b.Not(b.ZExt(b.Trunc(y, from-1), from)))
	case 4:
		e = b.Add(e, y)
	}
	e = extend(e, to)
	if choose(4) {
		e = b.Not(e)
	}
	return extend(k, to), e
}
