// Package smttest is what every smt.Solver and every sat.Solver must pass.
package smttest

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// NewSolver makes a solver for expressions of b.
type NewSolver func(b *expr.Builder) smt.Solver

// Run tests a solver against evaluation.
func Run(t *testing.T, newSolver NewSolver) {
	t.Run("operators", func(t *testing.T) { operators(t, newSolver) })
	t.Run("constants", func(t *testing.T) { constants(t, newSolver) })
	t.Run("wide", func(t *testing.T) { wide(t, newSolver) })
	t.Run("arrays", func(t *testing.T) { arrays(t, newSolver) })
	t.Run("formulas", func(t *testing.T) { formulas(t, newSolver) })
}

// Op is a constructor on two arguments of one width.
type Op struct {
	Name string
	Make func(b *expr.Builder, x, y expr.Expr) expr.Expr
}

// Ops are the constructors of two arguments.
var Ops = []Op{
	{"and", (*expr.Builder).And}, {"or", (*expr.Builder).Or}, {"xor", (*expr.Builder).Xor},
	{"add", (*expr.Builder).Add}, {"sub", (*expr.Builder).Sub}, {"mul", (*expr.Builder).Mul},
	{"udiv", (*expr.Builder).UDiv}, {"urem", (*expr.Builder).URem},
	{"sdiv", (*expr.Builder).SDiv}, {"srem", (*expr.Builder).SRem},
	{"shl", (*expr.Builder).Shl}, {"lshr", (*expr.Builder).LShr}, {"ashr", (*expr.Builder).AShr},
	{"eq", (*expr.Builder).Eq}, {"ult", (*expr.Builder).Ult}, {"slt", (*expr.Builder).Slt},
	{"uaddovf", (*expr.Builder).UAddOvf}, {"saddovf", (*expr.Builder).SAddOvf},
	{"usubovf", (*expr.Builder).USubOvf}, {"ssubovf", (*expr.Builder).SSubOvf},
	{"umulovf", (*expr.Builder).UMulOvf}, {"smulovf", (*expr.Builder).SMulOvf},
	{"concat", (*expr.Builder).Concat},
	{"ite", func(b *expr.Builder, x, y expr.Expr) expr.Expr { return b.ITE(b.Ult(x, y), y, x) }},
	{"sext", func(b *expr.Builder, x, y expr.Expr) expr.Expr { return b.SExt(b.Xor(x, y), b.Width(x)+3) }},
}

// operators asks, for every operator, width 1 to 3 and input, whether the
// result can be what evaluation says, and whether it can be anything else.
func operators(t *testing.T, newSolver NewSolver) {
	for _, op := range Ops {
		for width := 1; width <= 3; width++ {
			b := expr.NewBuilder()
			c := checker{t, b, newSolver(b)}
			x, y := b.Var("x", width), b.Var("y", width)
			e := op.Make(b, x, y)
			for i := uint64(0); i < 1<<(2*width); i++ {
				c.only(op.Name, e, map[expr.Expr]expr.Value{x: expr.ValueOf(i & (1<<width - 1)), y: expr.ValueOf(i >> width)})
			}
		}
	}
}

// constants does the same at 5 bits with each constant on either side, which
// circuits and rules treat apart.
func constants(t *testing.T, newSolver NewSolver) {
	const width = 5
	rnd := rand.New(rand.NewSource(1))
	for _, op := range Ops {
		b := expr.NewBuilder()
		c := checker{t, b, newSolver(b)}
		x := b.Var("x", width)
		for k := range uint64(1 << width) {
			for range 2 {
				in := map[expr.Expr]expr.Value{x: expr.ValueOf(rnd.Uint64() % (1 << width))}
				c.only(op.Name, op.Make(b, x, b.Const(k, width)), in)
				c.only(op.Name, op.Make(b, b.Const(k, width), x), in)
			}
		}
	}
}

// wide does the same for random inputs at 8, 64 and 128 bits.
func wide(t *testing.T, newSolver NewSolver) {
	const seed = 1
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	for _, op := range Ops {
		for _, width := range []int{8, 64, 128} {
			b := expr.NewBuilder()
			c := checker{t, b, newSolver(b)}
			x, y := b.Var("x", width), b.Var("y", width)
			e := op.Make(b, x, y)
			for range 4 {
				c.only(op.Name, e, map[expr.Expr]expr.Value{x: RandomValue(rnd, width), y: RandomValue(rnd, width)})
			}
		}
	}
}

// RandomValue returns a number of at most width bits; small ones, those near
// the limits and those with few bits are as likely as the rest.
func RandomValue(rnd *rand.Rand, width int) expr.Value {
	bits := make([]bool, width)
	n := rnd.Intn(width) + 1
	flip := rnd.Intn(3) == 0
	for i := range bits {
		bits[i] = flip != (i < n && rnd.Intn(2) == 1)
	}
	return expr.ValueOfBits(bits)
}

type checker struct {
	t *testing.T
	b *expr.Builder
	s smt.Solver
}

// only checks that e has one value under an assignment, the one that evaluation gives.
func (c checker) only(what string, e expr.Expr, assign map[expr.Expr]expr.Value) {
	c.t.Helper()
	m := expr.NewModel()
	var conds []expr.Expr
	for _, v := range c.b.Vars(e) {
		m.Set(v, assign[v])
		conds = append(conds, c.b.Eq(v, c.b.ConstValue(assign[v], c.b.Width(v))))
	}
	same := c.b.Eq(e, c.b.ConstValue(c.b.Eval(e, m), c.b.Width(e)))
	describe := func() string { return fmt.Sprintf("%s at %d bits, %v", what, c.b.Width(e), assign) }
	c.want(smt.Sat, describe, append(conds, same)...)
	c.want(smt.Unsat, describe, append(conds[:len(conds):len(conds)], c.b.Not(same))...)
}

// want checks an answer and that a model satisfies what it was asked for.
func (c checker) want(want smt.Result, what func() string, conds ...expr.Expr) {
	c.t.Helper()
	r, m := c.s.Check(conds)
	if r != want || (m != nil) != (r == smt.Sat) {
		c.t.Fatalf("%s: got %v, want %v", what(), r, want)
	}
	for _, cond := range conds {
		if m != nil && c.b.Eval(cond, m).IsZero() {
			c.t.Fatalf("%s: the model does not satisfy the query", what())
		}
	}
}
