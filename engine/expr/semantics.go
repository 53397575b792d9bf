package expr

import (
	"math/big"
	"math/bits"
)

// apply gives the meaning of an operator on numbers: width is the width of the
// result, argWidth that of the first argument (of the last for ITE and Concat).
// Every other place that knows what an operator means is tested against it.
func apply(op Op, width, argWidth, lo int, x, y, z Value) Value {
	if width <= 64 && argWidth <= 64 && x.wide == nil {
		return Value{lo: apply64(op, width, argWidth, lo, x.lo, y.lo, z.lo)}
	}
	switch op { // what does not need arithmetic
	case OpITE:
		if x.IsZero() {
			return z
		}
		return y
	case OpEq:
		return truth(x.Equal(y))
	case OpUlt:
		return truth(x.Cmp(y) < 0)
	}
	return applyBig(op, width, argWidth, lo, x, y)
}

func truth(b bool) Value {
	if b {
		return Value{lo: 1}
	}
	return Value{}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// apply64 is apply where all widths are at most 64.
func apply64(op Op, width, argWidth, lo int, x, y, z uint64) uint64 {
	m := mask(width)
	switch op {
	case OpNot:
		return ^x & m
	case OpAnd:
		return x & y
	case OpXor:
		return x ^ y
	case OpAdd:
		return (x + y) & m
	case OpMul:
		return x * y & m
	case OpEq:
		return b2u(x == y)
	case OpUlt:
		return b2u(x < y)
	case OpSlt:
		return b2u(sext64(x, argWidth) < sext64(y, argWidth))
	case OpITE:
		if x != 0 {
			return y
		}
		return z
	case OpConcat:
		return x<<uint(argWidth) | y
	case OpExtract:
		return x >> uint(lo) & m
	case OpZExt:
		return x
	case OpSExt:
		return uint64(sext64(x, argWidth)) & m
	case OpUMulOvf:
		return b2u(umulOverflows(x, y, argWidth))
	case OpSMulOvf:
		return b2u(smulOverflows(sext64(x, argWidth), sext64(y, argWidth), argWidth))
	case OpShl, OpLShr, OpAShr:
		return shift64(op, width, x, y)
	}
	return divide64(op, width, x, y)
}

func shift64(op Op, width int, x, y uint64) uint64 {
	n := uint(min(y, 64))
	switch {
	case op == OpAShr:
		return uint64(sext64(x, width)>>n) & mask(width)
	case y >= uint64(width):
		return 0
	case op == OpShl:
		return x << n & mask(width)
	}
	return x >> n
}

func divide64(op Op, width int, x, y uint64) uint64 {
	m := mask(width)
	sx, sy := sext64(x, width), sext64(y, width)
	switch op {
	case OpUDiv:
		if y == 0 {
			return m
		}
		return x / y
	case OpURem:
		if y == 0 {
			return x
		}
		return x % y
	case OpSDiv:
		switch {
		case y == 0 && sx < 0:
			return 1
		case y == 0:
			return m
		case sy == -1: // Go's own MIN/-1 is MIN too, but only at 64 bits
			return -x & m
		}
		return uint64(sx/sy) & m
	case OpSRem:
		switch {
		case y == 0:
			return x
		case sy == -1:
			return 0
		}
		return uint64(sx%sy) & m
	}
	panic("expr: operator " + op.String() + " has no meaning on numbers")
}

// smulOverflows reports whether x*y leaves the two's complement range of width bits.
func smulOverflows(x, y int64, width int) bool {
	if x == 0 || y == 0 {
		return false
	}
	hi, lo := bits.Mul64(uint64(max(x, -x)), uint64(max(y, -y))) // max(MIN, -MIN) is MIN, whose bits are 2^63
	limit := uint64(1) << uint(width-1)
	if (x < 0) == (y < 0) {
		limit--
	}
	return hi != 0 || lo > limit
}

// applyBig is apply for wide numbers.
func applyBig(op Op, width, argWidth, lo int, x, y Value) Value {
	a, b := x.Big(), y.Big()
	switch op {
	case OpNot:
		return valueOfBits(a.Xor(a, maskBig(width)))
	case OpAnd:
		return valueOfBits(a.And(a, b))
	case OpXor:
		return valueOfBits(a.Xor(a, b))
	case OpAdd:
		return ValueOfBig(a.Add(a, b), width)
	case OpMul:
		return ValueOfBig(a.Mul(a, b), width)
	case OpSlt:
		return truth(x.Signed(argWidth).Cmp(y.Signed(argWidth)) < 0)
	case OpConcat:
		return valueOfBits(a.Or(a.Lsh(a, uint(argWidth)), b))
	case OpExtract:
		return ValueOfBig(a.Rsh(a, uint(lo)), width)
	case OpZExt:
		return x
	case OpSExt:
		return ValueOfBig(x.Signed(argWidth), width)
	case OpUMulOvf:
		return truth(a.Mul(a, b).BitLen() > argWidth)
	case OpSMulOvf:
		p := new(big.Int).Mul(x.Signed(argWidth), y.Signed(argWidth))
		return truth(p.Cmp(ValueOfBig(p, argWidth).Signed(argWidth)) != 0)
	case OpShl, OpLShr, OpAShr:
		return shiftBig(op, width, x, y)
	}
	return divideBig(op, width, x, y)
}

func shiftBig(op Op, width int, x, y Value) Value {
	n := uint(width)
	if y.wide == nil && y.lo < uint64(width) {
		n = uint(y.lo)
	}
	a := x.Big()
	switch op {
	case OpShl:
		return ValueOfBig(a.Lsh(a, n), width)
	case OpLShr:
		return valueOfBits(a.Rsh(a, n))
	}
	a = x.Signed(width)
	return ValueOfBig(a.Rsh(a, n), width)
}

func divideBig(op Op, width int, x, y Value) Value {
	zero := y.IsZero()
	switch op {
	case OpUDiv:
		if zero {
			return valueOfBits(maskBig(width))
		}
		return valueOfBits(new(big.Int).Quo(x.Big(), y.Big()))
	case OpURem:
		if zero {
			return x
		}
		return valueOfBits(new(big.Int).Rem(x.Big(), y.Big()))
	case OpSDiv:
		if zero && x.Bit(width-1) {
			return Value{lo: 1}
		}
		if zero {
			return valueOfBits(maskBig(width))
		}
		return ValueOfBig(new(big.Int).Quo(x.Signed(width), y.Signed(width)), width)
	case OpSRem:
		if zero {
			return x
		}
		return ValueOfBig(new(big.Int).Rem(x.Signed(width), y.Signed(width)), width)
	}
	panic("expr: operator " + op.String() + " has no meaning on wide numbers")
}
