package expr

import "math/big"

// A constant and its complement share a node like any other two, so one of
// each pair is stored: the one whose lowest bit is 0.

// Const returns v modulo 2^width.
func (b *Builder) Const(v uint64, width int) Expr {
	checkWidth(width)
	if width > 64 {
		return b.constWide(new(big.Int).SetUint64(v), width)
	}
	m := mask(width)
	v &= m
	mark := Expr(v & 1)
	if mark == 1 {
		v ^= m
	}
	return mark | b.intern(node{op: OpConst, width: uint16(width), a: Expr(v), b: Expr(v >> 32)})
}

// ConstInt returns the two's complement of v, sign-extended if width is over 64.
func (b *Builder) ConstInt(v int64, width int) Expr {
	if width <= 64 {
		return b.Const(uint64(v), width)
	}
	return b.ConstBig(big.NewInt(v), width)
}

// ConstBig returns v modulo 2^width; v may be negative.
func (b *Builder) ConstBig(v *big.Int, width int) Expr {
	return b.ConstValue(ValueOfBig(v, width), width)
}

// ConstValue returns v, which must fit width bits.
func (b *Builder) ConstValue(v Value, width int) Expr {
	if width <= 64 {
		return b.Const(v.lo, width)
	}
	checkWidth(width)
	return b.constWide(v.Big(), width)
}

// constWide takes over v, which fits width bits.
func (b *Builder) constWide(v *big.Int, width int) Expr {
	mark := Expr(v.Bit(0))
	if mark == 1 {
		v.Xor(v, maskBig(width))
	}
	n := node{op: OpConst, width: uint16(width)}
	for _, word := range v.Bits() { // the number's digest goes where a small number goes
		h := (uint64(n.b)<<32 | uint64(n.a)) ^ uint64(word)
		h *= 0x9e3779b97f4a7c15
		h ^= h >> 31
		n.a, n.b = Expr(h), Expr(h>>32)
	}
	// Numbers with one digest are told apart by probing: c counts them.
	for ; ; n.c++ {
		n.aux = 0
		e := b.intern(n)
		have := &b.nodes[e.node()]
		if have.facts == 0 {
			b.bigs = append(b.bigs, v)
			have.facts = uint32(len(b.bigs))
			return mark | e
		}
		if b.bigs[have.facts-1].Cmp(v) == 0 {
			return mark | e
		}
	}
}

// Bool returns True or False.
func (b *Builder) Bool(v bool) Expr {
	if v {
		return True
	}
	return False
}

// IsConst reports whether e is a constant.
func (b *Builder) IsConst(e Expr) bool { return b.nodes[e.node()].op == OpConst }

// Uint64 returns the number of a constant of at most 64 bits, or false.
func (b *Builder) Uint64(e Expr) (uint64, bool) {
	n := &b.nodes[e.node()]
	if n.op != OpConst || n.width > 64 {
		return 0, false
	}
	v := uint64(n.a) | uint64(n.b)<<32
	if e.neg() {
		v ^= mask(int(n.width))
	}
	return v, true
}

// Value returns the number of a constant, or false.
func (b *Builder) Value(e Expr) (Value, bool) {
	n := &b.nodes[e.node()]
	if n.op != OpConst {
		return Value{}, false
	}
	if n.width <= 64 {
		v, _ := b.Uint64(e)
		return Value{lo: v}, true
	}
	v := b.bigs[n.facts-1]
	if e.neg() {
		return valueOfBits(new(big.Int).Xor(v, maskBig(int(n.width)))), true
	}
	return valueOfBits(v), true
}
