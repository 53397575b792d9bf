package smt

import "github.com/kvfarm/kvfarm/engine/expr"

// A loop whose end is an input leaves a bound of it behind in each round, and each says
// more than those before. All but the last would be looked at by every stage for every question that follows.

// manyBounds is how many bounds of one number there are before the lesser ones are left out: few
// cost little, a contradiction that is remembered may be about one of them, and which model is found, on which the
// guesses of an induction rest, hangs on all that is asked.
const manyBounds = 16

// bound is a condition that compares a number with a constant.
type bound struct {
	of     expr.Expr
	signed bool
	upper  bool   // of is at most limit, else at least
	limit  uint64 // of signed numbers with the sign turned: they are in order then
}

// boundOf reads e as a bound.
func boundOf(b *expr.Builder, e expr.Expr) (bound, bool) {
	plain := e &^ 1
	op := b.Op(plain)
	if op != expr.OpUlt && op != expr.OpSlt {
		return bound{}, false
	}
	x, y, holds := b.Arg(plain, 0), b.Arg(plain, 1), plain == e
	width := b.Width(x)
	if width > 64 {
		return bound{}, false
	}
	turn := uint64(0)
	if op == expr.OpSlt {
		turn = 1 << (width - 1)
	}
	k, low := b.Uint64(x) // k < y
	of := y
	if !low {
		var ok bool
		if k, ok = b.Uint64(y); !ok { // x < k
			return bound{}, false
		}
		of = x
	}
	k ^= turn
	c := bound{of: of, signed: op == expr.OpSlt, upper: low != holds, limit: k}
	switch { // k < y is k+1 <= y, x < k is x <= k-1
	case holds && low && k < ones(width):
		c.limit = k + 1
	case holds && !low && k > 0:
		c.limit = k - 1
	case holds:
		return bound{}, false
	}
	return c, true
}

// strongest leaves out what follows from another bound of the same number, where there are many. The order stays.
func strongest(b *expr.Builder, conds []expr.Expr) []expr.Expr {
	if len(conds) < manyBounds {
		return conds
	}
	type side struct {
		of            expr.Expr
		signed, upper bool
	}
	type best struct{ at, n int }
	found := map[side]best{}
	for i, e := range conds {
		c, ok := boundOf(b, e)
		if !ok {
			continue
		}
		key := side{c.of, c.signed, c.upper}
		now, ok := found[key]
		if now.n++; !ok {
			now.at = i
		} else if before, _ := boundOf(b, conds[now.at]); c.upper == (c.limit < before.limit) {
			now.at = i
		}
		found[key] = now
	}
	out := conds[:0]
	for i, e := range conds {
		if c, ok := boundOf(b, e); ok {
			if f := found[side{c.of, c.signed, c.upper}]; f.n >= manyBounds && f.at != i {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}
