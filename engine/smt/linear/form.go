package linear

import (
	"math/big"
	"sort"
)

// form is a sum of unknowns with integer factors, and a constant.
type form struct {
	terms []term // by unknown, none with factor 0
	c     *big.Int
}

type term struct {
	unknown int
	factor  *big.Int
}

func constant(c *big.Int) *form { return &form{c: c} }

// unknown makes a new unknown within bounds.
func (s *system) unknown(lo, hi *big.Int) *form {
	s.unknowns = append(s.unknowns, bounds{lo, hi})
	return &form{[]term{{len(s.unknowns) - 1, one}}, new(big.Int)}
}

func (f *form) times(k *big.Int) *form {
	out := &form{c: new(big.Int).Mul(f.c, k)}
	if k.Sign() == 0 {
		return out
	}
	for _, t := range f.terms {
		out.terms = append(out.terms, term{t.unknown, new(big.Int).Mul(t.factor, k)})
	}
	return out
}

func (f *form) sub(g *form) *form { return f.add(g.times(big.NewInt(-1))) }

func (f *form) plus(k int64) *form { return f.add(constant(big.NewInt(k))) }

func (f *form) add(g *form) *form {
	out := &form{c: new(big.Int).Add(f.c, g.c)}
	x, y := f.terms, g.terms
	for len(x) > 0 || len(y) > 0 {
		switch {
		case len(y) == 0 || len(x) > 0 && x[0].unknown < y[0].unknown:
			out.terms, x = append(out.terms, x[0]), x[1:]
		case len(x) == 0 || y[0].unknown < x[0].unknown:
			out.terms, y = append(out.terms, y[0]), y[1:]
		default:
			if k := new(big.Int).Add(x[0].factor, y[0].factor); k.Sign() != 0 {
				out.terms = append(out.terms, term{x[0].unknown, k})
			}
			x, y = x[1:], y[1:]
		}
	}
	return out
}

// factor is the factor of an unknown, nil for 0.
func (f *form) factor(u int) *big.Int {
	i := sort.Search(len(f.terms), func(i int) bool { return f.terms[i].unknown >= u })
	if i < len(f.terms) && f.terms[i].unknown == u {
		return f.terms[i].factor
	}
	return nil
}

// interval bounds a sum by the bounds of its unknowns.
func (s *system) interval(f *form) (lo, hi *big.Int) {
	lo, hi = new(big.Int).Set(f.c), new(big.Int).Set(f.c)
	for _, t := range f.terms {
		b := s.unknowns[t.unknown]
		x, y := new(big.Int).Mul(t.factor, b.lo), new(big.Int).Mul(t.factor, b.hi)
		if t.factor.Sign() < 0 {
			x, y = y, x
		}
		lo.Add(lo, x)
		hi.Add(hi, y)
	}
	if r, ok := s.ranges[f]; ok {
		return larger(lo, r.lo), smaller(hi, r.hi)
	}
	return lo, hi
}

// within notes that f is from lo to hi in all solutions.
func (s *system) within(f *form, lo, hi *big.Int) {
	if r, ok := s.ranges[f]; ok {
		lo, hi = larger(lo, r.lo), smaller(hi, r.hi)
	}
	s.ranges[f] = bounds{lo, hi}
}

func larger(x, y *big.Int) *big.Int {
	if x.Cmp(y) < 0 {
		return y
	}
	return x
}

func smaller(x, y *big.Int) *big.Int {
	if x.Cmp(y) > 0 {
		return y
	}
	return x
}

// row adds that f is at most 0. A row about one unknown narrows its bounds.
func (s *system) row(f *form) {
	s.p.steps--
	f = tighten(f)
	if len(f.terms) == 0 {
		s.impossible = s.impossible || f.c.Sign() > 0
		return
	}
	if len(f.terms) > 1 {
		s.rows = append(s.rows, f)
	}
	s.narrow(f)
}

// narrow bounds the unknown of each term of a row f <= 0 by the bounds of the
// others: it is at most what is left when they are least.
func (s *system) narrow(f *form) {
	ends := make([]*big.Int, len(f.terms)) // the least that each term can be: what is narrowed is its other end
	least := new(big.Int).Set(f.c)
	for i, t := range f.terms {
		end := s.unknowns[t.unknown].lo
		if t.factor.Sign() < 0 {
			end = s.unknowns[t.unknown].hi
		}
		ends[i] = new(big.Int).Mul(t.factor, end)
		least.Add(least, ends[i])
	}
	for i, t := range f.terms {
		b := &s.unknowns[t.unknown]
		rest := new(big.Int).Sub(least, ends[i])
		// factor*u <= -rest
		if t.factor.Sign() > 0 {
			b.hi = smaller(b.hi, rest.Div(rest.Neg(rest), t.factor))
		} else { // -factor*u >= rest
			b.lo = larger(b.lo, ceil(rest, new(big.Int).Neg(t.factor)))
		}
		s.impossible = s.impossible || b.lo.Cmp(b.hi) > 0
	}
}

// ceil is x/k rounded up; k is positive.
func ceil(x, k *big.Int) *big.Int {
	q := new(big.Int).Div(new(big.Int).Neg(x), k)
	return q.Neg(q)
}

// tighten divides a row by what its factors have in common; the constant is
// rounded up, for the sum is a whole number.
func tighten(f *form) *form {
	g := new(big.Int)
	for _, t := range f.terms {
		g.GCD(nil, nil, g, new(big.Int).Abs(t.factor))
	}
	if g.Sign() == 0 || g.Cmp(one) == 0 {
		return f
	}
	out := &form{c: new(big.Int).Neg(new(big.Int).Div(new(big.Int).Neg(f.c), g))}
	for _, t := range f.terms {
		out.terms = append(out.terms, term{t.unknown, new(big.Int).Quo(t.factor, g)})
	}
	return out
}
