package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// bounds returns an interval that e, of at most 64 bits, is known to lie in.
func (x *exec) bounds(e expr.Expr) (lo, hi uint64) {
	return x.interval(e, 12)
}

func (x *exec) interval(e expr.Expr, depth int) (lo, hi uint64) {
	b := x.b
	full := ^uint64(0) >> uint(64-min(64, b.Width(e)))
	if c, ok := b.Uint64(e); ok {
		return c, c
	}
	if depth == 0 {
		return 0, full
	}
	switch b.Op(e) {
	case expr.OpZExt:
		return x.interval(b.Arg(e, 0), depth-1)
	case expr.OpITE:
		l1, h1 := x.interval(b.Arg(e, 1), depth-1)
		l2, h2 := x.interval(b.Arg(e, 2), depth-1)
		return min(l1, l2), max(h1, h2)
	}
	return 0, full
}
