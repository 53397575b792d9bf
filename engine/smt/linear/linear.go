// Package linear refutes conjunctions by reasoning about whole numbers.
//
// SAT sees adders and dividers bit by bit: that (n-1)/1000 + 1 is the least
// number whose thousandfold is not below n takes it hundreds of thousands of
// conflicts at 64 bits. As numbers it is two lines. Expressions become sums of
// integer unknowns; where a sum may not fit its width, the multiple of 2^width
// that wraps away is one more unknown, so nothing is approximated. Divisions by
// a constant become quotient and remainder. What has no linear meaning is an
// unknown of its own. So an answer "they contradict" is exact, and no other is
// given.
package linear

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// Bounds on the work of one call. Past them nothing is known.
const (
	maxSteps    = 20_000 // expressions translated and rows made
	maxCases    = 256    // distinctions of cases
	maxUnknowns = 64
	maxRows     = 400
)

// Contradict reports that conds, each of width 1, cannot hold together. False
// says nothing.
func Contradict(b *expr.Builder, conds []expr.Expr) bool {
	if !useful(b, conds) {
		return false
	}
	p := &prover{b: b, steps: maxSteps, cases: maxCases}
	return p.contradict(conds, nil)
}

// useful reports whether there is a division by a constant, of enough bits to
// be hard for SAT.
func useful(b *expr.Builder, conds []expr.Expr) bool {
	found := false
	seen := map[expr.Expr]bool{}
	for _, c := range conds {
		b.Walk(c, func(e expr.Expr) bool { return found || seen[e] }, func(e expr.Expr) {
			seen[e] = true
			switch b.Op(e) {
			case expr.OpSDiv, expr.OpSRem, expr.OpUDiv, expr.OpURem:
				found = found || b.Width(e) >= 24 && b.IsConst(b.Arg(e, 1))
			}
		})
	}
	return found
}

// prover is one call of Contradict.
type prover struct {
	b            *expr.Builder
	steps, cases int
}

// contradict reports that conds and the cases taken cannot hold together. Where
// the translation meets a condition that is open, both cases are tried.
func (p *prover) contradict(conds, taken []expr.Expr) bool {
	s := &system{p: p, truth: map[expr.Expr]bool{}, forms: map[key]*form{}, quotients: map[key][2]*form{}}
	open, clash := s.collect(append(append([]expr.Expr(nil), taken...), conds...))
	if clash {
		return true
	}
	if open == expr.None {
		open = s.assert()
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
		if !p.contradict(conds, append(taken[:len(taken):len(taken)], c)) {
			return false
		}
	}
	return true
}

// system is the rows of one case.
type system struct {
	p          *prover
	truth      map[expr.Expr]bool // of conditions, without complement
	lits       []expr.Expr
	forms      map[key]*form
	quotients  map[key][2]*form
	unknowns   []bounds
	rows       []*form // each is at most 0
	impossible bool
}

// key is an expression with how its bits are read.
type key struct {
	e, by  expr.Expr
	signed bool
}

type bounds struct{ lo, hi *big.Int }

// collect takes conjunctions apart. It returns a condition that must be decided
// first, if there is one, or reports a condition beside its complement.
func (s *system) collect(conds []expr.Expr) (open expr.Expr, clash bool) {
	b := s.p.b
	work := append([]expr.Expr(nil), conds...)
	var clauses []expr.Expr
	for len(work) > 0 {
		e := work[0]
		work = work[1:]
		if v, ok := b.Uint64(e); ok {
			if v == 0 {
				return expr.None, true
			}
			continue
		}
		if v, known := s.known(e); known {
			if !v {
				return expr.None, true
			}
			continue
		}
		s.learn(e)
		switch {
		case b.Op(e) == expr.OpAnd:
			work = append(work, b.Arg(e, 0), b.Arg(e, 1))
		case b.Op(e) == expr.OpNot && b.Op(b.Not(e)) == expr.OpAnd:
			clauses = append(clauses, b.Not(e))
		}
	}
	for _, e := range clauses {
		if c, clash := s.clause(e); c != expr.None || clash {
			return c, clash
		}
	}
	return expr.None, false
}

func (s *system) learn(e expr.Expr) {
	s.lits = append(s.lits, e)
	if n := s.p.b.Not(e); n < e {
		s.truth[n] = false
	} else {
		s.truth[e] = true
	}
}

// known returns the truth of a condition in this case.
func (s *system) known(e expr.Expr) (value, known bool) {
	if v, ok := s.p.b.Uint64(e); ok {
		return v != 0, true
	}
	if n := s.p.b.Not(e); n < e {
		v, ok := s.truth[n]
		return !v, ok
	}
	v, ok := s.truth[e]
	return v, ok
}

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
		for _, e := range s.lits {
			if s.simple(e) != simple {
				continue
			}
			if open := s.literal(e); open != expr.None || s.impossible {
				return open
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
		if !holds {
			return s.fits(b.Arg(e, 0), b.Arg(e, 1), op == expr.OpSMulOvf)
		}
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

func (s *system) equal(x, y expr.Expr, holds bool) expr.Expr {
	if holds {
		if open := s.compare(x, y, true, false); open != expr.None {
			return open
		}
		return s.compare(y, x, true, false)
	}
	less := s.p.b.Slt(x, y)
	v, known := s.known(less)
	if !known {
		return less
	}
	if v {
		return expr.None // its row is there
	}
	return s.compare(y, x, true, true)
}

// fits adds that a product does not overflow.
func (s *system) fits(x, y expr.Expr, signed bool) expr.Expr {
	if s.p.b.IsConst(x) {
		x, y = y, x
	}
	v, ok := s.p.b.Value(y)
	if !ok {
		return expr.None
	}
	w := s.p.b.Width(x)
	f, open := s.value(x, signed)
	if open != expr.None {
		return open
	}
	k := v.Big()
	if signed {
		k = v.Signed(w)
	}
	lo, hi := limits(w, signed)
	p := f.times(k)
	s.row(p.add(constant(new(big.Int).Neg(hi))))
	s.row(constant(lo).sub(p))
	return expr.None
}
