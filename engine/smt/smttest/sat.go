package smttest

import (
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// RunSAT tests a propositional backend. limits says whether it keeps budgets.
func RunSAT(t *testing.T, newSAT func() sat.Solver, limits bool) {
	t.Run("random", func(t *testing.T) { randomSAT(t, newSAT) })
	t.Run("assumptions", func(t *testing.T) { assumptions(t, newSAT) })
	t.Run("pigeons", func(t *testing.T) { pigeons(t, newSAT) })
	if limits {
		t.Run("budget", func(t *testing.T) { budget(t, newSAT) })
	}
	t.Run("repeatable", func(t *testing.T) { repeatable(t, newSAT) })
	if _, ok := newSAT().(sat.Focuser); ok {
		t.Run("focus", func(t *testing.T) { focus(t, newSAT) })
	}
}

const unlimited = 1 << 30

// randomSAT adds random clauses over 12 variables one by one and solves under
// random assumptions each time, until there is no answer left but one.
func randomSAT(t *testing.T, newSAT func() sat.Solver) {
	const seed, vars = 3, 12
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	for range 20 {
		s := newSAT()
		var clauses [][]sat.Lit
		for range 70 {
			c := randomLits(rnd, vars, 1+rnd.Intn(3))
			clauses = append(clauses, c)
			s.AddClause(c...)
			checkSAT(t, s, clauses, vars, randomLits(rnd, vars, rnd.Intn(4)))
		}
	}
}

func randomLits(rnd *rand.Rand, vars, n int) []sat.Lit {
	out := make([]sat.Lit, n)
	for i := range out {
		out[i] = sat.Lit(1 + rnd.Intn(vars))
		if rnd.Intn(2) == 0 {
			out[i] = -out[i]
		}
	}
	return out
}

// checkSAT compares an answer with trying all assignments, checks values after
// Sat, and after Unsat that the needed assumptions are contradictory by themselves.
func checkSAT(t *testing.T, s sat.Solver, clauses [][]sat.Lit, vars int, assume []sat.Lit) {
	t.Helper()
	r, _ := s.Solve(unlimited, assume...)
	want := sat.Unsat
	if satisfiable(clauses, vars, assume) {
		want = sat.Sat
	}
	if r != want {
		t.Fatalf("%v under %v: got %v, want %v", clauses, assume, r, want)
	}
	if r == sat.Unsat {
		var core []sat.Lit
		for _, l := range assume {
			if s.Value(l) {
				core = append(core, l)
			}
		}
		if satisfiable(clauses, vars, core) {
			t.Fatalf("%v under %v: %v is no reason", clauses, assume, core)
		}
		return
	}
	for _, l := range assume {
		if !s.Value(l) {
			t.Fatalf("assumption %v does not hold", l)
		}
	}
	for _, c := range clauses {
		if !anyHolds(c, s.Value) {
			t.Fatalf("clause %v does not hold", c)
		}
	}
}

func anyHolds(c []sat.Lit, value func(sat.Lit) bool) bool {
	for _, l := range c {
		if value(max(l, -l)) == (l > 0) {
			return true
		}
	}
	return false
}

func satisfiable(clauses [][]sat.Lit, vars int, assume []sat.Lit) bool {
	for i := range 1 << vars {
		value := func(v sat.Lit) bool { return i>>(v-1)&1 == 1 }
		all := true
		for _, c := range clauses {
			all = all && anyHolds(c, value)
		}
		for _, l := range assume {
			all = all && value(max(l, -l)) == (l > 0)
		}
		if all {
			return true
		}
	}
	return false
}

// assumptions checks that an answer under assumptions says nothing of the next.
func assumptions(t *testing.T, newSAT func() sat.Solver) {
	s := newSAT()
	s.AddClause(1, 2)
	s.AddClause(-1, 3)
	for i, q := range []struct {
		assume []sat.Lit
		want   sat.Result
	}{
		{nil, sat.Sat}, {[]sat.Lit{-1, -2}, sat.Unsat}, {[]sat.Lit{1, -3, 4}, sat.Unsat},
		{[]sat.Lit{5, -5}, sat.Unsat}, {[]sat.Lit{-2, 6}, sat.Sat},
	} {
		r, _ := s.Solve(unlimited, q.assume...)
		if r != q.want {
			t.Errorf("query %d: got %v, want %v", i, r, q.want)
		}
		if i == 2 && s.Value(4) {
			t.Error("an assumption that plays no part is said to be needed")
		}
	}
}

// addPigeons adds that each of n+1 pigeons has one of n holes to itself.
func addPigeons(s sat.Solver, n int) {
	hole := func(p, h int) sat.Lit { return sat.Lit(p*n + h + 1) }
	for p := range n + 1 {
		var c []sat.Lit
		for h := range n {
			c = append(c, hole(p, h))
			for q := range p {
				s.AddClause(-hole(p, h), -hole(q, h))
			}
		}
		s.AddClause(c...)
	}
}

func pigeons(t *testing.T, newSAT func() sat.Solver) {
	s := newSAT()
	addPigeons(s, 6)
	if r, _ := s.Solve(unlimited); r != sat.Unsat {
		t.Errorf("7 pigeons in 6 holes: %v", r)
	}
	if r, _ := s.Solve(unlimited, 1); r != sat.Unsat {
		t.Errorf("once more: %v", r)
	}
}

func budget(t *testing.T, newSAT func() sat.Solver) {
	s := newSAT()
	addPigeons(s, 9)
	r, n := s.Solve(100)
	if r != sat.Unknown || n < 50 || n > 200 {
		t.Errorf("100 conflicts for 10 pigeons: %v after %d", r, n)
	}
	if r, _ := s.Solve(100, 1, -1); r != sat.Unsat {
		t.Errorf("contradictory assumptions after that: %v", r)
	}
}

// repeatable checks that a second run gives the same counts and values.
func repeatable(t *testing.T, newSAT func() sat.Solver) {
	type step struct {
		r      sat.Result
		n      int64
		values [60]bool
	}
	run := func() (steps []step) {
		rnd := rand.New(rand.NewSource(4))
		s := newSAT()
		for range 300 {
			s.AddClause(randomLits(rnd, 60, 3)...)
			var st step
			st.r, st.n = s.Solve(40, randomLits(rnd, 60, 2)...)
			for v := range st.values {
				st.values[v] = st.r == sat.Sat && s.Value(sat.Lit(v+1))
			}
			steps = append(steps, st)
		}
		return steps
	}
	first, second := run(), run()
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("step %d: %v and %v", i, first[i], second[i])
		}
	}
}
