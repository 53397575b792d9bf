package expr

func init() {
	rules[OpAdd] = addRules
	rules[OpMul] = mulRules
	rules[OpUDiv] = udivRules
	rules[OpURem] = uremRules
	rules[OpSDiv] = sdivRules
	rules[OpSRem] = sremRules
}

var addRules = []rule{
	// 0 + x  =>  x
	{"add-zero", func(b *Builder, n node) Expr {
		if b.isZero(n.a) {
			return n.b
		}
		return None
	}},
	// x + y  =>  x ^ y, at width 1
	{"add-bit", func(b *Builder, n node) Expr {
		if n.width == 1 {
			return b.Xor(n.a, n.b)
		}
		return None
	}},
	// k + ~x  =>  ~(x - k)
	{"add-complement", func(b *Builder, n node) Expr {
		if b.IsConst(n.a) && n.b.neg() {
			return b.Add(b.Neg(n.a), n.b^1) ^ 1
		}
		return None
	}},
	// k1 + (k2 + x)  =>  (k1 + k2) + x
	{"add-constants", func(b *Builder, n node) Expr {
		if x := b.as(n.b, OpAdd); x != nil && b.IsConst(n.a) && b.IsConst(x.a) {
			return b.Add(b.Add(n.a, x.a), x.b)
		}
		return None
	}},
	// ~x + ~y  =>  ~(1 + (x + y))
	{"add-complements", func(b *Builder, n node) Expr {
		if n.a.neg() && n.b.neg() && !b.IsConst(n.a) {
			return b.Add(b.Const(1, int(n.width)), b.Add(n.a^1, n.b^1)) ^ 1
		}
		return None
	}},
	// x + ~x  =>  ~0
	{"add-inverse", func(b *Builder, n node) Expr {
		if n.a == n.b^1 {
			return b.zero(int(n.width)) ^ 1
		}
		return None
	}},
	// x + ~(x + y)  =>  ~y
	{"add-cancel", func(b *Builder, n node) Expr {
		for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
			if y := b.as(p[1]^1, OpAdd); y != nil && y.a == p[0] {
				return y.b ^ 1
			} else if y != nil && y.b == p[0] {
				return y.a ^ 1
			}
		}
		return None
	}},
	// x + (~x + y)  =>  y - 1
	{"add-opposite", func(b *Builder, n node) Expr {
		for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
			switch y := b.as(p[1], OpAdd); {
			case y == nil:
			case y.a == p[0]^1:
				return b.Add(b.zero(int(n.width))^1, y.b)
			case y.b == p[0]^1:
				return b.Add(b.zero(int(n.width))^1, y.a)
			}
		}
		return None
	}},
	// (k + x) + y   =>  k + (x + y)
	// ~(k + x) + y  =>  -k + (~x + y)
	{"add-lift", func(b *Builder, n node) Expr {
		if b.IsConst(n.a) {
			return None
		}
		for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
			if x := b.as(p[0], OpAdd); x != nil && b.IsConst(x.a) {
				return b.Add(x.a, b.Add(x.b, p[1]))
			}
			if x := b.as(p[0]^1, OpAdd); x != nil && b.IsConst(x.a) {
				return b.Add(b.Neg(x.a), b.Add(x.b^1, p[1]))
			}
		}
		return None
	}},
	// x + x  =>  concat(x[0,w-1), 0)
	{"add-same", func(b *Builder, n node) Expr {
		if n.a == n.b && n.width > 1 {
			return b.Concat(b.Trunc(n.a, int(n.width)-1), False)
		}
		return None
	}},
	// concat(x, 0) + zext(y)  =>  concat(x, zext(y)), where y fits the zeros
	{"add-parts", func(b *Builder, n node) Expr {
		for _, p := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
			hi, lo := b.as(p[0], OpConcat), b.as(p[1], OpZExt)
			if hi == nil || lo == nil || !b.isZero(hi.b) {
				continue
			}
			if k := b.Width(hi.b); k >= b.Width(lo.a) {
				return b.Concat(hi.a, b.Trunc(p[1], k))
			}
		}
		return None
	}},
	{"add-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
	{"add-branch", addBranch},
}

// add-branch, where x + z or y + u is constant. It is how the difference of two
// pointers that were merged together becomes a number again:
//
//	ite(c, x, y) + ite(c, z, u)  =>  ite(c, x + z, y + u)
func addBranch(b *Builder, n node) Expr {
	x, y := b.as(n.a&^1, OpITE), b.as(n.b&^1, OpITE)
	if x == nil || y == nil || x.a != y.a {
		return None
	}
	mx, my := n.a&1, n.b&1
	if !b.constSum(x.b^mx, y.b^my) && !b.constSum(x.c^mx, y.c^my) {
		return None
	}
	return b.ITE(x.a, b.Add(x.b^mx, y.b^my), b.Add(x.c^mx, y.c^my))
}

// constSum reports whether x + y is plainly a constant.
func (b *Builder) constSum(x, y Expr) bool {
	bx, sx := b.linear(x)
	by, sy := b.linear(y)
	return bx == by && (bx == None || sx != sy)
}

// linear takes x apart into a constant and a term, None if there is no term,
// and tells whether the term is taken away.
func (b *Builder) linear(x Expr) (term, minus Expr) {
	if b.IsConst(x) {
		return None, 0
	}
	minus, x = x&1, x&^1
	if n := &b.nodes[x.node()]; n.op == OpAdd && b.IsConst(n.a) {
		return n.b &^ 1, minus ^ n.b&1
	}
	return x, minus
}

var mulRules = []rule{
	// 0 * x  =>  0        1 * x  =>  x        -1 * x  =>  -x
	{"mul-unit", func(b *Builder, n node) Expr {
		switch {
		case b.isZero(n.a):
			return n.a
		case b.isOne(n.a):
			return n.b
		case b.isOnes(n.a):
			return b.Neg(n.b)
		}
		return None
	}},
	// x * y  =>  x & y, at width 1
	{"mul-bit", func(b *Builder, n node) Expr {
		if n.width == 1 {
			return b.And(n.a, n.b)
		}
		return None
	}},
	// 2^k * x  =>  x << k
	{"mul-power", func(b *Builder, n node) Expr {
		if k, ok := b.powerOf(n.a); ok && n.width > 1 {
			return b.Shl(n.b, b.Const(uint64(k), int(n.width)))
		}
		return None
	}},
	// k1 * (k2 * x)  =>  (k1 * k2) * x
	{"mul-constants", func(b *Builder, n node) Expr {
		if x := b.as(n.b, OpMul); x != nil && b.IsConst(n.a) && b.IsConst(x.a) {
			return b.Mul(b.Mul(n.a, x.a), x.b)
		}
		return None
	}},
	{"mul-quotient", mulQuotient},
	{"mul-quotient-sum", mulQuotientSum},
	// k1 * (k2 + x)  =>  k1 * k2 + k1 * x
	{"mul-distribute", func(b *Builder, n node) Expr {
		if x := b.as(n.b, OpAdd); x != nil && b.IsConst(n.a) && b.IsConst(x.a) {
			return b.Add(b.Mul(n.a, x.a), b.Mul(n.a, x.b))
		}
		return None
	}},
	{"mul-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
	{"mul-choice", mulChoice},
}

var udivRules = []rule{
	// x / 2^k  =>  x >> k
	{"udiv-power", func(b *Builder, n node) Expr {
		if k, ok := b.powerOf(n.b); ok {
			return b.LShr(n.a, b.constShift(k, int(n.width)))
		}
		return None
	}},
	// x / y  =>  0, where always x < y
	{"udiv-less", func(b *Builder, n node) Expr {
		if b.known(node{op: OpUlt, width: 1, a: n.a, b: n.b}) == True {
			return b.zero(int(n.width))
		}
		return None
	}},
	{"udiv-narrow", divideZExt},
	{"udiv-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

var uremRules = []rule{
	// x % 2^k  =>  zext(x[0,k))
	{"urem-power", func(b *Builder, n node) Expr {
		if k, ok := b.powerOf(n.b); ok && k > 0 {
			return b.ZExt(b.Trunc(n.a, k), int(n.width))
		} else if ok {
			return b.zero(int(n.width))
		}
		return None
	}},
	// x % y  =>  x, where always x < y
	{"urem-less", func(b *Builder, n node) Expr {
		if b.known(node{op: OpUlt, width: 1, a: n.a, b: n.b}) == True {
			return n.a
		}
		return None
	}},
	{"urem-narrow", divideZExt},
	{"urem-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// udiv-narrow, urem-narrow, where k is not 0 and fits the width of x:
//
//	zext(x) / k  =>  zext(x / k)
func divideZExt(b *Builder, n node) Expr {
	x := b.as(n.a, OpZExt)
	if x == nil || !b.IsConst(n.b) || b.isZero(n.b) {
		return None
	}
	w := b.Width(x.a)
	if !b.isZero(b.Extract(n.b, w, int(n.width)-w)) {
		return None
	}
	m := n
	m.a, m.b, m.width = x.a, b.Trunc(n.b, w), uint16(w)
	return b.ZExt(b.make(m), int(n.width))
}

var sdivRules = []rule{
	{"sdiv-unsigned", func(b *Builder, n node) Expr { return b.divideUnsigned(n, OpUDiv) }},
	// x / 1  =>  x        x / -1  =>  -x
	{"sdiv-unit", func(b *Builder, n node) Expr {
		switch {
		case b.isOnes(n.b):
			return b.Neg(n.a)
		case b.isOne(n.b):
			return n.a
		}
		return None
	}},
	// x / 2^k  =>  (x + (x < 0 ? 2^k-1 : 0)) >> k, arithmetic, where 2^k is positive
	{"sdiv-power", func(b *Builder, n node) Expr {
		w := int(n.width)
		k, ok := b.powerOf(n.b)
		if !ok || k == 0 || k == w-1 {
			return None
		}
		bias := b.ZExt(b.SExt(b.Sign(n.a), k), w)
		return b.AShr(b.Add(n.a, bias), b.constShift(k, w))
	}},
	{"sdiv-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

var sremRules = []rule{
	{"srem-unsigned", func(b *Builder, n node) Expr { return b.divideUnsigned(n, OpURem) }},
	// x % 1  =>  0        x % -1  =>  0
	{"srem-unit", func(b *Builder, n node) Expr {
		if b.isOnes(n.b) || b.isOne(n.b) {
			return b.zero(int(n.width))
		}
		return None
	}},
	// x % 2^k  =>  x - ((x / 2^k) << k), where 2^k is positive
	{"srem-power", func(b *Builder, n node) Expr {
		w := int(n.width)
		k, ok := b.powerOf(n.b)
		if !ok || k == 0 || k == w-1 {
			return None
		}
		return b.Sub(n.a, b.Shl(b.SDiv(n.a, n.b), b.constShift(k, w)))
	}},
	{"srem-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// sdiv-unsigned, srem-unsigned, where neither side is ever negative:
//
//	sdiv(x, y)  =>  udiv(x, y)
//
// Dividing by 0 agrees too: all ones, and x.
func (b *Builder) divideUnsigned(n node, op Op) Expr {
	if b.signKnown(n.a) != 1 || b.signKnown(n.b) != 1 {
		return None
	}
	n.op = op
	return b.make(n)
}

// constShift returns k as a shift amount for width bits; k is below the width,
// which at any width fits.
func (b *Builder) constShift(k, width int) Expr { return b.Const(uint64(k), width) }
