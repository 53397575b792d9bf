package smt

import (
	"math/bits"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// repair changes a model that breaks few conditions until it breaks none, or
// gives up soon. It takes a condition that does not hold, follows it down
// to a variable, at each operation asking what one argument would have to be,
// and sets the variable so. Most branches that can be taken are found
// so for a hundredth of what their circuits cost; of those that cannot it says nothing.
type repair struct {
	b     *expr.Builder
	next  corer
	bl    *blaster
	left  *budget
	stats *Stats
	near  *expr.Evaluator // of a model to begin with
	luck  int             // of the last searches
	odds  int             // of those where no model was expected
}

// What a search may cost, in operations evaluated. Where a model is not expected,
// and where searches were in vain for long, it is less.
const (
	repairSteps    = 24_000
	repairFewSteps = 4_000
	repairMoves    = 96
	mostLuck       = 8
	repairsPerUnit = 1000 // operations in a unit of effort
	firstSeed      = 0x9e3779b97f4a7c15

	// repairGates is the size of the whole circuit beyond which no model is repaired: where
	// queries are that large, few changes of a model make it one of theirs.
	repairGates = 1 << 16
)

// Core is corer's.
func (s *repair) Core() []expr.Expr { return s.next.Core() }

// Check is Solver's.
func (s *repair) Check(conds []expr.Expr) (Result, *expr.Model) {
	if m := s.find(conds); m != nil {
		s.stats.Repaired++
		return Sat, m
	}
	return s.next.Check(conds)
}

// find returns a model of conds, nil if it comes to none.
func (s *repair) find(conds []expr.Expr) *expr.Model {
	if len(s.bl.c.gates) > repairGates {
		return nil
	}
	limit, luck := repairSteps, &s.luck
	if s.left.doubt {
		limit, luck = repairFewSteps, &s.odds
	}
	switch {
	case *luck > 0:
	case s.left.doubt:
		return nil
	default:
		limit = repairFewSteps
	}
	p := s.b.Compile(conds)
	if p == nil || p.Len() == 0 {
		return nil
	}
	moves := min(repairMoves, limit/p.Len())
	if moves < 2 {
		return nil
	}
	near := s.near
	if near == nil {
		near = expr.NewEvaluator(s.b, expr.NewModel())
	}
	r := search{p: p, seed: firstSeed}
	p.Start(near)
	found, used := r.run(moves)
	s.left.spend(int64(used+2) * int64(p.Len()) / repairsPerUnit)
	if !found {
		*luck = max(*luck-1, 0)
		return nil
	}
	m := p.Model()
	if !holds(expr.NewEvaluator(s.b, m), conds) { // two reads of one element differ
		return nil
	}
	*luck = min(*luck+2, mostLuck)
	return m
}

// search is one search for a model. It draws from numbers that are the same each time.
type search struct {
	p    *expr.Program
	seed uint64
}

func (r *search) random() uint64 {
	r.seed ^= r.seed << 13
	r.seed ^= r.seed >> 7
	r.seed ^= r.seed << 17
	return r.seed
}

// coin is true one time in n.
func (r *search) coin(n uint64) bool { return r.random()>>20%n == 0 }

// run moves until all roots hold; it returns the number of moves.
func (r *search) run(moves int) (bool, int) {
	for n := range moves {
		r.p.Run()
		broken := r.broken()
		if len(broken) == 0 {
			return true, n
		}
		at := len(broken) - 1 // the youngest is what is asked
		if n%4 != 0 {
			at = int(r.random() >> 20 % uint64(len(broken)))
		}
		r.make(broken[at], 1)
	}
	r.p.Run()
	return len(r.broken()) == 0, moves
}

func (r *search) broken() []expr.Operand {
	var out []expr.Operand
	for _, x := range r.p.Roots() {
		if r.p.Value(x) == 0 {
			out = append(out, x)
		}
	}
	return out
}

// make sets one variable so that x may become t. It reports whether it did.
func (r *search) make(x expr.Operand, t uint64) bool {
	for range 200 {
		m := ones(r.p.Width(x))
		if x&1 == 1 {
			t, x = ^t&m, x^1
		}
		t &= m
		switch r.p.Op(x) {
		case expr.OpConst:
			return false
		case expr.OpVar, expr.OpRead:
			r.p.Set(x, t)
			return true
		}
		ok := false
		if x, t, ok = r.down(x, t); !ok {
			return false
		}
	}
	return false
}

// down chooses an argument of x and what it must be for x to be t.
func (r *search) down(x expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	switch op := r.p.Op(x); op {
	case expr.OpITE:
		return r.choice(x, t)
	case expr.OpConcat:
		return r.half(x, t)
	case expr.OpExtract:
		arg, lo, w := r.p.Arg(x, 0), r.p.Lo(x), r.p.Width(x)
		field := ones(w) << lo
		return arg, r.p.Value(arg)&^field | t<<lo, true
	case expr.OpZExt, expr.OpSExt:
		arg := r.p.Arg(x, 0)
		return arg, t & ones(r.p.Width(arg)), true
	case expr.OpEq, expr.OpUlt, expr.OpSlt, expr.OpUMulOvf, expr.OpSMulOvf:
		return r.relation(x, t)
	default:
		return r.arith(x, t)
	}
}

// fixed reports whether an operand is a constant.
func (r *search) fixed(x expr.Operand) bool { return r.p.Op(x) == expr.OpConst }

// choice follows a branch to t, or changes the condition to the branch that is t already.
func (r *search) choice(x expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	c, on, off := r.p.Arg(x, 0), r.p.Arg(x, 1), r.p.Arg(x, 2)
	now := r.p.Value(c)
	if now == 0 {
		on, off = off, on
	}
	if other := r.p.Value(off) == t; other && !r.coin(4) || r.fixed(on) || !other && r.coin(8) {
		return c, now ^ 1, true
	}
	return on, t, true
}

func (r *search) half(x expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	hi, lo := r.p.Arg(x, 0), r.p.Arg(x, 1)
	w := r.p.Width(lo)
	upper, lower := t>>w, t&ones(w)
	if r.fixed(lo) || !r.fixed(hi) && r.p.Value(hi) != upper {
		return hi, upper, true
	}
	return lo, lower, true
}

// sides returns two arguments of x, the one to change first.
func (r *search) sides(x expr.Operand) (change, keep expr.Operand, swapped bool) {
	a, b := r.p.Arg(x, 0), r.p.Arg(x, 1)
	if r.fixed(a) || !r.fixed(b) && r.coin(2) {
		return b, a, true
	}
	return a, b, false
}

func (r *search) relation(x expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	x0, y0, swapped := r.sides(x)
	y, w := r.p.Value(y0), r.p.Width(x0)
	m := ones(w)
	half := uint64(1) << (w - 1)
	switch r.p.Op(x) {
	case expr.OpEq:
		if t == 1 {
			return x0, y, true
		}
		return x0, y ^ (1 + r.random()>>8&m&7), true
	case expr.OpUlt:
		v, ok := r.below(y, m, t == 1, swapped)
		return x0, v, ok
	case expr.OpSlt:
		v, ok := r.below(y^half, m, t == 1, swapped)
		return x0, v ^ half, ok
	case expr.OpUMulOvf:
		if t == 1 {
			return x0, m >> (r.random() >> 20 % 2), true
		}
		return x0, r.random() >> 20 % 3, true
	}
	if t == 1 {
		return x0, half - r.random()>>20%2, true
	}
	return x0, r.random() >> 20 % 3, true
}

// below returns a number that is less than y, or greater if swapped; if not less, the opposite.
func (r *search) below(y, m uint64, less, swapped bool) (uint64, bool) {
	near, all := uint64(0), uint64(0) // the nearest such number, and the last
	switch {
	case less && !swapped:
		near, all = y-1, 0
		if y == 0 {
			return 0, false
		}
	case less:
		near, all = y+1, m
		if y == m {
			return 0, false
		}
	case !swapped:
		near, all = y, m
	default:
		near, all = y, 0
	}
	switch r.random() >> 20 % 4 {
	case 0, 1:
		return near, true
	case 2:
		return all, true
	}
	lo, hi := min(near, all), max(near, all)
	if hi-lo == ^uint64(0) {
		return r.random(), true
	}
	return lo + r.random()%(hi-lo+1), true
}

// arith inverts what has one value of each width.
func (r *search) arith(x expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	x0, y0, swapped := r.sides(x)
	y, m := r.p.Value(y0), ones(r.p.Width(x))
	switch r.p.Op(x) {
	case expr.OpAnd:
		return r.conjunct(x0, y0, t)
	case expr.OpXor:
		return x0, t ^ y, true
	case expr.OpAdd:
		return x0, t - y, true
	case expr.OpMul:
		return r.factor(x0, y, t, m)
	}
	if swapped { // the second argument: anything
		return x0, r.random() >> (r.random() >> 20 % 64) & m, true
	}
	switch r.p.Op(x) {
	case expr.OpUDiv:
		return x0, t * y, true
	case expr.OpURem, expr.OpSRem:
		return x0, t, true
	case expr.OpShl:
		return x0, t >> min(y, 64), true
	case expr.OpLShr, expr.OpAShr:
		return x0, t << min(y, 64), true
	}
	return x0, r.random() & m, true
}

// conjunct makes x & y come to t.
func (r *search) conjunct(x0, y0 expr.Operand, t uint64) (expr.Operand, uint64, bool) {
	x, y := r.p.Value(x0), r.p.Value(y0)
	if y&t != t && !r.fixed(y0) && (x&t == t || r.coin(2)) {
		x0, x, y = y0, y, x
	}
	return x0, x&^y | t | x&t, true
}

// factor returns x with x*y = t, or one that comes near.
func (r *search) factor(x0 expr.Operand, y, t, m uint64) (expr.Operand, uint64, bool) {
	if y == 0 {
		return x0, r.random() & m, true
	}
	k := bits.TrailingZeros64(y)
	if t&(1<<k-1) != 0 {
		return x0, t / y, true
	}
	return x0, (t >> k) * inverse(y>>k) & m, true
}

// inverse returns the inverse of an odd number modulo 2^64.
func inverse(y uint64) uint64 {
	x := y // right in three bits, twice as many with each step
	for range 5 {
		x *= 2 - x*y
	}
	return x
}

// ones returns the lowest w bits set.
func ones(w int) uint64 { return ^uint64(0) >> uint(64-w) }
