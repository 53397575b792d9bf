package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// TestRanges: what sums and bounds decide costs no conflict, however long the sum.
func TestRanges(t *testing.T) {
	for _, n := range []int{4, 16, 64} {
		b := expr.NewBuilder()
		length, sum, most := b.Var("n", 32), b.Const(0, 32), b.Const(0, 8)
		total, greatest := sum, most
		for i := range n {
			x := b.Var("x", 8)
			sum = b.Add(sum, b.ZExt(x, 32))
			most = b.ITE(b.Ult(most, x), x, most)
			longer := b.Ult(b.Const(uint64(i), 32), length)
			total, greatest = b.ITE(longer, sum, total), b.ITE(longer, most, greatest)
		}
		fits := b.Ule(length, b.Const(uint64(n), 32))
		for _, tt := range []struct {
			name string
			want smt.Result
			cond expr.Expr
		}{
			{"sum above all it can be", smt.Unsat, b.Ult(b.Mul(b.Const(255, 32), length), total)},
			{"sum at all it can be", smt.Sat, b.Ule(b.Mul(b.Const(255, 32), length), total)},
			{"sum below its greatest part", smt.Unsat, b.Ult(total, b.ZExt(greatest, 32))},
			{"sum above its greatest part", smt.Sat, b.Ult(b.ZExt(greatest, 32), total)},
		} {
			c := smt.New(b, smt.Config{QueryEffort: 4000})
			got, m := c.Check([]expr.Expr{fits, tt.cond})
			if got != tt.want {
				t.Errorf("%s of %d: %v, want %v", tt.name, n, got, tt.want)
			}
			if got == smt.Sat && !expr.NewEvaluator(b, m).True(tt.cond) {
				t.Errorf("%s of %d: the model does not satisfy it", tt.name, n)
			}
			if got == smt.Unsat && c.Stats().Conflicts > 0 {
				t.Errorf("%s of %d: %d conflicts, want none", tt.name, n, c.Stats().Conflicts)
			}
		}
	}
}

// TestRangesBeforeSAT: SAT is not told of thousands of gates for a question that may cost little, if bounds answer it in that time.
func TestRangesBeforeSAT(t *testing.T) {
	const n = 160
	b := expr.NewBuilder()
	length, sum := b.Var("n", 32), b.Const(0, 32)
	total := sum
	for i := range n {
		sum = b.Add(sum, b.ZExt(b.Var("x", 8), 32))
		total = b.ITE(b.Ult(b.Const(uint64(i), 32), length), sum, total)
	}
	c := smt.New(b, smt.Config{})
	conds := []expr.Expr{b.Ule(length, b.Const(n, 32)), b.Ult(b.Mul(b.Const(255, 32), length), total)}
	r, _ := c.CheckDoubted(conds, 200)
	if st := c.Stats(); r != smt.Unsat || st.Clauses > 0 {
		t.Errorf("%v, and SAT was told of %d clauses; want unsat and none", r, st.Clauses)
	}
}
