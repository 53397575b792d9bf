// Package linear refutes conjunctions by reasoning about whole numbers.
//
// SAT sees adders and dividers bit by bit: that (n-1)/1000 + 1 is the least
// number whose thousandfold is not below n takes it hundreds of thousands of
// conflicts at 64 bits. As numbers it is two lines. Expressions become sums of
// integer unknowns; where a sum may not fit its width, the multiple of 2^width
// that wraps away is one more unknown, so nothing is approximated. Divisions
// become quotient and remainder, and a product of unknowns is one more unknown,
// of which it is known what its factors say (product.go). What has no meaning
// here is an unknown of its own. So an answer "they contradict" is exact, and no
// other is given.
package linear

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// Bounds on the work of one call. Past them nothing is known.
const (
	maxCases    = 256 // distinctions of cases
	maxUnknowns = 64
	maxRows     = 400
)

// Contradict reports that conds, each of width 1, cannot hold together. False
// says nothing. hard is what Gauge says of them. It takes at most about so many steps: expressions translated and
// rows made. It returns how many it took.
func Contradict(b *expr.Builder, conds []expr.Expr, hard Difficulty, steps int) (found bool, took int) {
	p := &prover{b: b, steps: steps, cases: maxCases, products: hard == Product, base: newBase(b)}
	found = p.collect(p.base, conds) || p.contradict(nil)
	return found, steps - p.steps
}

// prover is one call of Contradict.
type prover struct {
	b            *expr.Builder
	steps, cases int
	products     bool // rather than sums: what wraps is worth finding out
	base         *collection
}

// contradict reports that what was asked and the cases taken cannot hold
// together. Where the translation meets a condition that is open, both cases are tried.
func (p *prover) contradict(taken []expr.Expr) bool {
	s := p.system()
	if p.collect(s.collection, taken) {
		return true
	}
	open, clash := s.choices()
	if clash {
		return true
	}
	if open == expr.None {
		open = s.assert()
	}
	if open == expr.None && !s.impossible {
		open = s.order()
	}
	switch {
	case p.steps <= 0:
		return false // forms that were given up on mean nothing
	case s.impossible:
		return true
	case open == expr.None:
		return s.infeasible()
	}
	if p.cases--; p.cases <= 0 {
		return false
	}
	for _, c := range []expr.Expr{open, p.b.Not(open)} {
		if !p.contradict(append(taken[:len(taken):len(taken)], c)) {
			return false
		}
	}
	return true
}

// system is the rows of one case.
type system struct {
	p *prover
	*collection
	forms      map[key]*form
	quotients  map[key][2]*form
	unknowns   []bounds
	ranges     map[*form]bounds // what is known of a sum besides its unknowns' bounds
	rows       []*form          // each is at most 0
	impossible bool

	products   map[int][]int // by unknown that is a product: its factors
	monomials  map[string]int
	made       []int // products, in order
	timesForms map[key]*form
	uses       []times         // unsigned products, quotients by their divisors among them
	tops       map[*form]*form // by remainder: the divisor less 1
}

func (p *prover) system() *system {
	return &system{p: p, collection: newCollection(), forms: map[key]*form{}, quotients: map[key][2]*form{},
		ranges: map[*form]bounds{}, products: map[int][]int{}, monomials: map[string]int{}, timesForms: map[key]*form{}, tops: map[*form]*form{}}
}

// key is an expression with how its bits are read.
type key struct {
	e, by  expr.Expr
	signed bool
}

type bounds struct{ lo, hi *big.Int }

// clause looks at a conjunction that must not hold: one of its parts is false.
func (s *system) clause(and expr.Expr) (open expr.Expr, clash bool) {
	b := s.p.b
	x, y := b.Arg(and, 0), b.Arg(and, 1)
	xv, xk := s.known(x)
	yv, yk := s.known(y)
	switch {
	case xk && !xv || yk && !yv:
		return expr.None, false
	case xk && yk:
		return expr.None, true
	case xk:
		return y, false
	}
	return x, false
}

// assert makes rows of all conditions. It returns a condition that must be
// decided first.
func (s *system) assert() expr.Expr {
	// Bounds of single unknowns come first: they decide what can wrap.
	for _, simple := range []bool{true, false} {
		for _, of := range []*collection{s.collection, s.p.base} {
			for _, e := range of.lits {
				if s.simple(e) != simple {
					continue
				}
				if open := s.literal(e); open != expr.None || s.impossible {
					return open
				}
			}
		}
	}
	return expr.None
}

// simple reports whether e compares a variable with a constant.
func (s *system) simple(e expr.Expr) bool {
	b := s.p.b
	if b.Op(e) == expr.OpNot {
		e = b.Not(e)
	}
	switch b.Op(e) {
	case expr.OpSlt, expr.OpUlt, expr.OpEq:
		x, y := b.Arg(e, 0), b.Arg(e, 1)
		return b.IsConst(x) && b.Op(y) == expr.OpVar || b.IsConst(y) && b.Op(x) == expr.OpVar
	}
	return false
}

// literal makes rows of one condition. A condition without a linear meaning
// makes none: fewer rows have more solutions.
func (s *system) literal(e expr.Expr) expr.Expr {
	b := s.p.b
	holds := true
	if b.Op(e) == expr.OpNot {
		e, holds = b.Not(e), false
	}
	switch op := b.Op(e); op {
	case expr.OpSlt, expr.OpUlt:
		return s.compare(b.Arg(e, 0), b.Arg(e, 1), op == expr.OpSlt, holds)
	case expr.OpEq:
		if b.Width(b.Arg(e, 0)) > 1 {
			return s.equal(b.Arg(e, 0), b.Arg(e, 1), holds)
		}
		return s.alike(b.Arg(e, 0), b.Arg(e, 1), holds)
	case expr.OpSMulOvf, expr.OpUMulOvf:
		return s.overflow(b.Arg(e, 0), b.Arg(e, 1), op == expr.OpSMulOvf, holds)
	case expr.OpExtract:
		if x := b.Arg(e, 0); b.Lo(e) == b.Width(x)-1 {
			return s.compare(x, b.Const(0, b.Width(x)), true, holds)
		}
	}
	return expr.None
}

// alike is that two conditions are both true or both false.
func (s *system) alike(x, y expr.Expr, holds bool) expr.Expr {
	xv, known := s.known(x)
	if !known {
		return x
	}
	yv, known := s.known(y)
	if !known {
		return y
	}
	s.impossible = s.impossible || (xv == yv) != holds
	return expr.None
}

// compare adds x < y, or y <= x if it does not hold.
func (s *system) compare(x, y expr.Expr, signed, holds bool) expr.Expr {
	fx, open := s.value(x, signed)
	if open != expr.None {
		return open
	}
	fy, open := s.value(y, signed)
	if open != expr.None {
		return open
	}
	if holds {
		s.row(fx.sub(fy).plus(1))
	} else {
		s.row(fy.sub(fx))
	}
	return expr.None
}

// equal reads the bits as they were read before, or as signed.
func (s *system) equal(x, y expr.Expr, holds bool) expr.Expr {
	b := s.p.b
	signed := !s.isRead(x, false) && !s.isRead(y, false)
	if holds {
		if open := s.compare(x, y, signed, false); open != expr.None {
			return open
		}
		return s.compare(y, x, signed, false)
	}
	less := b.Ult(x, y)
	if signed {
		less = b.Slt(x, y)
	}
	v, known := s.known(less)
	if !known {
		return less
	}
	if v {
		return s.compare(x, y, signed, true)
	}
	return s.compare(y, x, signed, true)
}

func (s *system) isRead(e expr.Expr, signed bool) bool {
	return s.forms[key{e: e, signed: signed}] != nil && s.forms[key{e: e, signed: !signed}] == nil && !s.p.b.IsConst(e)
}

// overflow adds that a product overflows, or that it does not.
func (s *system) overflow(x, y expr.Expr, signed, holds bool) expr.Expr {
	if signed && holds {
		return expr.None // either way
	}
	f, open := s.timesOf(x, y, signed)
	if open != expr.None {
		return open
	}
	lo, hi := limits(s.p.b.Width(x), signed)
	if holds {
		s.row(constant(hi).sub(f).plus(1))
		return expr.None
	}
	s.row(f.add(constant(new(big.Int).Neg(hi))))
	s.row(constant(lo).sub(f))
	s.within(f, lo, hi)
	return expr.None
}
