package expr

import "math/bits"

// Facts is what holds for an expression of at most 64 bits under every model,
// found without solving. UMin and UMax bound its unsigned reading, SMin and
// SMax its signed one; bits in Zeros are 0, bits in Ones are 1.
type Facts struct {
	Zeros, Ones uint64
	UMin, UMax  uint64
	SMin, SMax  int64
}

// Facts returns what is known of e, whose width is at most 64.
func (b *Builder) Facts(e Expr) Facts {
	n := &b.nodes[e.node()]
	width := int(n.width)
	if v, ok := b.Uint64(e); ok {
		s := sext64(v, width)
		return Facts{^v & mask(width), v, v, v, s, s}
	}
	f := anything(width)
	if n.facts != 0 && width <= 64 {
		f = b.facts[n.facts]
	}
	if e.neg() {
		m := mask(width)
		f = Facts{f.Ones, f.Zeros, ^f.UMax & m, ^f.UMin & m, ^f.SMax, ^f.SMin}
	}
	return f
}

func anything(width int) Facts {
	return Facts{UMax: mask(width), SMin: -1 << uint(width-1), SMax: 1<<uint(width-1) - 1}
}

// signKnown returns 1 if e is never negative, -1 if it always is, else 0.
func (b *Builder) signKnown(e Expr) int {
	width := b.Width(e)
	if width > 64 {
		return b.wideSign(e)
	}
	switch f := b.Facts(e); {
	case f.SMin >= 0:
		return 1
	case f.SMax < 0:
		return -1
	}
	return 0
}

func (b *Builder) wideSign(e Expr) int {
	n := &b.nodes[e.node()]
	sign := 0
	switch n.op {
	case OpConst:
		sign = 1
		if b.bigs[n.facts-1].Bit(int(n.width)-1) == 1 {
			sign = -1
		}
	case OpZExt:
		sign = 1
	case OpSExt, OpConcat:
		sign = b.signKnown(n.a)
	}
	if e.neg() {
		return -sign
	}
	return sign
}

// tighten lets bits and intervals inform each other. It returns false where f
// says nothing.
func (f *Facts) tighten(width int) bool {
	m := mask(width)
	f.UMin = max(f.UMin, f.Ones)
	f.UMax = min(f.UMax, ^f.Zeros&m)
	half := uint64(1) << uint(width-1)
	if f.UMax < half || f.UMin >= half { // one sign: both readings have one order
		f.SMin = max(f.SMin, sext64(f.UMin, width))
		f.SMax = min(f.SMax, sext64(f.UMax, width))
	}
	if f.SMin >= 0 || f.SMax < 0 {
		f.UMin = max(f.UMin, uint64(f.SMin)&m)
		f.UMax = min(f.UMax, uint64(f.SMax)&m)
	}
	// Bits above the highest one in which the limits differ are those of the limits.
	same := ^uint64(0) << uint(bits.Len64(f.UMin^f.UMax))
	f.Ones |= f.UMin & same
	f.Zeros |= ^f.UMin & same & m
	return *f != anything(width)
}

// derive returns the facts of n from those of its arguments, and whether they say anything.
func (b *Builder) derive(n *node) (Facts, bool) {
	width := int(n.width)
	if width == 1 || width > 64 || n.op == OpConst || n.op == OpVar {
		return Facts{}, false
	}
	var x, y Facts
	switch n.op {
	case OpRead: // its index says nothing
	case OpITE:
		x, y = b.Facts(n.b), b.Facts(n.c)
	default:
		if b.Width(n.a) > 64 {
			return Facts{}, false
		}
		if x = b.Facts(n.a); opArity[n.op] == 2 {
			y = b.Facts(n.b)
		}
	}
	f := b.deriveFrom(n, x, y)
	says := f.tighten(width)
	return f, says
}

// deriveFrom is derive with the facts of n's arguments, of both branches if n is
// an ITE. n and they have 2 to 64 bits.
func (b *Builder) deriveFrom(n *node, x, y Facts) Facts {
	width := int(n.width)
	f := anything(width)
	switch n.op {
	case OpRead:
		f = b.arrays[n.aux].facts(f)
	case OpITE:
		f = join(x, y)
	case OpExtract, OpZExt, OpSExt:
		f = deriveShape(n.op, x, int(n.aux), b.Width(n.a), width)
	case OpConcat:
		f = deriveConcat(x, y, b.Width(n.b))
	case OpAnd, OpXor:
		f = deriveBitwise(n.op, x, y, width)
	default:
		deriveArith(n.op, &f, x, y, width)
	}
	return f
}

func join(x, y Facts) Facts {
	return Facts{
		x.Zeros & y.Zeros, x.Ones & y.Ones,
		min(x.UMin, y.UMin), max(x.UMax, y.UMax),
		min(x.SMin, y.SMin), max(x.SMax, y.SMax),
	}
}

func deriveShape(op Op, x Facts, lo, from, width int) Facts {
	m := mask(width)
	f := anything(width)
	switch op {
	case OpZExt:
		f.Zeros, f.Ones, f.UMin, f.UMax = x.Zeros|m&^mask(from), x.Ones, x.UMin, x.UMax
	case OpSExt:
		f.Zeros, f.Ones = uint64(sext64(x.Zeros, from))&m, uint64(sext64(x.Ones, from))&m
		f.SMin, f.SMax = x.SMin, x.SMax
	case OpExtract:
		f.Zeros, f.Ones = x.Zeros>>uint(lo)&m, x.Ones>>uint(lo)&m
		if x.UMax>>uint(lo) <= m { // nothing above is cut off
			f.UMin, f.UMax = x.UMin>>uint(lo), x.UMax>>uint(lo)
		}
		if lo == 0 && x.SMin >= f.SMin && x.SMax <= f.SMax {
			f.SMin, f.SMax = x.SMin, x.SMax
		}
	}
	return f
}

func deriveConcat(x, y Facts, low int) Facts {
	f := anything(64)
	n := uint(low)
	f.Zeros, f.Ones = x.Zeros<<n|y.Zeros, x.Ones<<n|y.Ones
	f.UMin, f.UMax = x.UMin<<n|y.UMin, x.UMax<<n|y.UMax
	return f
}

func deriveBitwise(op Op, x, y Facts, width int) Facts {
	f := anything(width)
	if op == OpAnd {
		f.Zeros, f.Ones = x.Zeros|y.Zeros, x.Ones&y.Ones
		f.UMax = min(x.UMax, y.UMax)
		return f
	}
	f.Zeros = x.Zeros&y.Zeros | x.Ones&y.Ones
	f.Ones = x.Zeros&y.Ones | x.Ones&y.Zeros
	return f
}

// facts narrows f by the elements of a table.
func (a *array) facts(f Facts) Facts {
	if a.free {
		return f
	}
	if a.all == nil {
		all := Facts{Zeros: mask(a.elem), SMax: 0} // 0, past the end
		for i := range a.table {
			v := a.at(uint64(i))
			s := sext64(v, a.elem)
			all = join(all, Facts{^v & mask(a.elem), v, v, v, s, s})
		}
		a.all = &all
	}
	return *a.all
}
