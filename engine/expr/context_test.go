package expr_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// TestContext assumes random conditions and compares what the context claims of
// random terms with their values under the models where the conditions hold.
func TestContext(t *testing.T) {
	claims := 0
	for _, widths := range [][]int{{1, 2}, {2, 3}, {3, 4}, {4, 8}, {7, 8}, {1, 64}, {32, 64}} {
		for seed := range int64(120) {
			s := newShadows(seed, append(widths, widths...), 40)
			for range 60 {
				s.pool = append(s.pool, s.grow(append([]int{1}, widths...)))
			}
			claims += checkContext(t, s)
		}
	}
	if claims < 1000 {
		t.Errorf("only %d claims that say something", claims)
	}
}

// checkContext returns how many truths the context found that hold by its conditions only.
func checkContext(t *testing.T, s *shadows) int {
	t.Helper()
	var truths []shadow
	for _, x := range s.pool {
		if x.width == 1 && !s.b.IsConst(x.e) {
			truths = append(truths, x)
		}
	}
	if len(truths) < 4 {
		return 0
	}
	c := s.b.NewContext(5_000)
	holds := make([]bool, len(s.models))
	some := false
	for i := range holds {
		holds[i] = true
	}
	for range 3 {
		x := truths[s.rnd.Intn(len(truths))]
		e, want := x.e, true
		if s.rnd.Intn(2) == 0 {
			e, want = s.b.Not(e), false
		}
		c.Assume(e)
		for i := range holds {
			holds[i] = holds[i] && !x.values[i].IsZero() == want
		}
	}
	claims := 0
	for _, x := range truths {
		v := c.Truth(x.e)
		if v != expr.None {
			claims++
		}
		for i, in := range holds {
			some = some || in
			if in && v != expr.None && (v == expr.True) == x.values[i].IsZero() {
				t.Fatalf("%s is said to be %v, but is %v under model %d", s.b.String(x.e), v == expr.True, x.values[i], i)
			}
		}
	}
	if some && c.Empty() {
		t.Fatal("conditions that hold together are said to contradict each other")
	}
	return claims
}
