package lrat_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/smt/lrat"
)

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func check(formula, proof string) error {
	return lrat.Check(strings.NewReader(formula), strings.NewReader(proof))
}

// formulas have a proof beside them that CaDiCaL wrote.
var formulas = []string{"pigeons", "loop", "units"}

func TestProofs(t *testing.T) {
	for _, name := range formulas {
		if err := check(read(t, name+".cnf"), read(t, name+".lrat")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWeakerFormula: without any one of its clauses that matter the formula has
// a model, and no proof of it may pass. The proof names what it needs.
func TestWeakerFormula(t *testing.T) {
	formula, proof := read(t, "pigeons.cnf"), read(t, "pigeons.lrat")
	lines := strings.Split(strings.TrimSpace(formula), "\n")
	for i := 1; i < len(lines); i++ {
		weaker := append([]string{}, lines...)
		weaker[i] = weaker[1] // as many clauses, so that numbers stay
		if i == 1 {
			weaker[i] = "1 -1 0"
		}
		if err := check(strings.Join(weaker, "\n")+"\n", proof); err == nil {
			t.Errorf("passes without %q", lines[i])
		}
	}
}

// TestMutations: a proof without one of the clauses that later ones name fails.
func TestMutations(t *testing.T) {
	for _, name := range formulas {
		formula, lines := read(t, name+".cnf"), strings.Split(strings.TrimSpace(read(t, name+".lrat")), "\n")
		used := named(lines)
		for i, line := range lines {
			id, _, _ := strings.Cut(line, " ")
			if strings.Contains(line, " d ") || !used[id] {
				continue
			}
			without := append(append([]string{}, lines[:i]...), lines[i+1:]...)
			if err := check(formula, strings.Join(without, "\n")); err == nil {
				t.Errorf("%s passes without line %q", name, line)
			}
		}
	}
}

// named are the clauses that others of the proof rest on.
func named(lines []string) map[string]bool {
	out := map[string]bool{}
	for _, line := range lines {
		parts := strings.SplitN(line, " 0", 2)
		if len(parts) == 2 && !strings.Contains(line, " d ") {
			for _, id := range strings.Fields(parts[1]) {
				out[id] = true
			}
		}
	}
	return out
}

func TestTruncated(t *testing.T) {
	formula, proof := read(t, "pigeons.cnf"), read(t, "pigeons.lrat")
	for n := 0; n < len(proof)-3; n += 7 {
		if err := check(formula, proof[:n]); err == nil {
			t.Fatalf("passes after %d of %d bytes", n, len(proof))
		}
	}
	for n := 0; n < len(formula)-1; n += 7 {
		if err := check(formula[:n], proof); err == nil {
			t.Fatalf("passes with %d of %d bytes of the formula", n, len(formula))
		}
	}
	if err := check(formula, ""); !errors.Is(err, lrat.ErrIncomplete) {
		t.Errorf("no proof: %v", err)
	}
}

func TestRefused(t *testing.T) {
	const two = "p cnf 2 3\n1 2 0\n-1 2 0\n1 -2 0\n"
	for _, tt := range []struct{ name, formula, proof, want string }{
		{"satisfiable", two, "4 2 0 1 2 0\n5 1 0 3 4 0\n6 0 4 5 0\n", "does not follow"},
		{"clause that holds", two, "4 2 0 1 2 0\n5 1 0 4 1 0\n", "which holds"},
		{"RAT", two, "4 -1 0 -1 2 0\n", "more than unit propagation"},
		{"unknown clause", two, "4 2 0 1 9 0\n", "not there"},
		{"deleted clause", two, "4 d 1 0\n4 2 0 1 2 0\n", "not there"},
		{"used number", two, "3 2 0 1 2 0\n", "after clause 3"},
		{"no unit", two, "4 0 1 0\n", "not a unit"},
		{"no reason", two, "4 2 0 1 0\n", "does not follow"},
		{"foreign variable", two, "4 3 0 1 2 0\n", "literal 3"},
		{"too few clauses", "p cnf 2 4\n1 2 0\n", "", "header says 4"},
		{"too many clauses", "p cnf 2 1\n1 2 0\n1 0\n", "", "more than 1"},
		{"too many variables", "p cnf 99999999999 1\n", "", "variables"},
		{"no formula", "hello\n", "", "header"},
		{"no number", two, "4 x 0\n", "no number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := check(tt.formula, tt.proof); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ... %s", err, tt.want)
			}
		})
	}
}

// FuzzCheck: what passes has no model.
func FuzzCheck(f *testing.F) {
	for _, name := range formulas[2:] {
		f.Add(read(f, name+".cnf"), read(f, name+".lrat"))
	}
	f.Add("p cnf 2 4\n1 2 0\n-1 2 0\n1 -2 0\n-1 -2 0\n", "5 2 0 1 2 0\n5 d 1 0\n6 0 5 3 4 0\n")
	f.Add("c\np cnf 1 1\n0\n", "2 0 1 0\n")
	f.Fuzz(func(t *testing.T, formula, proof string) {
		if check(formula, proof) == nil && hasModel(formula) {
			t.Errorf("a proof passes for a formula with a model")
		}
	})
}

// hasModel tries all values, for formulas of at most 12 variables that passed the parser.
func hasModel(formula string) bool {
	for strings.HasPrefix(formula, "c") {
		_, formula, _ = strings.Cut(formula, "\n")
	}
	_, body, _ := strings.Cut(formula, "\n")
	var clauses [][]int
	var clause []int
	for _, w := range strings.Fields(body) {
		n, _ := strconv.Atoi(w)
		if max(n, -n) > 12 {
			return false
		}
		if n == 0 {
			clauses, clause = append(clauses, clause), nil
		} else {
			clause = append(clause, n)
		}
	}
	for m := range 1 << 12 {
		if satisfies(m, clauses) {
			return true
		}
	}
	return false
}

func satisfies(model int, clauses [][]int) bool {
	for _, c := range clauses {
		ok := false
		for _, l := range c {
			ok = ok || (model>>(max(l, -l)-1)&1 == 1) == (l > 0)
		}
		if !ok {
			return false
		}
	}
	return true
}
