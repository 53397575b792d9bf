package smt_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// A query that is too large for SAT is not looked at to its end, however often it is asked.
func TestLargeQueriesAreGivenUpSoon(t *testing.T) {
	const largest = 1 << 18
	b := expr.NewBuilder()
	x, y := b.Var("x", 64), b.Var("y", 64)
	e := x
	for i := range 128 {
		e = b.Mul(b.Xor(e, b.Const(uint64(i), 64)), b.Add(y, e))
	}
	s := smt.New(b, smt.Config{})
	for i := range 2 {
		before := s.Stats()
		if r, _ := s.Check([]expr.Expr{b.Eq(e, b.Const(uint64(12345+i), 64))}); r != smt.Unknown {
			t.Fatalf("%v, want unknown", r)
		}
		if after := s.Stats(); after.Gates < 3*largest || after.Walked-before.Walked > 3*largest {
			t.Errorf("query %d: of %d gates %d were looked at, of at most %d that SAT is given", i, after.Gates, after.Walked-before.Walked, largest)
		}
	}
}
