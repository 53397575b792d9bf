package smt_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

// TestSecondOpinion gives random queries, in SMT-LIB, to solvers that others
// wrote, where they are installed. CI has z3; not every distribution has
// bitwuzla.
func TestSecondOpinion(t *testing.T) {
	for _, argv := range [][]string{{"z3", "-in", "-T:60"}, {"bitwuzla"}} {
		t.Run(argv[0], func(t *testing.T) {
			path, err := exec.LookPath(argv[0])
			if err != nil && (os.Getenv("KVFARM_CI") == "" || argv[0] != "z3") {
				t.Skipf("no second opinion: %v", err)
			} else if err != nil {
				t.Fatal(err)
			}
			for seed := range int64(4) {
				compare(t, seed, append([]string{path}, argv[1:]...))
			}
		})
	}
}

// compare asks for 50 queries at once: z3 takes longer to start than to answer.
func compare(t *testing.T, seed int64, argv []string) {
	t.Helper()
	rnd := rand.New(rand.NewSource(seed))
	var script bytes.Buffer
	var got []string
	for range 50 {
		b := expr.NewBuilder()
		conds := randomQuery(rnd, b)
		r, _ := smt.New(b, smt.Config{}).Check(conds)
		got = append(got, r.String())
		if err := b.WriteSMTLIB(&script, conds); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&script, "(reset)")
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = &script
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", argv, err, out)
	}
	want := strings.Fields(string(out))
	if len(want) != len(got) {
		t.Fatalf("seed %d: %v", seed, string(out))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("seed %d, query %d: got %s, %s says %s", seed, i, got[i], argv[0], want[i])
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
