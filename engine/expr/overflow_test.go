package expr_test

import (
	"fmt"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// TestOverflow compares whether sums and differences overflow with arithmetic that does not,
// of unknowns, constants, and numbers of which the limits are known.
func TestOverflow(t *testing.T) {
	kinds := []struct {
		name string
		make func(b *expr.Builder, v expr.Expr, k uint64, w int) expr.Expr
	}{
		{"variable", func(_ *expr.Builder, v expr.Expr, _ uint64, _ int) expr.Expr { return v }},
		{"constant", func(b *expr.Builder, _ expr.Expr, k uint64, w int) expr.Expr { return b.Const(k, w) }},
		{"half", func(b *expr.Builder, v expr.Expr, _ uint64, w int) expr.Expr {
			return b.SExt(b.Trunc(v, (w+1)/2), w)
		}},
	}
	for _, w := range []int{1, 2, 3, 4} {
		for _, kx := range kinds {
			for _, ky := range kinds {
				t.Run(fmt.Sprint(w, kx.name, ky.name), func(t *testing.T) {
					for i := range uint64(1) << (2 * w) {
						k, l := i>>w, i&(1<<w-1)
						b := expr.NewBuilder()
						v, u := b.Var("v", w), b.Var("u", w)
						checkOverflow(t, b, v, u, kx.make(b, v, k, w), ky.make(b, u, l, w), k, l)
					}
				})
			}
		}
	}
}

// checkOverflow looks at the one model in which v is k and u is l.
func checkOverflow(t *testing.T, b *expr.Builder, v, u, x, y expr.Expr, k, l uint64) {
	t.Helper()
	m := expr.NewModel()
	w := b.Width(v)
	m.Set(v, expr.ValueOf(k))
	m.Set(u, expr.ValueOf(l))
	ev := expr.NewEvaluator(b, m)
	number := func(e expr.Expr) (unsigned, signed int) {
		n, _ := ev.Value(e).Uint64()
		unsigned, signed = int(n), int(n)
		if n>>(w-1) == 1 {
			signed -= 1 << w
		}
		return unsigned, signed
	}
	ux, sx := number(x)
	uy, sy := number(y)
	top := 1 << (w - 1)
	outside := func(n int) bool { return n < -top || n >= top }
	for _, c := range []struct {
		name string
		e    expr.Expr
		want bool
	}{
		{"unsigned sum", b.UAddOvf(x, y), ux+uy >= 1<<w},
		{"unsigned difference", b.USubOvf(x, y), ux < uy},
		{"signed sum", b.SAddOvf(x, y), outside(sx + sy)},
		{"signed difference", b.SSubOvf(x, y), outside(sx - sy)},
	} {
		if got := ev.True(c.e); got != c.want {
			t.Errorf("%d bits, %s of %d and %d: got %v for %s", w, c.name, sx, sy, got, b.String(c.e))
		}
	}
}
