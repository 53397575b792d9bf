package linear

import (
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// Products of sums are multiplied out; each product of unknowns is an unknown
// of its own, the same one in whatever order it came about. What is true of it
// is said by rows: those of corners and those of order.

// Bounds on products. Past them a product is a number within its range.
const (
	maxDegree = 4
	maxTerms  = 16
)

// times is a product of two expressions as numbers.
type times struct {
	x, y   expr.Expr
	fx, fy *form
}

// multiply returns f*g.
func (s *system) multiply(f, g *form) *form {
	lo, hi := s.around(f, g)
	f, g = s.settled(f), s.settled(g)
	if len(f.terms)*len(g.terms) > maxTerms || s.degree(f)+s.degree(g) > maxDegree {
		return s.unknown(lo, hi)
	}
	out := g.times(f.c).add(f.add(constant(new(big.Int).Neg(f.c))).times(g.c))
	for _, x := range f.terms {
		for _, y := range g.terms {
			s.p.steps--
			out = out.add(s.monomial(x.unknown, y.unknown).times(new(big.Int).Mul(x.factor, y.factor)))
		}
	}
	s.within(out, lo, hi)
	return out
}

// around bounds f*g by the bounds of f and g.
func (s *system) around(f, g *form) (lo, hi *big.Int) {
	fl, fh := s.interval(f)
	gl, gh := s.interval(g)
	return corners(bounds{fl, fh}, bounds{gl, gh})
}

func corners(x, y bounds) (lo, hi *big.Int) {
	for _, a := range []*big.Int{x.lo, x.hi} {
		for _, b := range []*big.Int{y.lo, y.hi} {
			p := new(big.Int).Mul(a, b)
			if lo == nil || p.Cmp(lo) < 0 {
				lo = p
			}
			if hi == nil || p.Cmp(hi) > 0 {
				hi = p
			}
		}
	}
	return lo, hi
}

// settled puts in the unknowns that have one value left.
func (s *system) settled(f *form) *form {
	out := constant(new(big.Int).Set(f.c))
	for _, t := range f.terms {
		if b := s.unknowns[t.unknown]; b.lo.Cmp(b.hi) == 0 {
			out.c.Add(out.c, new(big.Int).Mul(t.factor, b.lo))
		} else {
			out.terms = append(out.terms, t)
		}
	}
	return out
}

func (s *system) degree(f *form) int {
	most := 0
	for _, t := range f.terms {
		most = max(most, len(s.parts(t.unknown)))
	}
	return most
}

// parts are the plain unknowns whose product u is, ascending.
func (s *system) parts(u int) []int {
	if p := s.products[u]; p != nil {
		return p
	}
	return []int{u}
}

func (s *system) monomial(u, v int) *form {
	parts := append(slices.Clone(s.parts(u)), s.parts(v)...)
	slices.Sort(parts)
	if w, ok := s.find(parts); ok {
		return &form{[]term{{w, one}}, new(big.Int)}
	}
	f := s.unknown(corners(s.unknowns[u], s.unknowns[v]))
	w := f.terms[0].unknown
	s.products[w], s.monomials[name(parts)] = parts, w
	s.made = append(s.made, w)
	return f
}

// find returns the unknown that is the product of parts, if there is one.
func (s *system) find(parts []int) (int, bool) {
	if len(parts) == 1 {
		return parts[0], true
	}
	w, ok := s.monomials[name(parts)]
	return w, ok
}

func name(parts []int) string {
	var b []byte
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint32(b, uint32(p))
	}
	return string(b)
}

// timesOf returns x*y, not wrapped, the same form for the same expressions.
func (s *system) timesOf(x, y expr.Expr, signed bool) (*form, expr.Expr) {
	k := key{e: min(x, y), by: max(x, y), signed: signed}
	if f := s.timesForms[k]; f != nil {
		return f, expr.None
	}
	fx, open := s.value(x, signed)
	if open != expr.None {
		return nil, open
	}
	fy, open := s.value(y, signed)
	if open != expr.None {
		return nil, open
	}
	f := s.multiply(fx, fy)
	s.timesForms[k] = f
	if !signed {
		s.uses = append(s.uses, times{x, y, fx, fy})
	}
	s.below(fx, fy)
	s.below(fy, fx)
	return f, expr.None
}

// below says of a remainder times g that it is at most the largest remainder times g.
func (s *system) below(r, g *form) {
	top := s.tops[r]
	if lo, _ := s.interval(g); top != nil && lo.Sign() >= 0 {
		s.row(s.multiply(r.sub(top), g))
	}
}

// order compares the factors that are multiplied by one number: the products
// are in the same order. It returns a comparison that must be decided first;
// only that of a quotient is worth two cases.
func (s *system) order() expr.Expr {
	for i, p := range s.uses {
		for _, q := range s.uses[:i] {
			for _, pair := range [][2]times{{p, q}, {p.swap(), q}, {p, q.swap()}, {p.swap(), q.swap()}} {
				if open := s.ordered(pair[0], pair[1]); open != expr.None {
					return open
				}
			}
		}
	}
	return expr.None
}

func (t times) swap() times { return times{t.y, t.x, t.fy, t.fx} }

// ordered adds that p.y*k and q.y*k, where k is p.x and q.x, are in the order of p.y and q.y.
func (s *system) ordered(p, q times) expr.Expr {
	b := s.p.b
	if p.x != q.x || p.y == q.y || b.IsConst(p.x) {
		return expr.None
	}
	for _, strict := range []bool{true, false} {
		for _, pair := range [][2]times{{p, q}, {q, p}} {
			if f := s.gap(pair[0], pair[1], strict); f != nil {
				s.row(f)
				s.row(s.multiply(p.fx, f)) // p.fx is not negative
				return expr.None
			}
		}
	}
	switch {
	case b.Op(p.y) == expr.OpUDiv:
		return b.Ult(p.y, q.y)
	case b.Op(q.y) == expr.OpUDiv:
		return b.Ult(q.y, p.y)
	}
	return expr.None
}

// gap returns p.y-q.y, plus 1 if strict, if it is known to be at most 0, else nil.
func (s *system) gap(p, q times, strict bool) *form {
	b := s.p.b
	f, cond, want := p.fy.sub(q.fy), b.Ult(q.y, p.y), false
	if strict {
		f, cond, want = f.plus(1), b.Ult(p.y, q.y), true
	}
	v, known := s.known(cond)
	if known && v == want || !known && s.excludes(constant(one).sub(f)) {
		return f
	}
	return nil
}

// corners adds, for each product u*n that has both factors as unknowns, that
// (u-min)*(n-min) is not negative; with far also the other three corners.
func (s *system) corners(far bool) {
	for _, w := range s.made {
		parts := s.products[w]
		for i, u := range parts {
			if i > 0 && parts[i-1] == u {
				continue
			}
			rest := slices.Delete(slices.Clone(parts), i, i+1)
			if n, ok := s.find(rest); ok {
				s.corner(w, u, n, far)
			}
		}
	}
}

func (s *system) corner(w, u, n int, far bool) {
	bu, bn := s.unknowns[u], s.unknowns[n]
	add := func(cu, cn *big.Int, sign int64) { // sign * (u-cu)*(n-cn) <= 0
		f := constant(new(big.Int).Mul(cu, cn)).add(&form{[]term{{w, one}}, new(big.Int)})
		f = f.sub((&form{[]term{{u, one}}, new(big.Int)}).times(cn)).sub((&form{[]term{{n, one}}, new(big.Int)}).times(cu))
		s.row(f.times(big.NewInt(sign)))
	}
	add(bu.lo, bn.lo, -1)
	if far {
		add(bu.hi, bn.hi, -1)
		add(bu.lo, bn.hi, 1)
		add(bu.hi, bn.lo, 1)
	}
}
