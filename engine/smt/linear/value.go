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

// atom is an unknown that stands for e, read as it is first wanted.
func (s *system) atom(e expr.Expr, signed bool) (*form, expr.Expr) {
	if s.forms[key{e: e, signed: !signed}] != nil {
		return s.other(e, signed)
	}
	lo, hi := limits(s.p.b.Width(e), signed)
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
	f, w := s.plus(x, y), s.p.b.Width(e)
	if carry, known := s.carries(e); known && !signed {
		_, max := limits(w, false)
		if carry {
			f = f.sub(constant(power(w))) // no range of f holds for it
		}
		s.row(f.sub(constant(max)))
		s.row(constant(new(big.Int)).sub(f))
		s.within(f, new(big.Int), max)
	}
	return s.wrap(f, w, signed), expr.None
}

// plus returns x+y with what is known of the two.
func (s *system) plus(x, y *form) *form {
	xl, xh := s.interval(x)
	yl, yh := s.interval(y)
	f := x.add(y)
	s.within(f, new(big.Int).Add(xl, yl), new(big.Int).Add(xh, yh))
	return f
}

// carries reports whether a sum is less than what was added, as programs ask
// whether it overflowed, if this is known.
func (s *system) carries(sum expr.Expr) (carry, known bool) {
	for i := range 2 {
		if v, ok := s.known(s.p.b.Ult(sum, s.p.b.Arg(sum, i))); ok {
			return v, true
		}
	}
	return false, false
}

func (s *system) product(e expr.Expr, signed bool) (*form, expr.Expr) {
	b, w := s.p.b, s.p.b.Width(e)
	x, y := b.Arg(e, 0), b.Arg(e, 1)
	if b.Op(e) == expr.OpMul && b.IsConst(x) {
		x, y = y, x
	}
	v, ok := b.Value(y)
	if !ok {
		return s.productOf(e, x, y, signed)
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

// productOf is the product of two expressions that are no constants.
func (s *system) productOf(e, x, y expr.Expr, signed bool) (*form, expr.Expr) {
	b, w := s.p.b, s.p.b.Width(e)
	if b.Op(e) == expr.OpShl {
		return s.atom(e, signed)
	}
	ovf := b.UMulOvf(x, y)
	if signed {
		ovf = b.SMulOvf(x, y)
	}
	f, open := s.timesOf(x, y, signed)
	if open != expr.None {
		return nil, open
	}
	if v, known := s.known(ovf); known && !v {
		lo, hi := limits(w, signed)
		s.within(f, lo, hi)
	}
	return s.wrap(f, w, signed), expr.None
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
		f, _ = s.floor(key{e: e, signed: signed}, f, constant(power(lo)))
	}
	return s.wrap(f, b.Width(e), signed), expr.None
}

// division is quotient or remainder, or a shift to the right. Divisions have a
// signed or an unsigned meaning of their own.
func (s *system) division(e expr.Expr, want, signed bool) (*form, expr.Expr) {
	if want != signed {
		return s.other(e, want)
	}
	b, w := s.p.b, s.p.b.Width(e)
	x, y, op := b.Arg(e, 0), b.Arg(e, 1), b.Op(e)
	v, ok := b.Value(y)
	shift := op == expr.OpAShr || op == expr.OpLShr
	if !ok && !shift {
		return s.divisionBy(e, x, y, signed)
	}
	if !ok || v.IsZero() {
		return s.atomOf(e, want)
	}
	k := v.Big()
	if signed {
		k = v.Signed(w)
	}
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
	id := key{e: x, by: y, signed: signed}
	if shift {
		id = key{e: e} // not the division by the same number
	}
	q, r, open := s.divide(id, x, f, constant(k), signed && !shift)
	if op == expr.OpSRem || op == expr.OpURem {
		return r, open
	}
	return q, open
}

// divisionBy is quotient or remainder by a divisor that is no constant: where it
// is positive.
func (s *system) divisionBy(e, x, y expr.Expr, signed bool) (*form, expr.Expr) {
	b := s.p.b
	zero := b.Const(0, b.Width(y))
	negative, rem := b.Slt(y, zero), b.Op(e) == expr.OpSRem || b.Op(e) == expr.OpURem
	if !signed {
		negative = expr.False
	}
	for _, c := range []expr.Expr{b.Eq(zero, y), negative} {
		if v, known := s.known(c); !known {
			return nil, c
		} else if v {
			return s.atomOf(e, signed)
		}
	}
	f, open := s.value(x, signed)
	if open != expr.None {
		return nil, open
	}
	k, open := s.value(y, signed)
	if open != expr.None {
		return nil, open
	}
	lo, hi := s.interval(k)
	if hi.Sign() <= 0 {
		return s.atomOf(e, signed) // the case is impossible, or was given up
	}
	if lo.Sign() <= 0 { // the row of that is not there yet
		k = k.plus(0)
		s.within(k, one, hi)
		s.row(constant(one).sub(k))
	}
	q, r, open := s.divide(key{e: x, by: y, signed: signed}, x, f, k, signed)
	if open != expr.None {
		return nil, open
	}
	if !signed {
		s.uses = append(s.uses, times{y, b.UDiv(x, y), k, q})
	}
	if rem {
		return r, expr.None
	}
	return q, expr.None
}

// atomOf is an unknown for a division that has no linear meaning.
func (s *system) atomOf(e expr.Expr, signed bool) (*form, expr.Expr) {
	lo, hi := limits(s.p.b.Width(e), signed)
	return s.unknown(lo, hi), expr.None
}

// divide returns quotient and remainder of x, which is f, rounded towards zero or down.
func (s *system) divide(id key, x expr.Expr, f, k *form, toZero bool) (q, r *form, open expr.Expr) {
	lo, hi := s.interval(f)
	minus := big.NewInt(-1)
	if !toZero || lo.Sign() >= 0 {
		q, r = s.floor(id, f, k)
		return q, r, expr.None
	}
	if hi.Sign() <= 0 {
		q, r = s.floor(id, f.times(minus), k)
		return q.times(minus), r.times(minus), expr.None
	}
	negative := s.p.b.Slt(x, s.p.b.Const(0, s.p.b.Width(x)))
	v, known := s.known(negative)
	switch {
	case !known:
		return nil, nil, negative
	case v:
		s.row(f.plus(1))
		q, r = s.floor(id, f.times(minus), k)
		return q.times(minus), r.times(minus), expr.None
	}
	s.row(f.times(minus))
	q, r = s.floor(id, f, k)
	return q, r, expr.None
}

// floor returns the q and r with f = k*q + r and 0 <= r < k, the same ones for
// the same id. k is positive.
func (s *system) floor(id key, f, k *form) (q, r *form) {
	if qr, ok := s.quotients[id]; ok {
		return qr[0], qr[1]
	}
	lo, hi := s.interval(f)
	kl, kh := s.interval(k)
	least, most := new(big.Int).Div(lo, kl), new(big.Int).Div(hi, kl)
	if lo.Sign() >= 0 {
		least.Div(lo, kh)
	}
	if hi.Sign() < 0 {
		most.Div(hi, kh)
	}
	q = s.unknown(least, most)
	r = f.sub(s.multiply(q, k))
	top := k.plus(-1)
	s.row(r.times(big.NewInt(-1)))
	s.row(r.sub(top))
	rest := new(big.Int).Sub(kh, one)
	if lo.Sign() >= 0 {
		rest = smaller(rest, hi)
	}
	s.within(r, new(big.Int), rest)
	s.tops[r] = top
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
	if s.p.products && s.excludes(constant(new(big.Int).Sub(max, big.NewInt(-1))).sub(f)) && s.excludes(f.sub(constant(new(big.Int).Sub(min, one)))) {
		s.within(f, min, max)
		return f
	}
	size := power(width)
	n := func(v *big.Int) *big.Int { return new(big.Int).Div(new(big.Int).Sub(v, min), size) }
	v := f.sub(s.unknown(n(lo), n(hi)).times(size))
	s.row(constant(min).sub(v))
	s.row(v.add(constant(new(big.Int).Neg(max))))
	s.within(v, min, max)
	return v
}
