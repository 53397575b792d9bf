package linear_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/linear"
)

const steps = 20_000

// ceil is n/k, rounded up, as the kernel writes it.
func ceil(b *expr.Builder, n expr.Expr, k uint64) expr.Expr {
	w := b.Width(n)
	zero, c := b.Const(0, w), b.Const(1, w)
	up := b.Slt(zero, n)
	x := b.ITE(up, b.Sub(n, c), n)
	return b.Add(b.SDiv(x, b.Const(k, w)), b.ITE(up, c, zero))
}

func TestRoundsUp(t *testing.T) {
	b := expr.NewBuilder()
	n := b.Var("n", 64)
	k := b.Const(1000, 128)
	r, wide := b.SExt(ceil(b, n, 1000), 128), b.SExt(n, 128)
	if !contradict(b, []expr.Expr{b.Slt(b.Mul(r, k), wide)}, steps) {
		t.Error("r*1000 < n is not refuted")
	}
	below := b.Mul(b.Sub(r, b.Const(1, 128)), k)
	if !contradict(b, []expr.Expr{b.Sle(wide, below)}, steps) {
		t.Error("n <= (r-1)*1000 is not refuted")
	}
	if contradict(b, []expr.Expr{b.Slt(b.Mul(r, k), b.Add(wide, b.Const(1, 128)))}, steps) {
		t.Error("r*1000 <= n is refuted, but holds for n = 1000")
	}
}

// TestNeverRefutesWhatHolds builds conditions that hold for given numbers, and
// asks whether they contradict each other.
func TestNeverRefutesWhatHolds(t *testing.T) {
	refuted := 0
	for seed := range uint64(100) {
		g := &gen{b: expr.NewBuilder(), state: seed}
		m := expr.NewModel()
		for i, name := range []string{"x", "y"} {
			v := g.b.Var(name, g.width(i))
			g.vars = append(g.vars, v)
			m.Set(v, expr.ValueOf(g.number(g.b.Width(v))))
		}
		ev := expr.NewEvaluator(g.b, m)
		var conds, lies []expr.Expr
		for range 3 {
			c := g.cond(3)
			if !ev.True(c) {
				c = g.b.Not(c)
			}
			conds = append(conds, c)
			lies = append(lies, g.b.Not(c))
		}
		if contradict(g.b, conds, steps) {
			t.Fatalf("seed %d: %v holds for x, y = %v, %v", seed, g.b.String(g.b.AndAll(conds...)), ev.Value(g.vars[0]), ev.Value(g.vars[1]))
		}
		if contradict(g.b, lies, steps) {
			refuted++
		}
	}
	if refuted == 0 {
		t.Error("nothing was refuted: the test is about nothing")
	}
}

// gen makes random expressions of one width, around a division.
type gen struct {
	b     *expr.Builder
	state uint64
	vars  []expr.Expr
}

func (g *gen) next(n uint64) uint64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) % n
}

func (g *gen) width(int) int { return 24 }

func (g *gen) number(width int) uint64 {
	switch g.next(4) {
	case 0:
		return g.next(20)
	case 1:
		return (1<<width - 1) - g.next(20)
	case 2:
		return (1<<(width-1) + g.next(20) - 10) & (1<<width - 1)
	}
	return g.next(1 << width)
}

func (g *gen) cond(depth int) expr.Expr {
	b := g.b
	if depth > 0 && g.next(4) == 0 {
		return b.And(g.cond(depth-1), g.cond(depth-1))
	}
	x, y := g.term(depth), g.term(depth)
	switch g.next(9) {
	case 5:
		return b.UMulOvf(x, y)
	case 6:
		return b.Not(b.SMulOvf(x, y))
	case 7:
		return b.Ult(b.Add(x, y), x)
	case 8:
		return b.Ult(b.URem(x, y), y)
	case 0:
		return b.Eq(x, y)
	case 1:
		return b.Not(b.Ult(x, y))
	case 2:
		return b.Slt(x, y)
	case 3:
		return b.Not(b.SMulOvf(x, b.Const(g.next(50), 24)))
	}
	return b.Ult(x, y)
}

func (g *gen) term(depth int) expr.Expr {
	b := g.b
	if depth == 0 {
		if g.next(3) == 0 {
			return b.Const(g.number(24), 24)
		}
		return g.vars[g.next(2)]
	}
	x := g.term(depth - 1)
	k := b.Const(g.next(2000)+1, 24)
	switch g.next(20) {
	case 14, 15:
		return b.Mul(x, g.term(depth-1))
	case 16:
		return b.UDiv(x, g.term(depth-1))
	case 17:
		return b.URem(x, g.term(depth-1))
	case 18:
		return b.SDiv(x, g.term(depth-1))
	case 19:
		return b.SRem(x, g.term(depth-1))
	case 0:
		return b.Add(x, g.term(depth-1))
	case 1:
		return b.Sub(x, g.term(depth-1))
	case 2:
		return b.Mul(x, k)
	case 3:
		return b.SDiv(x, k)
	case 4:
		return b.UDiv(x, k)
	case 5:
		return b.SRem(x, k)
	case 6:
		return b.URem(x, k)
	case 7:
		return b.ITE(g.cond(0), x, g.term(depth-1))
	case 8:
		return b.Trunc(b.SExt(x, 48), 24)
	case 9:
		return b.Trunc(b.Mul(b.SExt(x, 48), b.ConstBig(big.NewInt(int64(g.next(3000))), 48)), 24)
	case 10:
		return b.SExt(b.Extract(x, int(g.next(8)), 16), 24)
	case 11:
		return b.AShr(x, b.Const(g.next(26), 24))
	case 12:
		return b.Shl(b.Not(x), b.Const(g.next(26), 24))
	}
	return b.ZExt(b.Extract(x, int(g.next(8)), 16), 24)
}

func contradict(b *expr.Builder, conds []expr.Expr, steps int) bool {
	found, _ := linear.Contradict(b, conds, linear.NewGauge(b).Measure(conds), steps)
	return found
}

// TestEliminationGivesUp: of numbers of which all threes have a least sum, where elimination would make
// more and more rows, simplex finds that their whole sum has one.
func TestEliminationGivesUp(t *testing.T) {
	b := expr.NewBuilder()
	const n = 9
	var x []expr.Expr
	whole := b.Const(0, 32)
	for i := range n {
		x = append(x, b.ZExt(b.Var(fmt.Sprint("x", i), 16), 32))
		whole = b.Add(whole, x[i])
	}
	var conds []expr.Expr
	for i := range n {
		for j := range i {
			for k := range j {
				conds = append(conds, b.Ult(b.Const(300, 32), b.Add(x[i], b.Add(x[j], x[k]))))
			}
		}
	}
	for _, tt := range []struct {
		most uint64
		want bool
	}{{600, true}, {1200, false}} {
		all := append(conds[:len(conds):len(conds)], b.Ult(whole, b.Const(tt.most, 32)))
		if got, took := linear.Contradict(b, all, linear.Easy, 100_000); got != tt.want {
			t.Errorf("sum below %d: contradiction %v, want %v after %d steps", tt.most, got, tt.want, took)
		}
	}
}
