package expr

func init() {
	rules[OpConcat] = concatRules
	rules[OpExtract] = extractRules
	rules[OpZExt] = zextRules
	rules[OpSExt] = sextRules
}

var concatRules = []rule{
	// concat(0, x)  =>  zext(x)
	{"concat-zero", func(b *Builder, n node) Expr {
		if b.isZero(n.a) {
			return b.ZExt(n.b, int(n.width))
		}
		return None
	}},
	// concat(concat(x, y), z)  =>  concat(x, concat(y, z))
	{"concat-right", func(b *Builder, n node) Expr {
		if x, mark := b.as(n.a&^1, OpConcat), n.a&1; x != nil {
			return b.Concat(x.a^mark, b.Concat(x.b^mark, n.b))
		}
		return None
	}},
	// concat(zext(x), y)  =>  zext(concat(x, y))
	{"concat-zext", func(b *Builder, n node) Expr {
		if x := b.as(n.a, OpZExt); x != nil {
			return b.ZExt(b.Concat(x.a, n.b), int(n.width))
		}
		return None
	}},
	// concat(x, ~y)  =>  ~concat(~x, y); a constant counts as a complement when it is odd
	{"concat-complement", func(b *Builder, n node) Expr {
		if n.b.neg() {
			return b.Concat(n.a^1, n.b^1) ^ 1
		}
		return None
	}},
	// concat(k1, concat(k2, x))  =>  concat(k1k2, x)
	{"concat-constants", func(b *Builder, n node) Expr {
		if y := b.as(n.b, OpConcat); y != nil && b.IsConst(n.a) && b.IsConst(y.a) {
			return b.Concat(b.Concat(n.a, y.a), y.b)
		}
		return None
	}},
	// concat(x[j,k), x[i,j))             =>  x[i,k)
	// concat(x[j,k), concat(x[i,j), y))  =>  concat(x[i,k), y)
	{"concat-adjacent", func(b *Builder, n node) Expr {
		if e := b.adjacent(n.a, n.b); e != None {
			return e
		}
		if y := b.as(n.b, OpConcat); y != nil {
			if e := b.adjacent(n.a, y.a); e != None {
				return b.Concat(e, y.b)
			}
		}
		return None
	}},
	// concat(ite(c, x, y), ite(c, z, u))  =>  ite(c, concat(x, z), concat(y, u)), where both halves
	// are adjacent extracts or constants
	{"concat-ite", func(b *Builder, n node) Expr {
		x, y := b.as(n.a&^1, OpITE), b.as(n.b&^1, OpITE)
		if x == nil || y == nil || x.a != y.a {
			return None
		}
		mx, my := n.a&1, n.b&1
		if b.fuses(x.b^mx, y.b^my) && b.fuses(x.c^mx, y.c^my) {
			return b.ITE(x.a, b.Concat(x.b^mx, y.b^my), b.Concat(x.c^mx, y.c^my))
		}
		return None
	}},
	{"concat-const-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// adjacent returns concat(x, y) if they are extracts, side by side, of one expression.
func (b *Builder) adjacent(x, y Expr) Expr {
	ex, ey := b.as(x&^1, OpExtract), b.as(y&^1, OpExtract)
	if ex == nil || ey == nil || x&1 != y&1 || ex.a != ey.a || ex.aux != ey.aux+uint32(ey.width) {
		return None
	}
	return b.Extract(ex.a, int(ey.aux), int(ex.width+ey.width)) ^ x&1
}

// fuses reports whether concat(x, y) is no concatenation.
func (b *Builder) fuses(x, y Expr) bool {
	if b.IsConst(x) && b.IsConst(y) {
		return true
	}
	ex, ey := b.as(x&^1, OpExtract), b.as(y&^1, OpExtract)
	return ex != nil && ey != nil && x&1 == y&1 && ex.a == ey.a && ex.aux == ey.aux+uint32(ey.width)
}

var extractRules = []rule{
	// (~x)[i,j)  =>  ~(x[i,j))
	{"extract-complement", func(b *Builder, n node) Expr {
		if n.a.neg() {
			return b.Extract(n.a^1, int(n.aux), int(n.width)) ^ 1
		}
		return None
	}},
	// x[i,j)[k,l)  =>  x[i+k,i+l)
	{"extract-extract", func(b *Builder, n node) Expr {
		if x := b.as(n.a, OpExtract); x != nil {
			return b.Extract(x.a, int(x.aux+n.aux), int(n.width))
		}
		return None
	}},
	{"extract-concat", extractConcat},
	{"extract-extend", extractExtend},
	{"extract-bitwise", extractBitwise},
	{"extract-sum", extractSum},
	{"extract-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

// extract-concat:
//
//	concat(x, y)[i,j)  =>  y[i,j), x[i-w,j-w), or concat(x[0,j-w), y[i,w)); w is the width of y
func extractConcat(b *Builder, n node) Expr {
	x := b.as(n.a, OpConcat)
	if x == nil {
		return None
	}
	lo, width, w := int(n.aux), int(n.width), b.Width(x.b)
	switch {
	case lo+width <= w:
		return b.Extract(x.b, lo, width)
	case lo >= w:
		return b.Extract(x.a, lo-w, width)
	}
	return b.Concat(b.Extract(x.a, 0, lo+width-w), b.Extract(x.b, lo, w-lo))
}

// extract-extend; w is the width of x:
//
//	zext(x)[i,j)  =>  x[i,j), 0, or zext(x[i,w))
//	sext(x)[i,j)  =>  x[i,j), sext(sign(x)), or sext(x[i,w))
func extractExtend(b *Builder, n node) Expr {
	x := &b.nodes[n.a.node()]
	if n.a.neg() || x.op != OpZExt && x.op != OpSExt {
		return None
	}
	lo, width, w := int(n.aux), int(n.width), b.Width(x.a)
	switch {
	case lo+width <= w:
		return b.Extract(x.a, lo, width)
	case lo >= w && x.op == OpZExt:
		return b.zero(width)
	case lo >= w:
		return b.SExt(b.Sign(x.a), width)
	}
	return b.extend(x.op, b.Extract(x.a, lo, w-lo), width)
}

// extract-bitwise, where x or y is a constant, an extension or a concatenation:
//
//	(x & y)[i,j)  =>  x[i,j) & y[i,j), and so for exclusive or
func extractBitwise(b *Builder, n node) Expr {
	x := &b.nodes[n.a.node()]
	if x.op != OpAnd && x.op != OpXor || !b.thin(x.a) && !b.thin(x.b) {
		return None
	}
	return b.binary(x.op, b.Extract(x.a, int(n.aux), int(n.width)), b.Extract(x.b, int(n.aux), int(n.width)))
}

// extract-sum, where x and y are constants, extensions or concatenations:
//
//	(x + y)[0,j)  =>  x[0,j) + y[0,j), and so for products
func extractSum(b *Builder, n node) Expr {
	x := &b.nodes[n.a.node()]
	if n.aux != 0 || x.op != OpAdd && x.op != OpMul || !b.thin(x.a) || !b.thin(x.b) {
		return None
	}
	return b.binary(x.op, b.Trunc(x.a, int(n.width)), b.Trunc(x.b, int(n.width)))
}

// thin reports whether an extract of e is simpler than e.
func (b *Builder) thin(e Expr) bool {
	switch b.nodes[e.node()].op {
	case OpConst, OpZExt, OpSExt, OpConcat:
		return true
	}
	return false
}

var zextRules = []rule{
	// zext(zext(x))  =>  zext(x)
	{"zext-zext", func(b *Builder, n node) Expr {
		if x := b.as(n.a, OpZExt); x != nil {
			return b.ZExt(x.a, int(n.width))
		}
		return None
	}},
	{"zext-const-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}

var sextRules = []rule{
	// sext(~x)  =>  ~sext(x)
	{"sext-complement", func(b *Builder, n node) Expr {
		if n.a.neg() {
			return b.SExt(n.a^1, int(n.width)) ^ 1
		}
		return None
	}},
	// sext(sext(x))  =>  sext(x)
	{"sext-sext", func(b *Builder, n node) Expr {
		if x := b.as(n.a, OpSExt); x != nil {
			return b.SExt(x.a, int(n.width))
		}
		return None
	}},
	// sext(x)  =>  zext(x), where x is never negative
	{"sext-unsigned", func(b *Builder, n node) Expr {
		if b.signKnown(n.a) == 1 {
			return b.ZExt(n.a, int(n.width))
		}
		return None
	}},
	{"sext-const-ite", func(b *Builder, n node) Expr { return b.overITE(n) }},
}
