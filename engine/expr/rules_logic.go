package expr

func init() {
	rules[OpAnd] = andRules
	rules[OpXor] = xorRules
}

var andRules = []rule{
	// 0 & x  =>  0
	{"and-zero", func(b *Builder, n node) Expr {
		if b.isZero(n.a) {
			return n.a
		}
		return None
	}},
	// ~0 & x  =>  x
	{"and-ones", func(b *Builder, n node) Expr {
		if b.isOnes(n.a) {
			return n.b
		}
		return None
	}},
	// x & x  =>  x        x & ~x  =>  0
	{"and-same", func(b *Builder, n node) Expr {
		switch n.a {
		case n.b:
			return n.a
		case n.b ^ 1:
			return b.zero(int(n.width))
		}
		return None
	}},
	{"and-absorb", andAbsorb},
	// (x & y) & (~x & z)  =>  0
	{"and-clash", func(b *Builder, n node) Expr {
		x, y := b.as(n.a, OpAnd), b.as(n.b, OpAnd)
		if x != nil && y != nil && (x.a == y.a^1 || x.a == y.b^1 || x.b == y.a^1 || x.b == y.b^1) {
			return b.zero(int(n.width))
		}
		return None
	}},
	// ~(x & y) & ~(x & ~y)  =>  ~x
	{"and-resolve", func(b *Builder, n node) Expr {
		x, y := b.as(n.a^1, OpAnd), b.as(n.b^1, OpAnd)
		if x == nil || y == nil {
			return None
		}
		if x.a == y.a && x.b == y.b^1 || x.a == y.b && x.b == y.a^1 {
			return x.a ^ 1
		}
		if x.b == y.b && x.a == y.a^1 || x.b == y.a && x.a == y.b^1 {
			return x.b ^ 1
		}
		return None
	}},
	{"and-subsume", andSubsume},
	// k1 & (k2 & x)  =>  (k1 & k2) & x
	{"and-constants", func(b *Builder, n node) Expr {
		if x := b.as(n.b, OpAnd); x != nil && b.IsConst(n.a) && b.IsConst(x.a) {
			return b.And(b.And(n.a, x.a), x.b)
		}
		return None
	}},
	// (2^k-1) & x  =>  zext(x[0,k))
	{"and-low-mask", func(b *Builder, n node) Expr {
		if k, ok := b.lowMask(n.a); ok {
			return b.ZExt(b.Trunc(n.b, k), int(n.width))
		}
		return None
	}},
	// ~(2^k-1) & x  =>  concat(x[k,w), 0)
	{"and-high-mask", func(b *Builder, n node) Expr {
		if k, ok := b.lowMask(n.a ^ 1); ok {
			return b.Concat(b.Extract(n.b, k, int(n.width)-k), b.zero(k))
		}
		return None
	}},
	{"and-split", splitBitwise},
	{"and-zext", andZExt},
	{"and-bounds", andBounds},
	{"and-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// and-absorb:
//
//	x & (x & y)    =>  x & y
//	x & (~x & y)   =>  0
//	x & ~(~x & y)  =>  x
//	x & ~(x & y)   =>  x & ~y
func andAbsorb(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		x, e := p[0], p[1]
		y := b.as(e&^1, OpAnd)
		if y == nil {
			continue
		}
		has, clash := y.a == x || y.b == x, y.a == x^1 || y.b == x^1
		switch {
		case !e.neg() && has:
			return e
		case !e.neg() && clash:
			return b.zero(int(n.width))
		case e.neg() && clash:
			return x
		case e.neg() && y.a == x:
			return b.And(x, y.b^1)
		case e.neg() && y.b == x:
			return b.And(x, y.a^1)
		}
	}
	return None
}

// and-subsume:
//
//	(x & y) & ~(~x & z)  =>  x & y
//	(x & y) & ~(x & z)   =>  (x & y) & ~z
func andSubsume(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		x, y := b.as(p[0], OpAnd), b.as(p[1]^1, OpAnd)
		if x == nil || y == nil {
			continue
		}
		has := func(e Expr) bool { return x.a == e || x.b == e }
		switch {
		case has(y.a^1) || has(y.b^1):
			return p[0]
		case has(y.a):
			return b.And(p[0], y.b^1)
		case has(y.b):
			return b.And(p[0], y.a^1)
		}
	}
	return None
}

// and-split, xor-split, where both sides come apart at the same bit:
//
//	concat(x, y) & concat(z, u)  =>  concat(x & z, y & u)
func splitBitwise(b *Builder, n node) Expr {
	for _, at := range [2]int{b.concatAt(n.a), b.concatAt(n.b)} {
		if at > 0 && b.splits(n.a, at) && b.splits(n.b, at) {
			top := int(n.width) - at
			hi, lo := n, n
			hi.a, hi.b, hi.width = b.Extract(n.a, at, top), b.Extract(n.b, at, top), uint16(top)
			lo.a, lo.b, lo.width = b.Trunc(n.a, at), b.Trunc(n.b, at), uint16(at)
			return b.Concat(b.make(hi), b.make(lo))
		}
	}
	return None
}

// and-zext:
//
//	zext(x) & y  =>  zext(x & trunc(y))
func andZExt(b *Builder, n node) Expr {
	for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		if x := b.as(p[0], OpZExt); x != nil {
			return b.ZExt(b.And(x.a, b.Trunc(p[1], b.Width(x.a))), int(n.width))
		}
	}
	return None
}

// xor-zext, where both are zero extensions, or one and a constant that fits; v
// is the wider of the widths that are extended:
//
//	zext(x) ^ zext(y)  =>  zext(zext(x, v) ^ zext(y, v))
func xorZExt(b *Builder, n node) Expr {
	x, y := b.as(n.a, OpZExt), b.as(n.b, OpZExt)
	if y == nil || x == nil && !b.IsConst(n.a) {
		return None
	}
	v := b.Width(y.a)
	if x != nil {
		v = max(v, b.Width(x.a))
	} else if !b.isZero(b.Extract(n.a, v, int(n.width)-v)) {
		return None
	}
	return b.ZExt(b.Xor(b.Trunc(n.a, v), b.Trunc(n.b, v)), int(n.width))
}

var xorRules = []rule{
	// 0 ^ x  =>  x
	{"xor-zero", func(b *Builder, n node) Expr {
		if b.isZero(n.a) {
			return n.b
		}
		return None
	}},
	// ~x ^ y  =>  ~(x ^ y)
	{"xor-complement", func(b *Builder, n node) Expr {
		if mark := (n.a ^ n.b) & 1; n.a.neg() || n.b.neg() {
			return b.Xor(n.a&^1, n.b&^1) ^ mark
		}
		return None
	}},
	// x ^ x  =>  0
	{"xor-same", func(b *Builder, n node) Expr {
		if n.a == n.b {
			return b.zero(int(n.width))
		}
		return None
	}},
	// x ^ (x ^ y)  =>  y
	{"xor-cancel", func(b *Builder, n node) Expr {
		for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
			if y := b.as(p[1], OpXor); y != nil && y.a == p[0] {
				return y.b
			} else if y != nil && y.b == p[0] {
				return y.a
			}
		}
		return None
	}},
	// k1 ^ (k2 ^ x)  =>  (k1 ^ k2) ^ x
	{"xor-constants", func(b *Builder, n node) Expr {
		if x := b.as(n.b, OpXor); x != nil && b.IsConst(n.a) && b.IsConst(x.a) {
			return b.Xor(b.Xor(n.a, x.a), x.b)
		}
		return None
	}},
	{"xor-split", splitBitwise},
	{"xor-zext", xorZExt},
	{"xor-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}
