package expr

// Products of a quotient with its divisor are what was divided less the
// remainder. So conversions of units there and back become sums, of which SAT
// finds out in no time what it would not of a product with a quotient.

// mul-quotient, where y is a quotient by k or the complement of one, and q is
// also sext(x s/ k') or zext(x u/ k') for the k' that extends to k:
//
//	k * (x / k)  =>  x - x % k
//	k * ~q       =>  ~(k-1 + k * q)
func mulQuotient(b *Builder, n node) Expr { return b.timesQuotient(n.a, n.b) }

// timesQuotient returns k * y as mul-quotient says.
func (b *Builder) timesQuotient(k, y Expr) Expr {
	if !b.IsConst(k) || b.isZero(k) {
		return None
	}
	x, rem := b.quotient(k, y&^1)
	if x == None {
		return None
	}
	product := b.Sub(x, rem)
	if y.neg() {
		return b.Add(b.Sub(k, b.Const(1, b.Width(k))), product) ^ 1
	}
	return product
}

// quotient returns x and rem of the width of y such that k * y is x - rem, None
// if y is no quotient by k. Of quotients only MIN / -1 does not fit its width, so
// an extended quotient by -1 is none.
func (b *Builder) quotient(k, y Expr) (x, rem Expr) {
	q, ext := b.nodes[y.node()], b.nodes[y.node()]
	if ext.op == OpSExt || ext.op == OpZExt {
		q = b.nodes[ext.a.node()]
		if ext.a.neg() || (q.op == OpSDiv) != (ext.op == OpSExt) || b.isOnes(q.b) && q.op == OpSDiv {
			return None, None
		}
	}
	if y.neg() || q.op != OpUDiv && q.op != OpSDiv || !b.IsConst(q.b) {
		return None, None
	}
	op := OpURem
	if q.op == OpSDiv {
		op = OpSRem
	}
	widen := func(e Expr) Expr {
		if q.width == ext.width {
			return e
		}
		return b.extend(ext.op, e, int(ext.width))
	}
	if widen(q.b) != k {
		return None, None
	}
	return widen(q.a), widen(b.binary(op, q.a, q.b))
}

// mul-quotient-sum, where k * q is a product that mul-quotient takes:
//
//	k * (q + y)      =>  k * q + k * y
//	k * sext(q + y)  =>  k * sext(q) + k * sext(y), where q + y never overflows, signed
//	k * zext(q + y)  =>  k * zext(q) + k * zext(y), where q + y never overflows, unsigned
//	k * ~e           =>  ~(k-1 + k * e), where e is one of these
func mulQuotientSum(b *Builder, n node) Expr {
	if !b.IsConst(n.a) {
		return None
	}
	width := int(n.width)
	x, y := b.summands(n.b &^ 1)
	for range 2 {
		if x == None {
			return None
		}
		if product := b.timesQuotient(n.a, x); product != None {
			product = b.Add(product, b.Mul(n.a, y))
			if n.b.neg() {
				product = b.Add(b.Sub(n.a, b.Const(1, width)), product) ^ 1
			}
			return product
		}
		x, y = y, x
	}
	return None
}

// summands returns what e is the sum of, also below an extension, None if it is
// no sum or the sum may overflow before it is extended.
func (b *Builder) summands(e Expr) (x, y Expr) {
	if sum := b.as(e, OpAdd); sum != nil {
		return sum.a, sum.b
	}
	ext := b.nodes[e.node()]
	if ext.op != OpSExt && ext.op != OpZExt {
		return None, None
	}
	sum := b.as(ext.a, OpAdd)
	if sum == nil || b.overflows(sum, ext.op == OpSExt) {
		return None, None
	}
	x, y = sum.a, sum.b // making expressions moves the nodes
	return b.extend(ext.op, x, int(ext.width)), b.extend(ext.op, y, int(ext.width))
}

// overflows reports whether a sum may leave its width, as far as is known.
func (b *Builder) overflows(sum *node, signed bool) bool {
	width := int(sum.width)
	if width > 64 {
		return true
	}
	x, y := b.Facts(sum.a), b.Facts(sum.b)
	if signed {
		return !fitsSum(x.SMin, y.SMin, width) || !fitsSum(x.SMax, y.SMax, width)
	}
	most := x.UMax + y.UMax
	return most < x.UMax || most > mask(width)
}
