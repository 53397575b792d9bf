package expr_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// TestProgram compares programs of random terms with what they mean, under one
// model after the other.
func TestProgram(t *testing.T) {
	made := 0
	for seed, widths := range [][]int{{1, 2, 3}, {1, 4, 8, 16}, {1, 8, 32, 64}, {1, 8, 64, 65}} {
		t.Logf("seed %d, widths %v", seed, widths)
		s := newShadows(int64(seed), append(widths, widths...), 12)
		for range 300 {
			s.grow(widths)
		}
		for i := 0; i+3 <= len(s.pool); i += 3 {
			some := s.pool[i : i+3]
			p := s.b.Compile([]expr.Expr{some[0].e, some[1].e, some[2].e})
			if p == nil {
				continue
			}
			made++
			for k, m := range s.models {
				p.Start(expr.NewEvaluator(s.b, m))
				p.Run()
				for j, root := range p.Roots() {
					if got := p.Value(root); !some[j].values[k].Equal(expr.ValueOf(got)) {
						t.Fatalf("%s: %d, want %v", s.b.String(some[j].e), got, some[j].values[k])
					}
				}
				checkProgramModel(t, s, p, some)
			}
		}
	}
	if made < 300 {
		t.Errorf("only %d programs were made", made)
	}
}

// checkProgramModel: the model of a program is one under which its expressions are what Run said.
func checkProgramModel(t *testing.T, s *shadows, p *expr.Program, some []shadow) {
	t.Helper()
	m := p.Model()
	for j, root := range p.Roots() {
		if got, want := s.b.Eval(some[j].e, m), expr.ValueOf(p.Value(root)); !got.Equal(want) {
			t.Fatalf("%s: %v under the program's model, want %v", s.b.String(some[j].e), got, want)
		}
	}
}

// TestCompileRefuses what a Program cannot hold.
func TestCompileRefuses(t *testing.T) {
	b := expr.NewBuilder()
	wide := b.IsZero(b.Add(b.Var("x", 65), b.Var("y", 65)))
	table := b.IsZero(b.Read(b.Table(3, 8, []uint64{3, 1, 4, 1, 5, 9}), b.Var("i", 3)))
	for _, e := range []expr.Expr{wide, table} {
		if p := b.Compile([]expr.Expr{b.Var("z", 1), e}); p != nil {
			t.Errorf("%s: a program of %d operations", b.String(e), p.Len())
		}
	}
}
