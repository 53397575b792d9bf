package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// maxGuesses bounds the guesses of one induction, maxPairs the holes that are
// compared with each other.
const (
	maxGuesses = 120
	maxPairs   = 6
)

// propose makes guesses about the holes out of the comparisons that a round
// makes, of where the holes begin, and of how they stand to each other.
func (l *induction) propose(t *trial) {
	l.compared(t)
	l.since()
	l.paired()
}

// add enters a guess that speaks of the state at the head alone.
func (l *induction) add(e expr.Expr) {
	if l.x.b.IsConst(e) || l.tried[e] || len(l.tried) >= maxGuesses || !l.local(e) {
		return
	}
	l.tried[e] = true
	l.guess = append(l.guess, e)
}

// local reports whether e is made of holes and of what does not change any
// more: inputs and what was computed before the loop.
func (l *induction) local(e expr.Expr) bool {
	x := l.x
	some := false
	for _, v := range x.b.Vars(e) {
		own := v == l.clock.v || l.isHole(v)
		if v > l.mark && !own {
			return false
		}
		some = some || own
	}
	for _, r := range x.b.FreeReads(e) {
		if r > l.mark {
			return false
		}
	}
	return some
}

func (l *induction) isHole(v expr.Expr) bool {
	for _, h := range l.order {
		if h.v == v {
			return true
		}
	}
	return false
}

// compared takes the comparisons in what a round's paths and demands depend on.
func (l *induction) compared(t *trial) {
	var roots []expr.Expr
	for _, ss := range [][]*state{t.arrivals, t.exits} {
		for _, s := range ss {
			roots = append(roots, s.pc.lits(common(s.pc, l.from.pc))...)
		}
	}
	for _, q := range t.demands {
		roots = append(roots, q.bad)
	}
	b := l.x.b
	back := b.NewSubstitution(map[expr.Expr]expr.Expr{l.clock.v: b.Sub(l.clock.v, l.clock.step)})
	seen := map[expr.Expr]bool{}
	for _, e := range roots {
		b.Walk(e, func(e expr.Expr) bool { return seen[e] }, func(e expr.Expr) {
			seen[e] = true
			op := b.Op(e)
			if op != expr.OpUlt && op != expr.OpSlt && op != expr.OpEq || b.Width(b.Arg(e, 0)) == 1 {
				return
			}
			p, q := b.Arg(e, 0), b.Arg(e, 1)
			l.ordered(op, p, q)
			l.ordered(op, back.Apply(p), back.Apply(q))
			l.limited(p, q)
		})
	}
}

// ordered guesses that two numbers keep their order.
func (l *induction) ordered(op expr.Op, p, q expr.Expr) {
	b := l.x.b
	if op != expr.OpSlt {
		for _, e := range []expr.Expr{b.Ult(p, q), b.Ult(q, p), b.Ule(p, q), b.Ule(q, p)} {
			l.add(e)
		}
	}
	if op != expr.OpUlt {
		for _, e := range []expr.Expr{b.Slt(p, q), b.Slt(q, p), b.Sle(p, q), b.Sle(q, p)} {
			l.add(e)
		}
	}
}

// since guesses that holes stay on one side of where they begin, keep the
// lowest bits that they begin with, and move by one at most in each round.
func (l *induction) since() {
	b := l.x.b
	rounds := b.Mul(b.Sub(l.clock.v, l.clock.init), l.clock.step)
	l.add(b.Ule(l.clock.init, l.clock.v))
	l.add(b.Ule(l.clock.v, l.clock.init))
	for _, h := range l.order {
		w := b.Width(h.v)
		if w == 1 {
			l.add(h.v)
			l.add(b.Not(h.v))
		}
		if w == 1 || h.e != h.v {
			continue
		}
		l.add(b.Ule(h.init, h.v))
		l.add(b.Ule(h.v, h.init))
		l.add(b.Ule(h.v, b.Const(1, w)))
		if w == 64 {
			l.add(b.Ule(b.Sub(h.v, h.init), rounds))
			l.add(b.Ule(b.Sub(h.init, h.v), rounds))
		}
		for k := 1; h.off && k <= 3; k++ {
			l.add(b.Eq(b.Trunc(h.v, k), b.Trunc(h.init, k)))
		}
	}
}

// paired guesses an order between every two holes.
func (l *induction) paired() {
	b := l.x.b
	n := 0
	for i, h := range l.order {
		if b.Width(h.v) == 1 {
			continue
		}
		if n++; n > maxPairs {
			return
		}
		for _, g := range l.order[:i] {
			if b.Width(g.v) == b.Width(h.v) {
				l.add(b.Ule(h.e, g.e))
				l.add(b.Ule(g.e, h.e))
			}
		}
	}
}

// What the solver may spend on all guesses at once, and on one.
const (
	allEffort = 1200
	oneEffort = 800
)

// hold drops the guesses that are not known to hold in s, whose holes are now:
// all at once those that a model disproves, until none does or it gets too hard.
func (l *induction) hold(s *state, now map[expr.Expr]expr.Expr) {
	sub := l.x.b.NewSubstitution(now)
	fails := make([]expr.Expr, len(l.guess))
	for i, e := range l.guess {
		fails[i] = l.x.b.Not(sub.Apply(e))
	}
	for {
		r, m := l.x.satWithin(s, l.x.b.OrAll(fails...), allEffort)
		if r == smt.Unsat {
			return
		}
		if r == smt.Unknown {
			break
		}
		fails = l.retain(fails, func(i int) bool { return !m.True(fails[i]) })
	}
	for i := 0; i < len(fails); {
		r, m := smt.Unknown, (*expr.Evaluator)(nil)
		if !l.spent() {
			r, m = l.apart(s, fails[i])
		}
		switch at := i; r {
		case smt.Unsat:
			i++
		case smt.Sat:
			fails = l.retain(fails, func(j int) bool { return j < at || !m.True(fails[j]) })
		default:
			fails = l.retain(fails, func(j int) bool { return j != at })
		}
	}
}

// maxApart bounds the inequalities that apart takes apart.
const maxApart = 2

// apart asks for one failure. Where that is too hard, one case of an inequality
// of the round after the other may be less so: the pointer is before the end, it
// is behind it.
func (l *induction) apart(s *state, fails expr.Expr) (smt.Result, *expr.Evaluator) {
	r, m := l.x.satWithin(s, fails, oneEffort)
	if r != smt.Unknown {
		return r, m
	}
	b := l.x.b
	n := 0
	for c := s.pc; c.len() > l.from.pc.len() && n < maxApart; c = c.parent {
		e := b.Not(c.lit)
		if b.Op(e) != expr.OpEq || b.Width(b.Arg(e, 0)) == 1 || !l.local(e) {
			continue
		}
		n++
		p, q := b.Arg(e, 0), b.Arg(e, 1)
		less, _ := l.x.satWithin(s, b.And(fails, b.Ult(p, q)), oneEffort)
		if less != smt.Unsat {
			continue
		}
		if more, _ := l.x.satWithin(s, b.And(fails, b.Ult(q, p)), oneEffort); more == smt.Unsat {
			return smt.Unsat, nil
		}
	}
	return smt.Unknown, nil
}

// retain keeps the guesses that keep says, and what belongs to them.
func (l *induction) retain(fails []expr.Expr, keep func(int) bool) []expr.Expr {
	n := 0
	for i := range fails {
		if keep(i) {
			l.guess[n], fails[n] = l.guess[i], fails[i]
			n++
		}
	}
	l.guess = l.guess[:n]
	return fails[:n]
}

// limited guesses how many rounds there can be at most, where two sums are
// compared that each round moves by the same step: 12*rounds and 12*n.
func (l *induction) limited(p, q expr.Expr) {
	b := l.x.b
	w := b.Width(p)
	if w > 64 {
		return
	}
	f := sum{b: b, of: map[expr.Expr]int64{}}
	if !f.add(q, 1, 0) || !f.add(p, -1, 0) {
		return
	}
	for _, e := range f.order {
		k := f.of[e]
		if !l.counts(e) || k == 0 {
			continue
		}
		g := max(k, -k)
		rest, ok := f.without(e, g, k > 0)
		if !ok {
			continue
		}
		width := min(b.Width(e), w) - trailing(g)
		for _, width := range []int{min(b.Width(e), w), width} {
			if width > 1 {
				l.add(b.Ule(b.Trunc(e, width), b.Trunc(rest, width)))
				l.add(b.Ule(b.Trunc(rest, width), b.Trunc(e, width)))
			}
		}
	}
}

// counts reports whether e is the number of rounds, or its lowest bits.
func (l *induction) counts(e expr.Expr) bool {
	b := l.x.b
	return e == l.clock.v || b.Op(e) == expr.OpExtract && b.Lo(e) == 0 && b.Arg(e, 0) == l.clock.v
}

func trailing(k int64) int {
	n := 0
	for ; k&1 == 0; k >>= 1 {
		n++
	}
	return n
}

// sum is a number taken apart: constant + sum of factor*term.
type sum struct {
	b     *expr.Builder
	width int
	con   int64
	of    map[expr.Expr]int64
	order []expr.Expr
}

// add adds k*e.
func (f *sum) add(e expr.Expr, k int64, depth int) bool {
	b := f.b
	f.width = b.Width(e)
	if c, ok := b.Uint64(e); ok {
		f.con += k * int64(c)
		return true
	}
	if depth > 16 {
		return false
	}
	switch b.Op(e) {
	case expr.OpNot: // -x-1
		f.con -= k
		return f.add(b.Arg(e, 0), -k, depth+1)
	case expr.OpAdd:
		return f.add(b.Arg(e, 0), k, depth+1) && f.add(b.Arg(e, 1), k, depth+1)
	case expr.OpMul:
		for i := range 2 {
			if c, ok := b.Uint64(b.Arg(e, i)); ok && c < 1<<32 {
				return f.add(b.Arg(e, 1-i), k*int64(c), depth+1)
			}
		}
	}
	if f.of[e] == 0 {
		f.order = append(f.order, e)
	}
	f.of[e] += k
	return true
}

// without returns the sum without the term e, divided by g; negated if neg.
func (f *sum) without(e expr.Expr, g int64, neg bool) (expr.Expr, bool) {
	b, w := f.b, f.width
	if f.con%g != 0 {
		return expr.None, false
	}
	out := b.ConstInt(f.con/g, w)
	for _, t := range f.order {
		if t == e || f.of[t] == 0 {
			continue
		}
		if f.of[t]%g != 0 || b.Width(t) != w {
			return expr.None, false
		}
		out = b.Add(out, b.Mul(t, b.ConstInt(f.of[t]/g, w)))
	}
	if neg {
		out = b.Neg(out)
	}
	return out, true
}
