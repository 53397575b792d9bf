package expr

// Constructors made of others.

// AndAll returns the conjunction of truth values, True for none.
func (b *Builder) AndAll(xs ...Expr) Expr {
	e := True
	for _, x := range xs {
		e = b.And(e, x)
	}
	return e
}

// OrAll returns the disjunction of truth values, False for none.
func (b *Builder) OrAll(xs ...Expr) Expr {
	e := False
	for _, x := range xs {
		e = b.Or(e, x)
	}
	return e
}

// Trunc returns the lowest width bits of x.
func (b *Builder) Trunc(x Expr, width int) Expr { return b.Extract(x, 0, width) }

// Bit returns bit i of x, of width 1.
func (b *Builder) Bit(x Expr, i int) Expr { return b.Extract(x, i, 1) }

// Sign returns the highest bit of x.
func (b *Builder) Sign(x Expr) Expr { return b.Bit(x, b.Width(x)-1) }

// FromBool returns 1 or 0 of a width for a truth value.
func (b *Builder) FromBool(x Expr, width int) Expr { return b.ZExt(x, width) }

// IsZero returns whether x is 0.
func (b *Builder) IsZero(x Expr) Expr { return b.Eq(b.Const(0, b.Width(x)), x) }

// SDivOvf returns whether x/y is MIN/-1.
func (b *Builder) SDivOvf(x, y Expr) Expr {
	return b.And(b.Eq(x, b.minSigned(b.Width(x))), b.Eq(y, b.ConstInt(-1, b.Width(y))))
}

func (b *Builder) minSigned(width int) Expr {
	if width == 1 {
		return True
	}
	return b.Concat(True, b.Const(0, width-1))
}

// UMin, UMax, SMin and SMax return the smaller or larger of x and y.

// UMin returns the smaller, unsigned.
func (b *Builder) UMin(x, y Expr) Expr { return b.ITE(b.Ult(x, y), x, y) }

// UMax returns the larger, unsigned.
func (b *Builder) UMax(x, y Expr) Expr { return b.ITE(b.Ult(x, y), y, x) }

// SMin returns the smaller, signed.
func (b *Builder) SMin(x, y Expr) Expr { return b.ITE(b.Slt(x, y), x, y) }

// SMax returns the larger, signed.
func (b *Builder) SMax(x, y Expr) Expr { return b.ITE(b.Slt(x, y), y, x) }

// Abs returns the absolute value, MIN for MIN.
func (b *Builder) Abs(x Expr) Expr { return b.ITE(b.Sign(x), b.Neg(x), x) }

// UAddSat returns the sum, MAX where it overflows.
func (b *Builder) UAddSat(x, y Expr) Expr {
	return b.ITE(b.UAddOvf(x, y), b.ConstInt(-1, b.Width(x)), b.Add(x, y))
}

// USubSat returns the difference, 0 where it is below 0.
func (b *Builder) USubSat(x, y Expr) Expr {
	return b.ITE(b.USubOvf(x, y), b.Const(0, b.Width(x)), b.Sub(x, y))
}

// SAddSat returns the sum, MAX or MIN where it overflows.
func (b *Builder) SAddSat(x, y Expr) Expr {
	return b.ITE(b.SAddOvf(x, y), b.limitTowards(x), b.Add(x, y))
}

// SSubSat returns the difference, MAX or MIN where it overflows.
func (b *Builder) SSubSat(x, y Expr) Expr {
	return b.ITE(b.SSubOvf(x, y), b.limitTowards(x), b.Sub(x, y))
}

// limitTowards returns MIN for negative x and MAX for others.
func (b *Builder) limitTowards(x Expr) Expr {
	lowest := b.minSigned(b.Width(x))
	return b.ITE(b.Sign(x), lowest, lowest^1)
}

// RotL returns x rotated left by y modulo the width.
func (b *Builder) RotL(x, y Expr) Expr { return b.FunnelShl(x, x, y) }

// FunnelShl returns the high half of hi:lo shifted left by y modulo the width.
func (b *Builder) FunnelShl(hi, lo, y Expr) Expr {
	w := b.Width(hi)
	n := b.ZExt(b.URem(y, b.Const(uint64(w), w)), 2*w)
	return b.Extract(b.Shl(b.Concat(hi, lo), n), w, w)
}

// FunnelShr returns the low half of hi:lo shifted right by y modulo the width.
func (b *Builder) FunnelShr(hi, lo, y Expr) Expr {
	w := b.Width(hi)
	n := b.ZExt(b.URem(y, b.Const(uint64(w), w)), 2*w)
	return b.Extract(b.LShr(b.Concat(hi, lo), n), 0, w)
}

// PopCount returns how many bits of x are set, at x's width, as a tree of sums.
func (b *Builder) PopCount(x Expr) Expr {
	w := b.Width(x)
	return b.popCount(x, 0, w, w)
}

func (b *Builder) popCount(x Expr, lo, n, width int) Expr {
	if n == 1 {
		return b.resize(b.Bit(x, lo), width)
	}
	return b.Add(b.popCount(x, lo, n/2, width), b.popCount(x, lo+n/2, n-n/2, width))
}

func (b *Builder) resize(x Expr, width int) Expr {
	if b.Width(x) > width {
		return b.Trunc(x, width)
	}
	return b.ZExt(x, width)
}

// CLZ returns how many zeros stand above the highest bit set, the width for 0.
func (b *Builder) CLZ(x Expr) Expr {
	w := b.Width(x)
	e := b.Const(uint64(w), w)
	for i := range w {
		e = b.ITE(b.Bit(x, i), b.Const(uint64(w-1-i), w), e)
	}
	return e
}

// CTZ returns how many zeros stand below the lowest bit set, the width for 0.
func (b *Builder) CTZ(x Expr) Expr {
	w := b.Width(x)
	e := b.Const(uint64(w), w)
	for i := w - 1; i >= 0; i-- {
		e = b.ITE(b.Bit(x, i), b.Const(uint64(i), w), e)
	}
	return e
}

// BSwap returns x with its bytes in reverse order; the width is a multiple of 8.
func (b *Builder) BSwap(x Expr) Expr { return b.reverse(x, 8) }

// BitReverse returns x with its bits in reverse order.
func (b *Builder) BitReverse(x Expr) Expr { return b.reverse(x, 1) }

func (b *Builder) reverse(x Expr, unit int) Expr {
	e := b.Extract(x, 0, unit)
	for lo := unit; lo < b.Width(x); lo += unit {
		e = b.Concat(e, b.Extract(x, lo, unit))
	}
	return e
}
