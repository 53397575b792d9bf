package expr

func init() {
	rules[OpShl] = shlRules
	rules[OpLShr] = lshrRules
	rules[OpAShr] = ashrRules
}

// shiftBy returns a constant shift amount, the width for all that are larger.
func (b *Builder) shiftBy(n node) (k int, ok bool) {
	v, ok := b.Value(n.b)
	if !ok {
		return 0, false
	}
	if u, fits := v.Uint64(); fits && u < uint64(n.width) {
		return int(u), true
	}
	return int(n.width), true
}

var shlRules = []rule{
	// x << k  =>  concat(x[0,w-k), 0)
	{"shl-constant", func(b *Builder, n node) Expr {
		k, ok := b.shiftBy(n)
		switch {
		case !ok:
			return None
		case k == 0:
			return n.a
		case k == int(n.width):
			return b.zero(k)
		}
		return b.Concat(b.Trunc(n.a, int(n.width)-k), b.zero(k))
	}},
	{"shl-zero", shiftOfZero},
	{"shl-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

var lshrRules = []rule{
	// x >> k  =>  zext(x[k,w))
	{"lshr-constant", func(b *Builder, n node) Expr {
		k, ok := b.shiftBy(n)
		switch {
		case !ok:
			return None
		case k == int(n.width):
			return b.zero(k)
		}
		return b.ZExt(b.Extract(n.a, k, int(n.width)-k), int(n.width))
	}},
	{"lshr-zero", shiftOfZero},
	{"lshr-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

var ashrRules = []rule{
	// x >> k  =>  sext(x[min(k,w-1),w))
	{"ashr-constant", func(b *Builder, n node) Expr {
		k, ok := b.shiftBy(n)
		if !ok {
			return None
		}
		k = min(k, int(n.width)-1)
		return b.SExt(b.Extract(n.a, k, int(n.width)-k), int(n.width))
	}},
	// x >> y, arithmetic  =>  x >> y, logical, where x is never negative
	{"ashr-unsigned", func(b *Builder, n node) Expr {
		if b.signKnown(n.a) == 1 {
			return b.LShr(n.a, n.b)
		}
		return None
	}},
	// ~x >> y  =>  ~(x >> y)
	{"ashr-complement", func(b *Builder, n node) Expr {
		if n.a.neg() {
			return b.AShr(n.a^1, n.b) ^ 1
		}
		return None
	}},
	{"ashr-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// shl-zero, lshr-zero:
//
//	0 << x  =>  0
func shiftOfZero(b *Builder, n node) Expr {
	if b.isZero(n.a) {
		return n.a
	}
	return None
}
