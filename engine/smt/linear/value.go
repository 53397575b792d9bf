package linear

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/expr"
)

var one = big.NewInt(1)

func power(n int) *big.Int { return new(big.Int).Lsh(one, uint(n)) }

// limits are the least and the greatest number of a width.
func limits(width int, signed bool) (lo, hi *big.Int) {
	if signed {
		h := power(width - 1)
		return new(big.Int).Neg(h), h.Sub(h, one)
	}
	h := power(width)
	return new(big.Int), h.Sub(h, one)
}

// value returns the number that e's bits stand for, as a sum. Open is a
// condition that must be decided first.
func (s *system) value(e expr.Expr, signed bool) (f *form, open expr.Expr) {
	k := key{e: e, signed: signed}
	if f := s.forms[k]; f != nil {
		return f, expr.None
	}
	if s.p.steps--; s.p.steps <= 0 || len(s.unknowns) > maxUnknowns {
		s.p.steps = 0
		return constant(new(big.Int)), expr.None // the caller gives up
	}
	f, open = s.translate(e, signed)
	if open == expr.None {
		s.forms[k] = f
	}
	return f, open
}

func (s *system) translate(e expr.Expr, signed bool) (*form, expr.Expr) {
	b, w := s.p.b, s.p.b.Width(e)
	if v, ok := b.Value(e); ok {
		if signed {
			return constant(v.Signed(w)), expr.None
		}
		return constant(v.Big()), expr.None
	}
	switch b.Op(e) {
	case expr.OpNot:
		return s.complement(e, signed)
	case expr.OpAdd:
		return s.sum(e, signed)
	case expr.OpMul, expr.OpShl:
		return s.product(e, signed)
	case expr.OpITE:
		return s.choice(e, signed)
	case expr.OpZExt, expr.OpSExt:
		return s.extension(e, signed)
	case expr.OpExtract:
		return s.part(e, signed)
	case expr.OpSDiv, expr.OpSRem, expr.OpAShr:
		return s.division(e, signed, true)
	case expr.OpUDiv, expr.OpURem, expr.OpLShr:
		return s.division(e, signed, false)
	}
	return s.atom(e, signed)
}

// atom is an unknown that stands for e: its signed number.
func (s *system) atom(e expr.Expr, signed bool) (*form, expr.Expr) {
	if !signed {
		return s.other(e, false)
	}
	lo, hi := limits(s.p.b.Width(e), true)
	return s.unknown(lo, hi), expr.None
}

// other turns the signed number of e into the unsigned one, or back. The two
// differ by 2^width where the top bit is set.
func (s *system) other(e expr.Expr, signed bool) (*form, expr.Expr) {
	b, w := s.p.b, s.p.b.Width(e)
	f, open := s.value(e, !signed)
	if open != expr.None {
		return nil, open
	}
	lo, hi := s.interval(f)
	half := power(w - 1)
	switch {
	case signed && hi.Cmp(half) < 0, !signed && lo.Sign() >= 0:
		return f, expr.None
	case signed && lo.Cmp(half) >= 0:
		return f.add(constant(new(big.Int).Neg(power(w)))), expr.None
	case !signed && hi.Sign() < 0:
		return f.add(constant(power(w))), expr.None
	}
	negative := b.Slt(e, b.Const(0, w))
	v, known := s.known(negative)
	switch {
	case !known:
		return nil, negative
	case !v:
		return f, expr.None
	case signed:
		return f.add(constant(new(big.Int).Neg(power(w)))), expr.None
	}
	return f.add(constant(power(w))), expr.None
}

// complement is -1 - x, or 2^width - 1 - x.
func (s *system) complement(e expr.Expr, signed bool) (*form, expr.Expr) {
	f, open := s.value(s.p.b.Not(e), signed)
	if open != expr.None {
		return nil, open
	}
	_, top := limits(s.p.b.Width(e), false)
	if signed {
		top = big.NewInt(-1)
	}
	return constant(top).sub(f), expr.None
}

func (s *system) sum(e expr.Expr, signed bool) (*form, expr.Expr) {
	x, open := s.value(s.p.b.Arg(e, 0), signed)
	if open != expr.None {
		return nil, open
	}
	y, open := s.value(s.p.b.Arg(e, 1), signed)
	if open != expr.None {
		return nil, open
	}
	return s.wrap(x.add(y), s.p.b.Width(e), signed), expr.None
}

// product is linear if one side is a constant, or the shift is by one.
func (s *system) product(e expr.Expr, signed bool) (*form, expr.Expr) {
	b, w := s.p.b, s.p.b.Width(e)
	x, y := b.Arg(e, 0), b.Arg(e, 1)
	if b.Op(e) == expr.OpMul && b.IsConst(x) {
		x, y = y, x
	}
	v, ok := b.Value(y)
	if !ok {
		return s.atom(e, signed)
	}
	k := v.Signed(w)
	if b.Op(e) == expr.OpShl {
		n, small := v.Uint64()
		if !small || n >= uint64(w) {
			return constant(new(big.Int)), expr.None
		}
		k = power(int(n))
	}
	f, open := s.value(x, signed)
	if open != expr.None {
		return nil, open
	}
	return s.wrap(f.times(k), w, signed), expr.None
}

func (s *system) choice(e expr.Expr, signed bool) (*form, expr.Expr) {
	c := s.p.b.Arg(e, 0)
	v, known := s.known(c)
	switch {
	case !known:
		return nil, c
	case v:
		return s.value(s.p.b.Arg(e, 1), signed)
	}
	return s.value(s.p.b.Arg(e, 2), signed)
}

func (s *system) extension(e expr.Expr, signed bool) (*form, expr.Expr) {
	x := s.p.b.Arg(e, 0)
	if s.p.b.Op(e) == expr.OpZExt {
		return s.value(x, false)
	}
	if signed {
		return s.value(x, true)
	}
	return s.other(e, false)
}

// part is the lower bits of x/2^lo, rounded down.
func (s *system) part(e expr.Expr, signed bool) (*form, expr.Expr) {
	b := s.p.b
	f, open := s.value(b.Arg(e, 0), signed)
	if open != expr.None {
		return nil, open
	}
	if lo := b.Lo(e); lo > 0 {
		f, _ = s.floor(key{e: e, signed: signed}, f, power(lo))
	}
	return s.wrap(f, b.Width(e), signed), expr.None
}

// division is quotient or remainder by a positive constant, or a shift to the
// right. Divisions have a signed or an unsigned meaning of their own.
func (s *system) division(e expr.Expr, want, signed bool) (*form, expr.Expr) {
	if want != signed {
		return s.other(e, want)
	}
	b, w := s.p.b, s.p.b.Width(e)
	x, op := b.Arg(e, 0), b.Op(e)
	v, ok := b.Value(b.Arg(e, 1))
	if !ok || v.IsZero() {
		return s.atomOf(e, want)
	}
	k := v.Big()
	if signed {
		k = v.Signed(w)
	}
	shift := op == expr.OpAShr || op == expr.OpLShr
	if shift {
		n, small := v.Uint64()
		if !small || n >= uint64(w) {
			return s.atomOf(e, want)
		}
		k = power(int(n))
	}
	if k.Sign() <= 0 {
		return s.atomOf(e, want)
	}
	f, open := s.value(x, signed)
	if open != expr.None {
		return nil, open
	}
	id := key{e: x, by: b.Arg(e, 1), signed: signed}
	if shift {
		id = key{e: e} // not the division by the same number
	}
	q, r, open := s.divide(id, x, f, k, signed && !shift)
	if op == expr.OpSRem || op == expr.OpURem {
		return r, open
	}
	return q, open
}

// atomOf is an unknown for a division that has no linear meaning.
func (s *system) atomOf(e expr.Expr, signed bool) (*form, expr.Expr) {
	lo, hi := limits(s.p.b.Width(e), signed)
	return s.unknown(lo, hi), expr.None
}

// divide returns quotient and remainder of x, which is f, rounded towards zero or down.
func (s *system) divide(id key, x expr.Expr, f *form, k *big.Int, toZero bool) (q, r *form, open expr.Expr) {
	lo, hi := s.interval(f)
	if !toZero || lo.Sign() >= 0 {
		q, r = s.floor(id, f, k)
		return q, r, expr.None
	}
	if hi.Sign() <= 0 {
		q, r = s.floor(id, f.times(big.NewInt(-1)), k)
		return q.times(big.NewInt(-1)), r.times(big.NewInt(-1)), expr.None
	}
	negative := s.p.b.Slt(x, s.p.b.Const(0, s.p.b.Width(x)))
	v, known := s.known(negative)
	switch {
	case !known:
		return nil, nil, negative
	case v:
		s.row(f.plus(1))
		q, r = s.floor(id, f.times(big.NewInt(-1)), k)
		return q.times(big.NewInt(-1)), r.times(big.NewInt(-1)), expr.None
	}
	s.row(f.times(big.NewInt(-1)))
	q, r = s.floor(id, f, k)
	return q, r, expr.None
}

// floor returns the q and r with f = k*q + r and 0 <= r < k, the same ones for the same id.
func (s *system) floor(id key, f *form, k *big.Int) (q, r *form) {
	if qr, ok := s.quotients[id]; ok {
		return qr[0], qr[1]
	}
	lo, hi := s.interval(f)
	q = s.unknown(new(big.Int).Div(lo, k), new(big.Int).Div(hi, k))
	r = f.sub(q.times(k))
	s.row(r.times(big.NewInt(-1)))
	s.row(r.add(constant(new(big.Int).Sub(one, k))))
	s.quotients[id] = [2]*form{q, r}
	return q, r
}

// wrap brings a sum into a width: it takes away a multiple of 2^width.
func (s *system) wrap(f *form, width int, signed bool) *form {
	min, max := limits(width, signed)
	lo, hi := s.interval(f)
	if lo.Cmp(min) >= 0 && hi.Cmp(max) <= 0 {
		return f
	}
	size := power(width)
	n := func(v *big.Int) *big.Int { return new(big.Int).Div(new(big.Int).Sub(v, min), size) }
	v := f.sub(s.unknown(n(lo), n(hi)).times(size))
	s.row(constant(min).sub(v))
	s.row(v.add(constant(new(big.Int).Neg(max))))
	return v
}
