package expr_test

import (
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// shadow is a term twice: as the builder makes it, and as operations that were
// not simplified. It also has the term's value under each of some models.
type shadow struct {
	e      expr.Expr
	width  int
	values []expr.Value
}

// shadows grows a pool of terms by random operations on random members.
type shadows struct {
	rnd    *rand.Rand
	b      *expr.Builder
	models []*expr.Model
	pool   []shadow
}

func newShadows(seed int64, widths []int, models int) *shadows {
	s := &shadows{rnd: rand.New(rand.NewSource(seed)), b: expr.NewBuilder()}
	for range models {
		s.models = append(s.models, expr.NewModel())
	}
	for _, w := range widths {
		v := shadow{e: s.b.Var("v", w), width: w}
		for _, m := range s.models {
			x := s.number(w)
			m.Set(v.e, x)
			v.values = append(v.values, x)
		}
		s.pool = append(s.pool, v)
	}
	return s
}

// number returns a random number; those near 0 and near the limits are likely.
func (s *shadows) number(w int) expr.Value {
	bits := make([]bool, w)
	n, flip := s.rnd.Intn(w)+1, s.rnd.Intn(2) == 0
	for i := range bits {
		bits[i] = flip != (i < n && s.rnd.Intn(2) == 0)
	}
	return expr.ValueOfBits(bits)
}

func (s *shadows) constant(w int) shadow {
	x := s.number(w)
	c := shadow{e: s.b.ConstValue(x, w), width: w}
	for range s.models {
		c.values = append(c.values, x)
	}
	return c
}

// any returns a member of width w, made to fit if there is none.
func (s *shadows) any(w int) shadow {
	if s.rnd.Intn(5) == 0 {
		return s.constant(w)
	}
	for range 8 {
		if x := s.pool[len(s.pool)-1-s.rnd.Intn(min(len(s.pool), 40))]; x.width == w {
			return x
		}
	}
	x := s.pool[s.rnd.Intn(len(s.pool))]
	switch {
	case x.width == w:
		return x
	case x.width > w:
		return s.apply(expr.OpExtract, w, s.rnd.Intn(x.width-w+1), x)
	case s.rnd.Intn(2) == 0:
		return s.apply(expr.OpSExt, w, 0, x)
	}
	return s.apply(expr.OpZExt, w, 0, x)
}

func (s *shadows) apply(op expr.Op, width, lo int, args ...shadow) shadow {
	out := shadow{width: width}
	var es []expr.Expr
	for _, a := range args {
		es = append(es, a.e)
	}
	argWidth := args[0].width
	if op == expr.OpConcat || op == expr.OpITE {
		argWidth = args[1].width
	}
	for i := range s.models {
		var v [3]expr.Value
		for k, a := range args {
			v[k] = a.values[i]
		}
		out.values = append(out.values, expr.Apply(op, width, argWidth, lo, v[0], v[1], v[2]))
	}
	if op == expr.OpNot {
		out.e = s.b.Not(es[0])
	} else {
		out.e = s.b.Make(op, width, lo, es...)
	}
	return out
}

// grow adds one random operation.
func (s *shadows) grow(widths []int) shadow {
	op := expr.OpNot + expr.Op(s.rnd.Intn(int(expr.OpSExt-expr.OpNot)+1))
	w := widths[s.rnd.Intn(len(widths))]
	var x shadow
	switch op {
	case expr.OpNot:
		x = s.apply(op, w, 0, s.any(w))
	case expr.OpEq, expr.OpUlt, expr.OpSlt, expr.OpUMulOvf, expr.OpSMulOvf:
		x = s.apply(op, 1, 0, s.any(w), s.any(w))
	case expr.OpITE:
		x = s.apply(op, w, 0, s.any(1), s.any(w), s.any(w))
	case expr.OpConcat:
		v := widths[s.rnd.Intn(len(widths))]
		x = s.apply(op, w+v, 0, s.any(w), s.any(v))
	case expr.OpExtract:
		v := 1 + s.rnd.Intn(w)
		if v == w {
			return s.grow(widths)
		}
		x = s.apply(op, v, s.rnd.Intn(w-v+1), s.any(w))
	case expr.OpZExt, expr.OpSExt:
		x = s.apply(op, w+1+s.rnd.Intn(3), 0, s.any(w))
	default:
		x = s.apply(op, w, 0, s.any(w), s.any(w))
	}
	s.pool = append(s.pool, x)
	return x
}

// TestTerms grows terms of all widths by all operators and checks that what the
// builder made of them has the right value under some models, and that the
// facts about it hold there.
func TestTerms(t *testing.T) {
	for seed, widths := range [][]int{{1, 2, 3}, {1, 4, 8, 16}, {1, 8, 32, 64}, {1, 8, 64, 65, 128}, {1, 63, 64, 100, 256}} {
		t.Logf("seed %d, widths %v", seed, widths)
		for round := range 10 {
			s := newShadows(int64(100*seed+round), append(widths, widths...), 12)
			for range 300 {
				x := s.grow(widths)
				checkShadow(t, s, x)
			}
		}
	}
}

func checkShadow(t *testing.T, s *shadows, x shadow) {
	t.Helper()
	if w := s.b.Width(x.e); w != x.width {
		t.Fatalf("%s: width %d, want %d", s.b.String(x.e), w, x.width)
	}
	for i, m := range s.models {
		got := s.b.Eval(x.e, m)
		if !got.Equal(x.values[i]) {
			t.Fatalf("%s: %v, want %v", s.b.String(x.e), got, x.values[i])
		}
		if x.width > 64 {
			continue
		}
		v, _ := got.Uint64()
		signed := int64(v<<(64-x.width)) >> (64 - x.width)
		if f := s.b.Facts(x.e); v&f.Zeros != 0 || v&f.Ones != f.Ones || v < f.UMin || v > f.UMax || signed < f.SMin || signed > f.SMax {
			t.Fatalf("%s: %d is not as %+v says", s.b.String(x.e), v, f)
		}
	}
}

// TestFactsExhaustive checks the facts of every operator on all pairs of
// intervals of 3 bits.
func TestFactsExhaustive(t *testing.T) {
	for op := expr.OpAnd; op <= expr.OpAShr; op++ {
		b := expr.NewBuilder()
		p, q := b.Var("p", 3), b.Var("q", 3)
		for i := range uint64(64) {
			for j := range uint64(64) {
				x, y := between(b, p, i), between(b, q, j)
				e := b.MakeRaw(op, 3, 0, x, y)
				for k := range uint64(4) {
					m := expr.NewModel()
					m.Set(p, expr.ValueOf(k&1))
					m.Set(q, expr.ValueOf(k>>1))
					v, _ := b.Eval(e, m).Uint64()
					signed := int64(v<<61) >> 61
					if f := b.Facts(e); v&f.Zeros != 0 || v&f.Ones != f.Ones || v < f.UMin || v > f.UMax || signed < f.SMin || signed > f.SMax {
						t.Fatalf("%s: %d is not as %+v says", b.String(e), v, f)
					}
				}
			}
		}
	}
}

// between returns an expression over p that takes exactly two values, one in
// each half of i.
func between(b *expr.Builder, p expr.Expr, i uint64) expr.Expr {
	return b.ITE(b.Bit(p, 0), b.Const(i&7, 3), b.Const(i>>3, 3))
}
