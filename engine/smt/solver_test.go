package smt_test

import (
	"math/rand"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

func TestChain(t *testing.T) {
	smttest.Run(t, func(b *expr.Builder) smt.Solver { return smt.New(b, smt.Config{}) })
}

// TestChainOfTwo asks one backend before another.
func TestChainOfTwo(t *testing.T) {
	smttest.Run(t, func(b *expr.Builder) smt.Solver {
		return smt.New(b, smt.Config{NewSAT: func() sat.Solver { return &strict{sat.NewCDCL()} }, Quick: sat.NewCDCL})
	})
}

// strict hides what else a backend can do.
type strict struct{ sat.Solver }

// TestQuickFirst: an easy question is not told to the slow backend, and a hard one is.
func TestQuickFirst(t *testing.T) {
	b := expr.NewBuilder()
	slow := 0
	s := smt.New(b, smt.Config{NewSAT: func() sat.Solver { slow++; return sat.NewCDCL() }, Quick: sat.NewCDCL})
	x, y, z := b.Var("x", 20), b.Var("y", 20), b.Var("z", 20)
	if r, _ := s.Check([]expr.Expr{b.Ult(x, y), b.Ult(y, z), b.Ult(z, x)}); r != smt.Unsat || slow > 0 {
		t.Errorf("easy: %v, and %d slow backends", r, slow)
	}
	wide := func(e expr.Expr) expr.Expr { return b.ZExt(e, 40) }
	one := b.Const(1, 20)
	prime := []expr.Expr{b.Eq(b.Mul(wide(x), wide(y)), b.Const(1_000_003, 40)), b.Ult(one, x), b.Ult(one, y)}
	if r, _ := s.Check(prime); r != smt.Unsat || slow != 1 {
		t.Errorf("hard: %v, and %d slow backends", r, slow)
	}
}

// TestChainRepeats runs one sequence of queries twice.
func TestChainRepeats(t *testing.T) {
	run := func() (models string, st smt.Stats) {
		rnd := rand.New(rand.NewSource(7))
		b := expr.NewBuilder()
		s := smt.New(b, smt.Config{QueryEffort: 100, TotalEffort: 4000})
		vars := []expr.Expr{b.Var("x", 24), b.Var("y", 24), b.Var("z", 24)}
		var conds []expr.Expr
		for range 150 {
			if conds = append(conds, smttest.RandomCond(rnd, b, vars)); len(conds) > 6 {
				conds = conds[3:]
			}
			r, m := s.Check(conds)
			models += r.String()
			for _, v := range vars {
				if m != nil {
					models += " " + m.Value(v).String()
				}
			}
		}
		return models, s.Stats()
	}
	models, stats := run()
	again, statsAgain := run()
	if models != again {
		t.Error("answers or models differ")
	}
	if diff := cmp.Diff(stats, statsAgain); diff != "" {
		t.Errorf("counts differ: %s", diff)
	}
	if stats.Unknown == 0 || stats.Conflicts > 2100 {
		t.Errorf("the budget plays no part: %+v", stats)
	}
}

// TestStages checks that each stage decides what it is there for.
func TestStages(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{})
	x, y, z := b.Var("x", 32), b.Var("y", 32), b.Var("z", 32)
	p, q := b.ZExt(b.Var("p", 8), 16), b.ZExt(b.Var("q", 8), 16)
	less := func(p, q expr.Expr) expr.Expr { return b.Ult(b.Mul(p, p), b.Xor(q, b.Const(77, 32))) }
	before := smt.Stats{}
	for _, step := range []struct {
		name  string
		conds []expr.Expr
		want  smt.Result
		count func(smt.Stats) int64
	}{
		{"fold", []expr.Expr{less(x, y), b.Not(less(x, y))}, smt.Unsat, func(s smt.Stats) int64 { return s.Folded }},
		{"repair", []expr.Expr{b.Ult(x, y), b.Ult(y, z)}, smt.Sat, func(s smt.Stats) int64 { return s.Repaired }},
		{"recent", []expr.Expr{b.Ult(x, y)}, smt.Sat, func(s smt.Stats) int64 { return s.Recent }},
		{"unsat", []expr.Expr{b.Ult(x, y), b.Ult(y, z), b.Ult(z, x)}, smt.Unsat, func(s smt.Stats) int64 { return s.Blasted }},
		{"blast", []expr.Expr{b.Eq(b.Mul(p, q), b.Const(251*241, 16)), b.Ult(p, q)}, smt.Sat, func(s smt.Stats) int64 { return s.Blasted }},
		{"core", []expr.Expr{b.Ult(x, y), b.Ult(y, z), b.Ult(z, x), less(x, y)}, smt.Unsat, func(s smt.Stats) int64 { return s.Cached }},
	} {
		r, _ := s.Check(step.conds)
		if r != step.want {
			t.Errorf("%s: %v", step.name, r)
		}
		if step.count(s.Stats()) == step.count(before) {
			t.Errorf("%s: not decided there: %+v", step.name, s.Stats())
		}
		before = s.Stats()
	}
}

// TestCheckWithin asks a question that is too hard for a brief query, and again.
func TestCheckWithin(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{})
	x, y := b.Var("x", 14), b.Var("y", 14)
	conds := []expr.Expr{b.Eq(b.Mul(b.ZExt(x, 28), b.ZExt(y, 28)), b.Const(16381*16369, 28)), b.Ult(x, y)}
	if r, _ := s.CheckWithin(conds, 1); r != smt.Unknown {
		t.Fatalf("one conflict is enough: %v", r)
	}
	if r, _ := s.Check(conds); r != smt.Sat {
		t.Errorf("the whole budget: %v", r)
	}
}

// TestCheckDoubted: what may use less than others is not taken to the second backend; what
// may use as little, as others may, is.
func TestCheckDoubted(t *testing.T) {
	b := expr.NewBuilder()
	begun := 0
	s := smt.New(b, smt.Config{Quick: sat.NewCDCL, NewSAT: func() sat.Solver { begun++; return sat.NewCDCL() }})
	x, y := b.Var("x", 20), b.Var("y", 20)
	one := b.Const(1, 20)
	prime := []expr.Expr{b.Eq(b.Mul(b.ZExt(x, 40), b.ZExt(y, 40)), b.Const(1_000_003, 40)), b.Ult(one, x), b.Ult(one, y)}
	if r, _ := s.CheckDoubted(prime, 20); r != smt.Unknown || begun != 0 {
		t.Errorf("a hasty question: %v, %d solvers begun", r, begun)
	}
	s.Limit(30)
	if r, _ := s.CheckDoubted(prime, 30); r != smt.Unknown || begun != 1 {
		t.Errorf("a question that may use what others may: %v, %d solvers begun", r, begun)
	}
}

// TestLimit: what a query leaves open for want of effort is asked again when
// later ones may spend more, and not when they may not.
func TestLimit(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{QueryEffort: 20})
	x, y := b.Var("x", 20), b.Var("y", 20)
	wide := func(e expr.Expr) expr.Expr { return b.ZExt(e, 40) }
	one := b.Const(1, 20)
	prime := []expr.Expr{b.Eq(b.Mul(wide(x), wide(y)), b.Const(1_000_003, 40)), b.Ult(one, x), b.Ult(one, y)}
	for _, tt := range []struct {
		limit int64
		want  smt.Result
		asks  bool
	}{{20, smt.Unknown, true}, {20, smt.Unknown, false}, {1_000_000, smt.Unsat, true}} {
		before := s.Stats().Blasted
		s.Limit(tt.limit)
		if r, _ := s.Check(prime); r != tt.want {
			t.Errorf("limit %d: %v, want %v", tt.limit, r, tt.want)
		}
		if asked := s.Stats().Blasted > before; asked != tt.asks {
			t.Errorf("limit %d: asked SAT %v, want %v", tt.limit, asked, tt.asks)
		}
	}
}

// TestLargest: a formula that would take SAT gigabytes is not given to it, and its gates are paid for.
func TestLargest(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{})
	x := b.Var("x", 64)
	for range 60 {
		x = b.URem(b.Mul(x, x), b.Var("y", 64))
	}
	if r, _ := s.Check([]expr.Expr{b.Eq(x, b.Const(12345, 64))}); r != smt.Unknown {
		t.Errorf("got %v, want Unknown", r)
	}
	st := s.Stats()
	if st.Gates < 1<<18 || st.Clauses > 1000 { // those of a sketch
		t.Errorf("made %d gates and %d clauses, want at least %d and few", st.Gates, st.Clauses, 1<<18)
	}
	if st.Effort < st.Gates/200 {
		t.Errorf("%d gates cost an effort of %d", st.Gates, st.Effort)
	}
}

// TestSpent checks that nothing is made for a question that there is no effort left for.
func TestSpent(t *testing.T) {
	b := expr.NewBuilder()
	s := smt.New(b, smt.Config{TotalEffort: 1})
	x, y := b.Var("x", 64), b.Var("y", 64)
	prime := b.Eq(b.Mul(x, y), b.Const(1_000_003, 64))
	s.Check([]expr.Expr{prime, b.Ult(b.Const(1, 64), x), b.Ult(x, b.Const(1<<16, 64)), b.Ult(b.Const(1, 64), y), b.Ult(y, b.Const(1<<16, 64))})
	gates := s.Stats().Gates
	if gates == 0 {
		t.Fatal("the first question made nothing")
	}
	r, _ := s.Check([]expr.Expr{b.Eq(b.UDiv(x, y), b.Const(1234567, 64)), b.Ult(b.Const(99, 64), y)})
	if st := s.Stats(); r != smt.Unknown || st.Gates != gates {
		t.Errorf("%v, and %d gates were made", r, st.Gates-gates)
	}
}
