package linear

import "github.com/kvfarm/kvfarm/engine/expr"

// Difficulty is how hard conditions are for SAT because of products and divisions.
type Difficulty uint8

// The difficulties.
const (
	Easy    Difficulty = iota
	Linear             // a division by a constant
	Product            // a product of two unknowns, or a division by one
)

// hardWidth is how many bits it takes for SAT to find a product or a division hard.
const hardWidth = 24

// Gauge says how hard expressions of one builder are, and looks at each once.
type Gauge struct {
	b  *expr.Builder
	at []Difficulty // by node: 1 more than that of what it is made of, 0 if it was not looked at
}

// NewGauge returns a Gauge for expressions of b.
func NewGauge(b *expr.Builder) *Gauge { return &Gauge{b: b} }

// Measure returns how hard conds are for SAT.
func (g *Gauge) Measure(conds []expr.Expr) Difficulty {
	if n := g.b.Len() + 1; n > len(g.at) {
		g.at = append(g.at, make([]Difficulty, n-len(g.at))...)
	}
	most := Easy
	for _, e := range conds {
		g.b.Walk(e, func(e expr.Expr) bool { return g.at[e.Index()] > 0 }, func(e expr.Expr) {
			d := difficulty(g.b, e)
			for i := range g.b.NumArgs(e) {
				d = max(d, g.at[g.b.Arg(e, i).Index()]-1)
			}
			g.at[e.Index()] = d + 1
		})
		most = max(most, g.at[e.Index()]-1)
	}
	return most
}

func difficulty(b *expr.Builder, e expr.Expr) Difficulty {
	switch b.Op(e) {
	case expr.OpSDiv, expr.OpSRem, expr.OpUDiv, expr.OpURem, expr.OpMul, expr.OpUMulOvf, expr.OpSMulOvf:
	default:
		return Easy
	}
	x, y := b.Arg(e, 0), b.Arg(e, 1)
	mul := b.Op(e) == expr.OpMul || b.Op(e) == expr.OpUMulOvf || b.Op(e) == expr.OpSMulOvf
	switch constant := b.IsConst(y) || mul && b.IsConst(x); {
	case b.Width(x) < hardWidth || constant && mul:
		return Easy
	case constant:
		return Linear
	}
	return Product
}
