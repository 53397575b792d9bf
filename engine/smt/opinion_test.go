package smt_test

import (
	"bytes"
	"math/rand"
	"os"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/opinion"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

// TestSecondOpinion gives random queries, in SMT-LIB, to solvers that others
// wrote, where they are installed. CI has z3; not every distribution has the
// others.
func TestSecondOpinion(t *testing.T) {
	for _, name := range opinion.Names() {
		t.Run(name, func(t *testing.T) {
			s := second(t, name)
			for seed := range int64(4) {
				compare(t, seed, s)
			}
		})
	}
}

// second returns a solver that others wrote. z3 must be there in CI.
func second(t *testing.T, name string) *opinion.Solver {
	t.Helper()
	s, err := opinion.Find(name)
	switch {
	case err != nil && os.Getenv("KVFARM_CI") != "" && name == "z3":
		t.Fatal(err)
	case err != nil:
		t.Skipf("no second opinion: %v", err)
	}
	return s
}

// compare asks for 50 queries at once: z3 takes longer to start than to answer.
func compare(t *testing.T, seed int64, s *opinion.Solver) {
	t.Helper()
	rnd := rand.New(rand.NewSource(seed))
	var queries [][]byte
	var got []smt.Result
	for range 50 {
		b := expr.NewBuilder()
		conds := randomQuery(rnd, b)
		r, _ := smt.New(b, smt.Config{}).Check(conds)
		var q bytes.Buffer
		if err := b.WriteSMTLIB(&q, conds); err != nil {
			t.Fatal(err)
		}
		got, queries = append(got, r), append(queries, q.Bytes())
	}
	want, err := s.Ask(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("seed %d, query %d: got %v, %s says %v", seed, i, got[i], s.Name, want[i])
		}
	}
}

func randomQuery(rnd *rand.Rand, b *expr.Builder) []expr.Expr {
	width := []int{5, 8, 16}[rnd.Intn(3)]
	vars := []expr.Expr{b.Var("x", width), b.Var("y", width), b.Var("z", width)}
	table := b.Table(width, width, []uint64{1, 4, 9, 16, 25})
	free := b.FreeArray("a", width, width)
	vars = append(vars, b.Read(table, vars[0]), b.Read(free, vars[1]), b.Read(free, vars[2]))
	var conds []expr.Expr
	for range 2 + rnd.Intn(3) {
		conds = append(conds, smttest.RandomCond(rnd, b, vars))
	}
	return conds
}
