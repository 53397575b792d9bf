package expr

import "math/big"

// Value is a number: the meaning of an expression under a model. It is the
// unsigned reading of the bits; the width belongs to the expression.
type Value struct {
	lo   uint64
	wide *big.Int // nil when the number fits 64 bits; never changed once made
}

// ValueOf returns the value v.
func ValueOf(v uint64) Value { return Value{lo: v} }

// ValueOfBig returns v modulo 2^width. v may be negative.
func ValueOfBig(v *big.Int, width int) Value {
	if v.Sign() >= 0 && v.BitLen() <= width {
		return valueOfBits(new(big.Int).Set(v))
	}
	return valueOfBits(new(big.Int).And(v, maskBig(width)))
}

// valueOfBits takes over v, which is not negative.
func valueOfBits(v *big.Int) Value {
	if v.IsUint64() {
		return Value{lo: v.Uint64()}
	}
	return Value{wide: v}
}

// Uint64 returns the value and whether it fits 64 bits.
func (v Value) Uint64() (uint64, bool) { return v.lo, v.wide == nil }

// Big returns the value as a new integer.
func (v Value) Big() *big.Int {
	if v.wide != nil {
		return new(big.Int).Set(v.wide)
	}
	return new(big.Int).SetUint64(v.lo)
}

// Signed returns the two's complement reading of v at a width.
func (v Value) Signed(width int) *big.Int {
	n := v.Big()
	if n.Bit(width-1) == 1 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(width)))
	}
	return n
}

// Bit returns bit i.
func (v Value) Bit(i int) bool {
	if v.wide != nil {
		return v.wide.Bit(i) == 1
	}
	return i < 64 && v.lo>>uint(i)&1 == 1
}

// IsZero reports whether v is 0.
func (v Value) IsZero() bool { return v.lo == 0 && v.wide == nil }

// Equal reports whether v and w are the same number.
func (v Value) Equal(w Value) bool {
	if v.wide == nil || w.wide == nil {
		return v.wide == w.wide && v.lo == w.lo
	}
	return v.wide.Cmp(w.wide) == 0
}

// Cmp compares unsigned: -1, 0 or 1.
func (v Value) Cmp(w Value) int {
	switch {
	case v.wide != nil && w.wide != nil:
		return v.wide.Cmp(w.wide)
	case v.wide != nil:
		return 1
	case w.wide != nil:
		return -1
	case v.lo < w.lo:
		return -1
	case v.lo > w.lo:
		return 1
	}
	return 0
}

// String returns the value in decimal.
func (v Value) String() string { return v.Big().String() }

// mask returns the lowest width bits set; width is at most 64.
func mask(width int) uint64 { return ^uint64(0) >> uint(64-width) }

func maskBig(width int) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), uint(width))
	return m.Sub(m, big.NewInt(1))
}

// sext64 reads the lowest width bits of v as two's complement.
func sext64(v uint64, width int) int64 { return int64(v<<uint(64-width)) >> uint(64-width) }

// ValueOfBits returns the number with these bits, the lowest first.
func ValueOfBits(bits []bool) Value {
	if len(bits) > 64 {
		n := new(big.Int)
		for i, bit := range bits {
			if bit {
				n.SetBit(n, i, 1)
			}
		}
		return valueOfBits(n)
	}
	var v uint64
	for i, bit := range bits {
		v |= b2u(bit) << uint(i)
	}
	return Value{lo: v}
}
