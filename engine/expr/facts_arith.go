package expr

import "math/bits"

// deriveArith narrows f, at first anything, by what n's operator makes of x and y.
func deriveArith(op Op, f *Facts, x, y Facts, width int) {
	switch op {
	case OpAdd:
		addFacts(f, x, y, width)
	case OpMul:
		mulFacts(f, x, y, width)
	case OpUDiv:
		if y.UMin > 0 {
			f.UMin, f.UMax = x.UMin/y.UMax, x.UMax/y.UMin
		}
	case OpURem:
		f.UMax = x.UMax
		if y.UMin > 0 {
			f.UMax = min(x.UMax, y.UMax-1)
		}
	case OpSDiv:
		sdivFacts(f, x, y)
	case OpSRem:
		f.SMin, f.SMax = min(x.SMin, 0), max(x.SMax, 0)
		if y.SMin > 0 {
			f.SMin, f.SMax = max(f.SMin, 1-y.SMax), min(f.SMax, y.SMax-1)
		}
	case OpShl:
		zeros := min(uint64(bits.TrailingZeros64(^x.Zeros))+y.UMin, uint64(width))
		f.Zeros = mask64(zeros) & mask(width)
		if y.UMax < uint64(width) && bits.Len64(x.UMax)+int(y.UMax) <= width {
			f.UMin, f.UMax = x.UMin<<y.UMin, x.UMax<<y.UMax
		}
	case OpLShr:
		f.UMin, f.UMax = x.UMin>>min(y.UMax, 64), x.UMax>>min(y.UMin, 64)
	case OpAShr:
		least, most := min(y.UMin, 63), min(y.UMax, 63)
		f.SMin, f.SMax = min(x.SMin>>least, x.SMin>>most), max(x.SMax>>least, x.SMax>>most)
	}
}

// mask64 returns the lowest n bits set, n at most 64.
func mask64(n uint64) uint64 { return 1<<n - 1 }

func addFacts(f *Facts, x, y Facts, width int) {
	m := mask(width)
	// A bit of the sum is known where both bits and the carry into it are: add once with
	// every unknown bit 0 and once with every unknown bit 1, and see where the carries agree.
	lowest, highest := x.Ones+y.Ones, ^x.Zeros&m+^y.Zeros&m
	carries0, carries1 := lowest^x.Ones^y.Ones, highest^(^x.Zeros&m)^(^y.Zeros&m)
	knownBits := (x.Zeros | x.Ones) & (y.Zeros | y.Ones) & ^(carries0 ^ carries1) & m
	f.Ones, f.Zeros = lowest&knownBits, ^lowest&knownBits
	// Where all sums or none pass the end, order is kept.
	lo, carryLo := bits.Add64(x.UMin, y.UMin, 0)
	hi, carryHi := bits.Add64(x.UMax, y.UMax, 0)
	if (carryLo != 0 || lo > m) == (carryHi != 0 || hi > m) {
		f.UMin, f.UMax = lo&m, hi&m
	}
	if least, most := x.SMin+y.SMin, x.SMax+y.SMax; fitsSum(x.SMin, y.SMin, width) && fitsSum(x.SMax, y.SMax, width) {
		f.SMin, f.SMax = least, most
	}
}

// fitsSum reports whether x+y is within two's complement of width bits.
func fitsSum(x, y int64, width int) bool {
	s := x + y
	if x >= 0 == (y >= 0) && x >= 0 != (s >= 0) {
		return false
	}
	return s == sext64(uint64(s), width)
}

func mulFacts(f *Facts, x, y Facts, width int) {
	zeros := bits.TrailingZeros64(^x.Zeros) + bits.TrailingZeros64(^y.Zeros)
	f.Zeros = mask64(uint64(min(zeros, width)))
	if hi, lo := bits.Mul64(x.UMax, y.UMax); hi == 0 && lo <= mask(width) {
		f.UMin, f.UMax = x.UMin*y.UMin, lo
	}
	if !smulFits(x, y, width) {
		return
	}
	f.SMin, f.SMax = x.SMin*y.SMin, x.SMin*y.SMin
	for _, p := range [3]int64{x.SMin * y.SMax, x.SMax * y.SMin, x.SMax * y.SMax} {
		f.SMin, f.SMax = min(f.SMin, p), max(f.SMax, p)
	}
}

// smulFits reports whether no signed product of x and y overflows: it is enough
// to look at the corners.
func smulFits(x, y Facts, width int) bool {
	for _, s := range [2]int64{x.SMin, x.SMax} {
		for _, t := range [2]int64{y.SMin, y.SMax} {
			if smulOverflows(s, t, width) {
				return false
			}
		}
	}
	return true
}

func sdivFacts(f *Facts, x, y Facts) {
	if y.SMin <= 0 {
		return
	}
	f.SMin = min(x.SMin/y.SMin, x.SMin/y.SMax)
	f.SMax = max(x.SMax/y.SMin, x.SMax/y.SMax)
}

// known decides a predicate from the facts of its arguments, or returns None.
func (b *Builder) known(n node) Expr {
	switch n.op {
	case OpEq, OpUlt, OpSlt, OpUMulOvf, OpSMulOvf:
	default:
		return None
	}
	width := b.Width(n.a)
	if width > 64 {
		return b.knownWide(n)
	}
	return predicate(n.op, width, b.Facts(n.a), b.Facts(n.b))
}

// predicate decides a predicate on arguments of width bits, or returns None.
func predicate(op Op, width int, x, y Facts) Expr {
	switch op {
	case OpEq:
		if x.Zeros&y.Ones|x.Ones&y.Zeros != 0 || x.UMax < y.UMin || y.UMax < x.UMin || x.SMax < y.SMin || y.SMax < x.SMin {
			return False
		}
		if x.UMin == x.UMax && y.UMin == y.UMax {
			return True // the same number, or the intervals would not meet
		}
	case OpUlt:
		return decide(x.UMax < y.UMin, x.UMin >= y.UMax)
	case OpSlt:
		return decide(x.SMax < y.SMin, x.SMin >= y.SMax)
	case OpUMulOvf:
		return decide(umulOverflows(x.UMin, y.UMin, width), !umulOverflows(x.UMax, y.UMax, width))
	case OpSMulOvf:
		return decide(false, smulFits(x, y, width))
	}
	return None
}

func decide(yes, no bool) Expr {
	switch {
	case yes:
		return True
	case no:
		return False
	}
	return None
}

func umulOverflows(x, y uint64, width int) bool {
	hi, lo := bits.Mul64(x, y)
	return hi != 0 || lo&^mask(width) != 0
}

// knownWide compares signs, which is all that is known of wide expressions.
func (b *Builder) knownWide(n node) Expr {
	x, y := b.signKnown(n.a), b.signKnown(n.b)
	if x*y != -1 {
		return None
	}
	switch n.op {
	case OpEq:
		return False
	case OpUlt:
		return b.Bool(x > y)
	case OpSlt:
		return b.Bool(x < y)
	}
	return None
}
