package expr

// UAddOvf returns whether the unsigned sum overflows: x > MAX-y.
func (b *Builder) UAddOvf(x, y Expr) Expr { return b.Ult(y^1, x) }

// USubOvf returns whether the unsigned difference is below 0.
func (b *Builder) USubOvf(x, y Expr) Expr { return b.Ult(x, y) }

// SAddOvf returns whether the signed sum overflows: the sign of the sum
// differs from the sign that both have. With a constant it is one comparison.
func (b *Builder) SAddOvf(x, y Expr) Expr {
	for _, p := range [2][2]Expr{{x, y}, {y, x}} {
		if b.IsConst(p[0]) {
			return b.beyond(p[1], p[0])
		}
	}
	if w := b.Width(x); w <= 64 {
		f, g := b.Facts(x), b.Facts(y)
		if fitsSum(f.SMin, g.SMin, w) && fitsSum(f.SMax, g.SMax, w) {
			return False
		}
	}
	sx, sy, s := b.Sign(x), b.Sign(y), b.Sign(b.Add(x, y))
	return b.And(b.Xor(sx, s), b.Xor(sy, s))
}

// beyond returns whether x+k overflows: MAX-k < x, or x < MIN-k for negative k.
func (b *Builder) beyond(x, k Expr) Expr {
	lowest := b.minSigned(b.Width(k))
	if b.signKnown(k) < 0 {
		return b.Slt(x, b.Sub(lowest, k))
	}
	return b.Slt(b.Sub(lowest^1, k), x)
}

// SSubOvf returns whether the signed difference overflows: the signs differ
// and the difference has the sign of y. With a constant it is one comparison.
func (b *Builder) SSubOvf(x, y Expr) Expr {
	lowest := b.minSigned(b.Width(x))
	switch {
	case b.IsConst(x) && b.signKnown(x) < 0: // x - y < MIN
		return b.Slt(b.Sub(x, lowest), y)
	case b.IsConst(x): // x - y > MAX
		return b.Slt(y, b.Sub(x, lowest^1))
	case b.IsConst(y) && b.signKnown(y) < 0: // x - y > MAX
		return b.Slt(b.Add(lowest^1, y), x)
	case b.IsConst(y): // x - y < MIN
		return b.Slt(x, b.Add(lowest, y))
	}
	if w := b.Width(x); w <= 64 {
		f, g := b.Facts(x), b.Facts(y)
		if fitsDifference(f.SMin, g.SMax, w) && fitsDifference(f.SMax, g.SMin, w) {
			return False
		}
	}
	sx, sy, s := b.Sign(x), b.Sign(y), b.Sign(b.Sub(x, y))
	return b.And(b.Xor(sx, sy), b.Xor(sx, s))
}

// fitsDifference reports whether x-y is within two's complement of width bits.
func fitsDifference(x, y int64, width int) bool {
	d := x - y
	if x >= 0 != (y >= 0) && x >= 0 != (d >= 0) {
		return false
	}
	return d == sext64(uint64(d), width)
}
