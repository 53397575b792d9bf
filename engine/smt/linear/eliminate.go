package linear

import "math/big"

// infeasible reports that the rows have no solution. What is true of products is
// added as it is needed: more rows make more work.
func (s *system) infeasible() bool {
	if len(s.made) == 0 {
		done, over := s.eliminates()
		return done || over && s.simplex()
	}
	for _, far := range []bool{false, true} {
		s.corners(far)
		if s.impossible || s.simplex() {
			return true
		}
	}
	return false
}

// eliminates reports that the rows have no solution: it takes one unknown after
// the other out, by adding each row that bounds it from above to each that
// bounds it from below (Fourier and Motzkin), until a row without unknowns says
// that a positive number is at most 0. Over is that it gives up for too many rows.
func (s *system) eliminates() (done, over bool) {
	rows := append([]*form(nil), s.rows...)
	for u, b := range s.unknowns {
		x := &form{[]term{{u, one}}, new(big.Int)}
		rows = append(rows, x.add(constant(new(big.Int).Neg(b.hi))), constant(b.lo).sub(x))
	}
	for len(rows) > 0 && len(rows) <= maxRows {
		u := s.cheapest(rows)
		if u < 0 {
			return false, false
		}
		if rows, done = s.eliminate(rows, u); done {
			return true, false
		}
		if s.p.steps <= 0 {
			return false, false
		}
	}
	return false, len(rows) > maxRows
}

// cheapest is the unknown whose elimination makes fewest rows, -1 if there is none.
func (s *system) cheapest(rows []*form) int {
	above, below := make([]int, len(s.unknowns)), make([]int, len(s.unknowns))
	for _, r := range rows {
		for _, t := range r.terms {
			if t.factor.Sign() > 0 {
				above[t.unknown]++
			} else {
				below[t.unknown]++
			}
		}
	}
	best, least := -1, 0
	for u := range s.unknowns {
		if above[u]+below[u] == 0 {
			continue
		}
		if n := above[u]*below[u] - above[u] - below[u]; best < 0 || n < least {
			best, least = u, n
		}
	}
	return best
}

// eliminate takes an unknown out of the rows, and reports a contradiction.
func (s *system) eliminate(rows []*form, u int) (out []*form, contradiction bool) {
	var above, below []*form
	for _, r := range rows {
		switch k := r.factor(u); {
		case k == nil:
			out = append(out, r)
		case k.Sign() > 0:
			above = append(above, r)
		default:
			below = append(below, r)
		}
	}
	for _, a := range above {
		for _, b := range below {
			s.p.steps--
			f := tighten(a.times(new(big.Int).Neg(b.factor(u))).add(b.times(a.factor(u))))
			if len(f.terms) > 0 {
				out = append(out, f)
			} else if f.c.Sign() > 0 {
				return nil, true
			}
		}
	}
	return out, false
}
