package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// bounds returns an interval that e, of at most 64 bits, is known to lie in.
func (x *exec) bounds(e expr.Expr) (lo, hi uint64) {
	f := x.b.Facts(e)
	return f.UMin, f.UMax
}
