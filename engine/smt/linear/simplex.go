package linear

import "math/big"

// Simplex, as in the theory solvers of SMT (Dutertre and de Moura, CAV 2006):
// each row is a variable that equals a sum of unknowns, every variable has
// bounds, and those of basic variables are mended one after the other. All
// numbers are exact. Rows about products are many and have most unknowns in
// common, where elimination would multiply them.

// tableau is a system of rows on its way to a solution.
type tableau struct {
	cells  [][]*big.Rat // by basic variable and column; nil is 0
	basic  []int        // by row: its variable
	column []int        // by column: its variable, which is not basic
	lo, hi []*big.Rat   // by variable: bounds, nil is none
	at     []*big.Rat   // by variable: its value now
}

func newTableau(s *system) *tableau {
	n := len(s.unknowns)
	t := &tableau{}
	for u, b := range s.unknowns {
		t.column = append(t.column, u)
		t.lo, t.hi = append(t.lo, rat(b.lo)), append(t.hi, rat(b.hi))
		t.at = append(t.at, rat(b.lo))
	}
	for i, f := range s.rows {
		cells := make([]*big.Rat, n)
		sum := new(big.Rat)
		for _, term := range f.terms {
			cells[term.unknown] = rat(term.factor)
			sum.Add(sum, new(big.Rat).Mul(cells[term.unknown], t.at[term.unknown]))
		}
		t.cells, t.basic = append(t.cells, cells), append(t.basic, n+i)
		t.lo, t.hi = append(t.lo, nil), append(t.hi, rat(new(big.Int).Neg(f.c)))
		t.at = append(t.at, sum)
	}
	return t
}

func rat(n *big.Int) *big.Rat { return new(big.Rat).SetInt(n) }

// simplex reports that the rows have no solution in rational numbers, and so none in integers.
func (s *system) simplex() bool {
	s.p.steps -= len(s.rows) / 4
	t := newTableau(s)
	for s.p.steps > 0 {
		row, up := t.broken()
		if row < 0 {
			return false
		}
		col := t.entering(row, up)
		if col < 0 {
			return true
		}
		s.p.steps -= t.pivot(row, col, up)
	}
	return false
}

// excludes reports that f <= 0 cannot be.
func (s *system) excludes(f *form) bool {
	if lo, _ := s.interval(f); lo.Sign() > 0 {
		return true
	}
	n := len(s.rows)
	s.rows = append(s.rows, f)
	no := s.simplex()
	s.rows = s.rows[:n]
	return no
}

// broken returns the row of the least basic variable that is outside of its
// bounds, -1 if there is none, and whether it must grow.
func (t *tableau) broken() (row int, up bool) {
	row = -1
	for i, v := range t.basic {
		if row >= 0 && v > t.basic[row] {
			continue
		}
		if t.lo[v] != nil && t.at[v].Cmp(t.lo[v]) < 0 {
			row, up = i, true
		} else if t.hi[v] != nil && t.at[v].Cmp(t.hi[v]) > 0 {
			row, up = i, false
		}
	}
	return row, up
}

// entering returns the column of the least variable that can move the row's
// variable the right way, -1 if none can: then the row has no solution.
func (t *tableau) entering(row int, up bool) int {
	best := -1
	for j, c := range t.cells[row] {
		if c == nil || best >= 0 && t.column[j] > t.column[best] {
			continue
		}
		v := t.column[j]
		grow := up == (c.Sign() > 0)
		if grow && (t.hi[v] == nil || t.at[v].Cmp(t.hi[v]) < 0) || !grow && (t.lo[v] == nil || t.at[v].Cmp(t.lo[v]) > 0) {
			best = j
		}
	}
	return best
}

// cellsPerStep is how many cells are computed in the time of one step.
const cellsPerStep = 8

// pivot exchanges a basic variable, which goes to the bound that it broke, and
// the variable of a column. It returns how many steps that took.
func (t *tableau) pivot(row, col int, up bool) (cost int) {
	leaves, enters := t.basic[row], t.column[col]
	target := t.hi[leaves]
	if up {
		target = t.lo[leaves]
	}
	step := new(big.Rat).Sub(target, t.at[leaves])
	t.move(col, step.Quo(step, t.cells[row][col]))
	t.at[leaves] = target

	old := t.cells[row]
	inv := new(big.Rat).Inv(old[col])
	fresh := make([]*big.Rat, len(old)) // enters = (leaves - the rest) / cell
	for j, c := range old {
		switch {
		case j == col:
			fresh[j] = inv
		case c != nil:
			fresh[j] = new(big.Rat).Mul(c, inv)
			fresh[j].Neg(fresh[j])
		}
	}
	t.cells[row], t.basic[row], t.column[col] = fresh, enters, leaves
	for i, cells := range t.cells {
		if k := cells[col]; i != row && k != nil {
			t.cells[i] = replace(cells, fresh, col, k)
			cost += len(fresh)
		}
	}
	return 1 + cost/cellsPerStep
}

// move changes the value of a column's variable, and of all that depend on it.
func (t *tableau) move(col int, by *big.Rat) {
	v := t.column[col]
	t.at[v] = new(big.Rat).Add(t.at[v], by)
	for i, cells := range t.cells {
		if c := cells[col]; c != nil {
			t.at[t.basic[i]] = new(big.Rat).Add(t.at[t.basic[i]], new(big.Rat).Mul(c, by))
		}
	}
}

// replace puts k*fresh in the place of the column.
func replace(cells, fresh []*big.Rat, col int, k *big.Rat) []*big.Rat {
	out := make([]*big.Rat, len(cells))
	for j, f := range fresh {
		c := cells[j]
		if j == col {
			c = nil
		}
		switch {
		case f == nil:
			out[j] = c
		case c == nil:
			out[j] = new(big.Rat).Mul(k, f)
		default:
			if sum := new(big.Rat).Mul(k, f); sum.Add(sum, c).Sign() != 0 {
				out[j] = sum
			}
		}
	}
	return out
}
