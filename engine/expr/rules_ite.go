package expr

func init() { rules[OpITE] = iteRules }

var iteRules = []rule{
	// ite(true, x, y)  =>  x        ite(c, x, x)  =>  x
	{"ite-known", func(b *Builder, n node) Expr {
		switch {
		case n.a == True || n.b == n.c:
			return n.b
		case n.a == False:
			return n.c
		}
		return None
	}},
	// ite(~c, x, y)  =>  ite(c, y, x)
	{"ite-flip", func(b *Builder, n node) Expr {
		if n.a.neg() {
			return b.ITE(n.a^1, n.c, n.b)
		}
		return None
	}},
	{"ite-bit", iteBit},
	{"ite-truth", iteTruth},
	// ite(c, ~x, y)  =>  ~ite(c, x, ~y), where x is no constant
	// ite(c, k, ~y)  =>  ~ite(c, ~k, y), where y is no constant; two constants: the first is even
	{"ite-complement", func(b *Builder, n node) Expr {
		lead := n.b
		if b.IsConst(n.b) && !b.IsConst(n.c) {
			lead = n.c
		}
		if lead.neg() {
			return b.ITE(n.a, n.b^1, n.c^1) ^ 1
		}
		return None
	}},
	{"ite-nested", iteNested},
	{"ite-shared", iteShared},
	// ite(c, zext(x), zext(y))  =>  zext(ite(c, zext(x, v), zext(y, v))); either may be a constant of v bits
	{"ite-zext", iteZExt},
	{"ite-concat", iteConcat},
}

// ite-bit, at width 1:
//
//	ite(c, true, y)   =>  c | y         ite(c, c, y)   =>  c | y
//	ite(c, false, y)  =>  ~c & y        ite(c, ~c, y)  =>  ~c & y
//	ite(c, x, true)   =>  ~c | x        ite(c, x, ~c)  =>  ~c | x
//	ite(c, x, false)  =>  c & x         ite(c, x, c)   =>  c & x
//	ite(c, x, ~x)     =>  ~(c ^ x)
func iteBit(b *Builder, n node) Expr {
	if n.width != 1 {
		return None
	}
	switch {
	case n.b == True || n.b == n.a:
		return b.Or(n.a, n.c)
	case n.b == False || n.b == n.a^1:
		return b.And(n.a^1, n.c)
	case n.c == True || n.c == n.a^1:
		return b.Or(n.a^1, n.b)
	case n.c == False || n.c == n.a:
		return b.And(n.a, n.b)
	case n.b == n.c^1:
		return b.Xor(n.a, n.b) ^ 1
	}
	return None
}

// ite-truth:
//
//	ite(c, 1, 0)  =>  zext(c)          ite(c, ~1, ~0)  =>  ~zext(c)
//
// and so for the branches exchanged. Choices among such are then choices of one bit.
func iteTruth(b *Builder, n node) Expr {
	for _, mark := range [2]Expr{0, 1} {
		switch x, y := n.b^mark, n.c^mark; {
		case b.isOne(x) && b.isZero(y):
			return b.ZExt(n.a, int(n.width)) ^ mark
		case b.isZero(x) && b.isOne(y):
			return b.ZExt(n.a^1, int(n.width)) ^ mark
		}
	}
	return None
}

// ite-nested:
//
//	ite(c, ite(c, x, y), z)  =>  ite(c, x, z)
//	ite(c, x, ite(c, y, z))  =>  ite(c, x, z)
func iteNested(b *Builder, n node) Expr {
	if x := b.as(n.b&^1, OpITE); x != nil && x.a == n.a {
		return b.ITE(n.a, x.b^n.b&1, n.c)
	}
	if y := b.as(n.c&^1, OpITE); y != nil && y.a == n.a {
		return b.ITE(n.a, n.b, y.c^n.c&1)
	}
	return None
}

// ite-shared:
//
//	ite(c, ite(d, x, y), y)  =>  ite(c & d, x, y)       ite(c, ite(d, y, x), y)  =>  ite(c & ~d, x, y)
//	ite(c, x, ite(d, x, y))  =>  ite(c | d, x, y)       ite(c, x, ite(d, y, x))  =>  ite(c | ~d, x, y)
func iteShared(b *Builder, n node) Expr {
	if x, mark := b.as(n.b&^1, OpITE), n.b&1; x != nil {
		switch n.c {
		case x.c ^ mark:
			return b.ITE(b.And(n.a, x.a), x.b^mark, n.c)
		case x.b ^ mark:
			return b.ITE(b.And(n.a, x.a^1), x.c^mark, n.c)
		}
	}
	if y, mark := b.as(n.c&^1, OpITE), n.c&1; y != nil {
		switch n.b {
		case y.b ^ mark:
			return b.ITE(b.Or(n.a, y.a), n.b, y.c^mark)
		case y.c ^ mark:
			return b.ITE(b.Or(n.a, y.a^1), n.b, y.b^mark)
		}
	}
	return None
}

func iteZExt(b *Builder, n node) Expr {
	v := 0
	for _, e := range [2]Expr{n.b, n.c} {
		if x := b.as(e, OpZExt); x != nil {
			v = max(v, b.Width(x.a))
		} else if !b.IsConst(e) {
			return None
		}
	}
	if v == 0 {
		return None
	}
	w := int(n.width)
	for _, e := range [2]Expr{n.b, n.c} {
		if b.IsConst(e) && !b.isZero(b.Extract(e, v, w-v)) {
			return None
		}
	}
	return b.ZExt(b.ITE(n.a, b.Trunc(n.b, v), b.Trunc(n.c, v)), w)
}

// ite-concat, where both come apart at the same bit and agree on one side:
//
//	ite(c, concat(x, y), concat(x, z))  =>  concat(x, ite(c, y, z))
//	ite(c, concat(x, y), concat(z, y))  =>  concat(ite(c, x, z), y)
func iteConcat(b *Builder, n node) Expr {
	w := int(n.width)
	for _, at := range [2]int{b.concatAt(n.b), b.concatAt(n.c)} {
		if at == 0 || !b.splits(n.b, at) || !b.splits(n.c, at) {
			continue
		}
		xh, yh := b.Extract(n.b, at, w-at), b.Extract(n.c, at, w-at)
		xl, yl := b.Trunc(n.b, at), b.Trunc(n.c, at)
		if xh == yh || xl == yl {
			return b.Concat(b.ITE(n.a, xh, yh), b.ITE(n.a, xl, yl))
		}
	}
	return None
}
