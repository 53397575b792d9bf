package smt_test

import (
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
	"github.com/kvfarm/kvfarm/engine/smt/smttest"
)

// divisions are the operators that a law determines instead of a circuit.
var divisions = []struct {
	op     expr.Op
	binary func(b *expr.Builder, x, y expr.Expr) expr.Expr
}{
	{expr.OpUDiv, (*expr.Builder).UDiv}, {expr.OpURem, (*expr.Builder).URem},
	{expr.OpSDiv, (*expr.Builder).SDiv}, {expr.OpSRem, (*expr.Builder).SRem},
}

// backends are all that are linked: each must agree about every law.
var backends = map[string]func() sat.Solver{"default": sat.New, "cdcl": sat.NewCDCL}

// TestDivisionLaws asks at up to 5 bits, for every dividend and divisor, constant
// and not, without the rules of expr: is there a quotient and a remainder at all,
// and are they what evaluation says?
func TestDivisionLaws(t *testing.T) {
	for name, newSAT := range backends {
		t.Run(name, func(t *testing.T) {
			for width := 1; width <= 5; width++ {
				for y := range uint64(1) << width {
					divideAll(t, newSAT, width, y)
				}
			}
		})
	}
}

func divideAll(t *testing.T, newSAT func() sat.Solver, width int, y uint64) {
	t.Helper()
	for _, sign := range []bool{false, true} {
		for _, constant := range []bool{false, true} {
			d := smt.NewDivision(newSAT, width, y, sign, constant)
			for x := range uint64(1) << width {
				quo, rem := meaning(expr.OpUDiv, x, y, width), meaning(expr.OpURem, x, y, width)
				if sign {
					quo, rem = meaning(expr.OpSDiv, x, y, width), meaning(expr.OpSRem, x, y, width)
				}
				if err := d.Only(x, quo, rem); err != nil {
					t.Fatalf("%d bits, %d by %d, signed %v, constant %v: %v", width, x, y, sign, constant, err)
				}
			}
		}
	}
}

func meaning(op expr.Op, x, y uint64, width int) uint64 {
	b := expr.NewBuilder()
	for _, d := range divisions {
		if d.op == op {
			v, _ := b.Uint64(d.binary(b, b.Const(x, width), b.Const(y, width)))
			return v
		}
	}
	panic("no division")
}

// TestWideDivision compares with evaluation at random numbers of up to 128 bits:
// the result can be what it should be, and cannot be anything else.
func TestWideDivision(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	for _, width := range []int{7, 32, 63, 64, 65, 128} {
		for range 40 {
			b := expr.NewBuilder()
			s := smt.New(b, smt.Config{})
			x := b.Var("x", width)
			in := smttest.RandomValue(rnd, width)
			y := b.ConstValue(smttest.RandomValue(rnd, width), width)
			m := expr.NewModel()
			m.Set(x, in)
			is := b.Eq(x, b.ConstValue(in, width))
			for _, d := range divisions {
				e := d.binary(b, x, y)
				same := b.Eq(e, b.ConstValue(b.Eval(e, m), width))
				want(t, b, s, smt.Sat, []expr.Expr{is, same})
				want(t, b, s, smt.Unsat, []expr.Expr{is, b.Not(same)})
			}
		}
	}
}

// TestDivisionFormulas compares conditions full of divisions with trying all
// inputs, on every backend.
func TestDivisionFormulas(t *testing.T) {
	const seed, rounds = 6, 150
	t.Logf("seed %d", seed)
	for name, newSAT := range backends {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewSource(seed))
			for _, width := range []int{2, 3, 4, 6} {
				b := expr.NewBuilder()
				s := smt.New(b, smt.Config{NewSAT: newSAT})
				vars := []expr.Expr{b.Var("x", width), b.Var("y", width)}
				for range rounds {
					conds := []expr.Expr{divisionCond(rnd, b, vars), divisionCond(rnd, b, vars)}
					r := smt.Unsat
					if smttest.BruteForce(b, vars, conds) {
						r = smt.Sat
					}
					want(t, b, s, r, conds)
				}
			}
		})
	}
}

// divisionCond compares what divisions and products with them give, some of it
// extended, as programs that convert units do.
func divisionCond(rnd *rand.Rand, b *expr.Builder, vars []expr.Expr) expr.Expr {
	width := b.Width(vars[0])
	term := func() expr.Expr {
		x, k := smttest.RandomTerm(rnd, b, vars, 1), b.Const(rnd.Uint64(), width)
		e := divisions[rnd.Intn(4)].binary(b, x, k)
		switch rnd.Intn(4) {
		case 0:
			e = divisions[rnd.Intn(4)].binary(b, x, vars[1])
		case 1:
			e = b.Add(e, b.ZExt(b.Slt(vars[0], vars[1]), width))
		}
		wide := width + rnd.Intn(3)
		if rnd.Intn(2) == 0 {
			return b.SExt(b.Trunc(b.Mul(b.SExt(e, wide), b.SExt(k, wide)), wide), width+3)
		}
		return b.SExt(e, width+3)
	}
	x, y := term(), term()
	if rnd.Intn(2) == 0 {
		y = b.SExt(vars[rnd.Intn(2)], width+3)
	}
	conds := []expr.Expr{b.Eq(x, y), b.Slt(x, y), b.Ult(y, x), b.Sle(x, b.Add(y, b.Const(1, width+3)))}
	e := conds[rnd.Intn(len(conds))]
	if rnd.Intn(3) == 0 {
		return b.Not(e)
	}
	return e
}

func want(t *testing.T, b *expr.Builder, s smt.Solver, want smt.Result, conds []expr.Expr) {
	t.Helper()
	if r, _ := s.Check(conds); r != want {
		for _, e := range conds {
			t.Log(b.String(e))
		}
		t.Fatalf("got %v, want %v", r, want)
	}
}
