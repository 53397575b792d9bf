package expr_test

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// TestRules applies every rule to random operations on small terms and, where
// it applies, compares with the operation's meaning under every model. Each
// rule must apply, and must not apply somewhere else, at every width that has
// room for all of them. A rule draws from a stream of its own: one more rule
// leaves the others what they had.
func TestRules(t *testing.T) {
	for _, width := range []int{1, 2, 3, 4, 8} {
		for _, r := range expr.Rules() {
			g := newGenerator(r.Name, width)
			for round := 0; round < 20000/max(width, 4) && !g.enough(); round++ {
				if round%50 == 0 {
					g.restart()
				}
				g.try(t, r)
			}
			if width >= 4 && (g.applied == 0 || g.left == 0) {
				t.Errorf("%s: at width %d applied %d times, did not %d times", r.Name, width, g.applied, g.left)
			}
		}
	}
}

// generator makes random terms of few bits for one rule.
type generator struct {
	rule          string
	rnd           *rand.Rand
	b             *expr.Builder
	width         int
	applied, left int // times that the rule applied, and did not
	vars          []expr.Expr
}

func newGenerator(rule string, width int) *generator {
	h := fnv.New64a()
	h.Write([]byte(rule))
	g := &generator{rule: rule, rnd: rand.New(rand.NewSource(int64(h.Sum64()))), width: width}
	g.restart()
	return g
}

// enough reports whether the rule was seen to apply, and not to, often enough.
func (g *generator) enough() bool {
	most := 25
	if g.rule == "and-bounds" {
		most = 500 // pairs of comparisons
	}
	return g.applied >= most && g.left > 0
}

// restart begins with an empty builder: evaluating is quicker in a small one.
func (g *generator) restart() {
	g.b = expr.NewBuilder()
	g.vars = []expr.Expr{g.b.Var("x", g.width), g.b.Var("y", g.width), g.b.Var("p", 1), g.b.Var("q", 1)}
}

// try applies the rule to a random operation and checks the result.
func (g *generator) try(t *testing.T, r expr.Rule) {
	t.Helper()
	width, lo, args := 1, 0, []expr.Expr(nil)
	if r.Name == "and-bounds" { // terms seldom hold comparisons
		args = g.bounded()
	} else {
		width, lo, args = g.operation(r.Op)
	}
	got := r.Apply(g.b, width, lo, args...)
	if got == expr.None {
		g.left++
		return
	}
	g.applied++
	if g.b.Width(got) != width {
		t.Fatalf("%s: width %d becomes %d", r.Name, width, g.b.Width(got))
	}
	g.models(append(args, got), func(m *expr.Model, ev *expr.Evaluator) {
		want := g.meaning(ev, r.Op, width, lo, args)
		if have := ev.Value(got); !have.Equal(want) {
			t.Fatalf("%s: %v(%d, %d) of %v gives %v: %v, want %v", r.Name, r.Op, width, lo, g.text(args), g.text([]expr.Expr{got}), have, want)
		}
	})
}

func (g *generator) text(es []expr.Expr) string {
	s := ""
	for _, e := range es {
		s += " " + g.b.String(e)
	}
	return s
}

func (g *generator) meaning(ev *expr.Evaluator, op expr.Op, width, lo int, args []expr.Expr) expr.Value {
	var v [3]expr.Value
	for i, arg := range args {
		v[i] = ev.Value(arg)
	}
	argWidth := g.b.Width(args[0])
	if op == expr.OpConcat || op == expr.OpITE {
		argWidth = g.b.Width(args[1])
	}
	return expr.Apply(op, width, argWidth, lo, v[0], v[1], v[2])
}

// models calls f for every assignment of the variables in es.
func (g *generator) models(es []expr.Expr, f func(*expr.Model, *expr.Evaluator)) {
	vars := g.b.Vars(es...)
	bits := 0
	for _, v := range vars {
		bits += g.b.Width(v)
	}
	step := uint64(1)
	if bits > 12 {
		step = 61 // coprime to the number of models: every value of every variable is met
	}
	for i := uint64(0); i < 1<<bits; i += step {
		m := expr.NewModel()
		rest := i
		for _, v := range vars {
			w := g.b.Width(v)
			m.Set(v, expr.ValueOf(rest&(1<<w-1)))
			rest >>= w
		}
		f(m, expr.NewEvaluator(g.b, m))
	}
}

// operation returns the shape and arguments of a random operation.
func (g *generator) operation(op expr.Op) (width, lo int, args []expr.Expr) {
	w := 1 + g.rnd.Intn(g.width)
	if g.rnd.Intn(2) == 0 {
		w = g.width
	}
	switch op {
	case expr.OpConcat:
		if g.rnd.Intn(4) == 0 {
			return g.width + 1, 0, g.beside()
		}
		v := 1 + g.rnd.Intn(g.width)
		return w + v, 0, g.related(w, v)
	case expr.OpExtract:
		x := g.term(w+1, 3)
		width = 1 + g.rnd.Intn(w)
		return width, g.rnd.Intn(w + 2 - width), []expr.Expr{x}
	case expr.OpZExt, expr.OpSExt:
		return w + 1 + g.rnd.Intn(2), 0, []expr.Expr{g.term(w, 2)}
	case expr.OpITE:
		return w, 0, append([]expr.Expr{g.cond(2)}, g.related(w, w)...)
	case expr.OpEq, expr.OpUlt, expr.OpSlt, expr.OpUMulOvf, expr.OpSMulOvf:
		return 1, 0, g.related(w, w)
	}
	return w, 0, g.related(w, w)
}

// beside returns two terms that lie side by side in a third, or in two by one choice.
func (g *generator) beside() []expr.Expr {
	x := g.term(g.width+1, 1)
	hi, lo := g.b.Extract(x, 1, g.width), g.b.Trunc(x, 1)
	if g.rnd.Intn(2) == 0 {
		y, c := g.term(g.width+1, 1), g.cond(0)
		hi, lo = g.b.ITE(c, hi, g.b.Extract(y, 1, g.width)), g.b.ITE(c, lo, g.b.Trunc(y, 1))
	}
	return []expr.Expr{hi, lo}
}

// related returns two terms that often have a part in common, as most rules want.
func (g *generator) related(w, v int) []expr.Expr {
	x, y := g.term(w, 2), g.term(v, 2)
	switch {
	case w == v && g.rnd.Intn(2) == 0:
		y = g.around(x, v)
	case w == v && g.rnd.Intn(6) == 0: // constants that can meet
		ops := []func(x, y expr.Expr) expr.Expr{g.b.And, g.b.Xor, g.b.Add, g.b.Mul}
		x, y = ops[g.rnd.Intn(4)](g.b.Const(g.rnd.Uint64(), w), g.term(w, 0)), g.b.Const(g.rnd.Uint64(), w)
	case w == v && g.rnd.Intn(8) == 0: // parts that meet their complements
		z := g.leaf(w)
		x, y = g.b.And(x, z), g.b.And(g.b.Not(x), y)
		if g.rnd.Intn(2) == 0 {
			y = g.b.And(x, g.b.Not(z))
			x, y = g.b.Not(g.b.And(x, z)), g.b.Not(y)
		}
	case g.rnd.Intn(16) == 0: // one choice of constants
		c := g.cond(0)
		x, y = g.b.ITE(c, g.leaf(w), g.leaf(w)), g.b.ITE(c, g.leaf(v), g.leaf(v))
	case w == v && g.rnd.Intn(4) == 0:
		x, y = g.quotient(w)
	case w == v && w > 2 && g.rnd.Intn(6) == 0: // a product that does not overflow
		extend, sign := g.b.ZExt, 0
		if g.rnd.Intn(2) == 0 {
			extend, sign = g.b.SExt, 1
		}
		half := 1 + g.rnd.Intn(w-2)
		x, y = g.b.Mul(g.b.Const(g.rnd.Uint64()%(1<<(w-half-sign)), w), extend(g.term(half, 1), w)), g.b.Const(g.rnd.Uint64(), w)
	case w == v && g.rnd.Intn(6) == 0: // as if merged together
		c, z := g.cond(0), g.term(w, 1)
		x, y = g.b.ITE(c, x, z), g.b.ITE(c, y, g.around(z, v))
	}
	if g.rnd.Intn(2) == 0 && w == v {
		x, y = y, x
	}
	return []expr.Expr{x, y}
}

// bounded returns two bounds of one variable, one of them in a conjunction or not.
func (g *generator) bounded() []expr.Expr {
	x, y := g.bound(), g.bound()
	if g.rnd.Intn(2) == 0 {
		x = g.b.And(g.vars[2], x)
	}
	return []expr.Expr{x, y}
}

// bound returns a comparison of x with a constant.
func (g *generator) bound() expr.Expr {
	x, k := g.vars[0], g.b.Const(g.rnd.Uint64(), g.width)
	ops := []func(x, y expr.Expr) expr.Expr{g.b.Eq, g.b.Ult, g.b.Ule, g.b.Slt, g.b.Sle, g.b.Ne}
	op := ops[g.rnd.Intn(len(ops))]
	if g.rnd.Intn(2) == 0 {
		return op(k, x)
	}
	return op(x, k)
}

// around returns a term that contains x or a part of x.
func (g *generator) around(x expr.Expr, w int) expr.Expr {
	if n := g.b.NumArgs(x); n > 0 && g.rnd.Intn(2) == 0 {
		if arg := g.b.Arg(x, g.rnd.Intn(n)); g.b.Width(arg) == w {
			x = arg
		}
	}
	if g.rnd.Intn(3) == 0 {
		x = g.b.Not(x)
	}
	y := g.term(w, 1)
	switch g.rnd.Intn(8) {
	case 7:
		return g.b.Const(g.rnd.Uint64(), w)
	case 0:
		return x
	case 1:
		return g.b.And(x, y)
	case 2:
		return g.b.Xor(x, y)
	case 3:
		return g.b.Add(x, y)
	case 4:
		return g.b.Not(g.b.And(x, y))
	case 5:
		return g.b.ITE(g.cond(0), x, y)
	}
	return g.b.Not(g.b.Add(x, y))
}

func (g *generator) cond(depth int) expr.Expr {
	p := g.vars[2+g.rnd.Intn(2)]
	if depth > 0 && g.rnd.Intn(3) == 0 {
		return g.term(1, depth)
	}
	if g.rnd.Intn(2) == 0 {
		return g.b.Not(p)
	}
	return p
}

// term returns a random expression of a width.
func (g *generator) term(w, depth int) expr.Expr {
	if depth == 0 || g.rnd.Intn(5) == 0 {
		return g.leaf(w)
	}
	b, half := g.b, 1+g.rnd.Intn(w)
	switch g.rnd.Intn(9) {
	case 0:
		return b.Not(g.term(w, depth-1))
	case 1:
		return b.ITE(g.cond(0), g.term(w, depth-1), g.term(w, depth-1))
	case 2:
		return b.ZExt(g.term(half, depth-1), w)
	case 3:
		return b.SExt(g.term(half, depth-1), w)
	case 4:
		if w > 1 {
			half = 1 + g.rnd.Intn(w-1)
			return b.Concat(g.term(w-half, depth-1), g.term(half, depth-1))
		}
	case 5:
		lo := g.rnd.Intn(2)
		return b.Extract(g.term(w+1, depth-1), lo, w)
	}
	ops := []func(x, y expr.Expr) expr.Expr{b.And, b.Or, b.Xor, b.Add, b.Sub, b.Mul, b.UDiv, b.URem, b.LShr, b.Shl, b.AShr}
	return ops[g.rnd.Intn(len(ops))](g.term(w, depth-1), g.term(w, depth-1))
}

func (g *generator) leaf(w int) expr.Expr {
	switch g.rnd.Intn(3) {
	case 0:
		consts := []uint64{0, 1, 2, 3, ^uint64(0), ^uint64(1), 1 << (w - 1), 1<<(w-1) - 1, g.rnd.Uint64()}
		return g.b.Const(consts[g.rnd.Intn(len(consts))], w)
	case 1:
		if w == 1 {
			return g.cond(0)
		}
	}
	x := g.vars[g.rnd.Intn(2)]
	switch {
	case w < g.width:
		return g.b.Extract(x, g.rnd.Intn(g.width-w+1), w)
	case w > g.width:
		return g.b.ZExt(x, w)
	}
	return x
}

// TestOperators compares both halves of the semantics, and every constructor,
// with one another: all inputs at widths 1 to 4.
func TestOperators(t *testing.T) {
	for op := expr.OpAnd; op.Arity() > 0; op++ {
		if op.Arity() != 2 || op == expr.OpConcat {
			continue
		}
		for w := 1; w <= 4; w++ {
			width := w
			switch op {
			case expr.OpEq, expr.OpUlt, expr.OpSlt, expr.OpUMulOvf, expr.OpSMulOvf:
				width = 1
			}
			b := expr.NewBuilder()
			for i := uint64(0); i < 1<<(2*w); i++ {
				x, y := expr.ValueOf(i&(1<<w-1)), expr.ValueOf(i>>w)
				want := expr.Apply(op, width, w, 0, x, y, expr.Value{})
				what := fmt.Sprintf("%v of %v and %v at width %d", op, x, y, w)
				if op != expr.OpEq && op != expr.OpUlt {
					if got := expr.ApplyBig(op, width, w, 0, x, y); !got.Equal(want) {
						t.Fatalf("%s: wide meaning %v, narrow %v", what, got, want)
					}
				}
				if got, _ := b.Value(b.Make(op, width, 0, b.ConstValue(x, w), b.ConstValue(y, w))); !got.Equal(want) {
					t.Fatalf("%s: folds to %v, want %v", what, got, want)
				}
			}
		}
	}
}
