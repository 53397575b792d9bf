package smttest

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// arrays checks reads of tables and of free arrays.
func arrays(t *testing.T, newSolver NewSolver) {
	b := expr.NewBuilder()
	c := checker{t, b, newSolver(b)}
	i, j := b.Var("i", 64), b.Var("j", 64)
	table := b.Table(64, 8, []uint64{3, 1, 4, 1, 5})
	five := b.Const(5, 8)
	at := func(s string) func() string { return func() string { return s } }
	c.want(smt.Sat, at("table holds 5"), b.Eq(b.Read(table, i), five))
	c.want(smt.Unsat, at("5 is at 4 only"), b.Eq(b.Read(table, i), five), b.Ne(i, b.Const(4, 64)))
	c.want(smt.Unsat, at("0 past the end"), b.Ult(b.Const(4, 64), i), b.Ne(b.Read(table, i), b.Const(0, 8)))
	free := b.FreeArray("a", 64, 8)
	ri, rj := b.Read(free, i), b.Read(free, j)
	c.want(smt.Sat, at("elements differ"), b.Ne(ri, rj))
	c.want(smt.Unsat, at("one element differs from itself"), b.Ne(ri, rj), b.Eq(i, j))
	nested := b.Read(free, b.ZExt(ri, 64))
	c.want(smt.Unsat, at("through two reads"), b.Eq(ri, rj), b.Ne(nested, b.Read(free, b.ZExt(rj, 64))))
	c.want(smt.Sat, at("read of read"), b.Eq(nested, five), b.Eq(ri, b.Const(9, 8)), b.Eq(i, b.Const(8, 64)), b.Ne(j, i))
}

// formulas compares answers on random conjunctions over three variables of few
// bits with trying all inputs.
func formulas(t *testing.T, newSolver NewSolver) {
	const seed, rounds = 2, 40
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	for width := 1; width <= 4; width++ {
		b := expr.NewBuilder()
		c := checker{t, b, newSolver(b)}
		vars := []expr.Expr{b.Var("x", width), b.Var("y", width), b.Var("z", width)}
		for round := range rounds {
			var conds []expr.Expr
			for range 1 + rnd.Intn(4) {
				conds = append(conds, RandomCond(rnd, b, vars))
			}
			want := smt.Unsat
			if BruteForce(b, vars, conds) {
				want = smt.Sat
			}
			c.want(want, func() string { return fmt.Sprintf("width %d, round %d: %v", width, round, conds) }, conds...)
		}
	}
}

// RandomCond returns a truth value over vars, all of one width.
func RandomCond(rnd *rand.Rand, b *expr.Builder, vars []expr.Expr) expr.Expr {
	x, y := RandomTerm(rnd, b, vars, 3), RandomTerm(rnd, b, vars, 2)
	switch rnd.Intn(3) {
	case 0:
		return b.Eq(x, y)
	case 1:
		return b.Ult(x, y)
	}
	return b.Not(b.Slt(x, y))
}

// RandomTerm returns an expression over vars with the width they have.
func RandomTerm(rnd *rand.Rand, b *expr.Builder, vars []expr.Expr, depth int) expr.Expr {
	if depth == 0 || rnd.Intn(6) == 0 {
		if rnd.Intn(4) == 0 {
			return b.Const(rnd.Uint64(), b.Width(vars[0]))
		}
		return vars[rnd.Intn(len(vars))]
	}
	op := Ops[rnd.Intn(len(Ops))]
	e := op.Make(b, RandomTerm(rnd, b, vars, depth-1), RandomTerm(rnd, b, vars, depth-1))
	width := b.Width(vars[0])
	switch have := b.Width(e); {
	case have > width:
		return b.Extract(e, rnd.Intn(have-width+1), width)
	case have < width:
		return b.SExt(e, width)
	}
	return e
}

// BruteForce reports whether conds can hold together, trying all values of vars, of one width.
func BruteForce(b *expr.Builder, vars, conds []expr.Expr) bool {
	width := b.Width(vars[0])
	for i := uint64(0); i < 1<<(width*len(vars)); i++ {
		m := expr.NewModel()
		for k, v := range vars {
			m.Set(v, expr.ValueOf(i>>(k*width)&(1<<width-1)))
		}
		ev := expr.NewEvaluator(b, m)
		all := true
		for _, cond := range conds {
			all = all && ev.True(cond)
		}
		if all {
			return true
		}
	}
	return false
}
