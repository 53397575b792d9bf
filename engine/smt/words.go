package smt

import "math/bits"

// Circuits over words. A word is a slice of signals, lowest bit first; results
// are fresh slices.

func (c *circuit) add(x, y []lit, carry lit) (sum []lit, out lit) {
	sum = make([]lit, len(x))
	for i := range x {
		sum[i] = c.xor3(x[i], y[i], carry)
		carry = c.maj(x[i], y[i], carry)
	}
	return sum, carry
}

// sub returns x-y and whether it did not borrow (x >= y).
func (c *circuit) sub(x, y []lit) (diff []lit, noBorrow lit) { return c.add(x, not(y), high) }

func not(x []lit) []lit {
	out := make([]lit, len(x))
	for i, l := range x {
		out[i] = l ^ 1
	}
	return out
}

func (c *circuit) neg(x []lit) []lit {
	out, _ := c.add(not(x), word(0, len(x)), high)
	return out
}

func word(v uint64, width int) []lit {
	out := make([]lit, width)
	for i := range min(width, 64) {
		out[i] = lit(v >> uint(i) & 1)
	}
	return out
}

// ult returns x < y: the carry chain of a subtraction without its sums.
func (c *circuit) ult(x, y []lit) lit {
	less := low
	for i := range x {
		less = c.maj(x[i]^1, y[i], less)
	}
	return less
}

// slt returns x < y as two's complement: ult with the signs exchanged.
func (c *circuit) slt(x, y []lit) lit {
	n := len(x) - 1
	return c.maj(x[n], y[n]^1, c.ult(x[:n], y[:n]))
}

func (c *circuit) eq(x, y []lit) lit {
	out := high
	for i := range x {
		out = c.and(out, c.xor(x[i], y[i])^1)
	}
	return out
}

func (c *circuit) muxWord(s lit, x, y []lit) []lit {
	out := make([]lit, len(x))
	for i := range x {
		out[i] = c.mux(s, x[i], y[i])
	}
	return out
}

func (c *circuit) any(x []lit) lit {
	out := low
	for _, l := range x {
		out = c.or(out, l)
	}
	return out
}

// shift moves x by the number in y: left, or right with fill coming in.
func (c *circuit) shift(x, y []lit, left bool, fill lit) []lit {
	width := len(x)
	stages := bits.Len(uint(width - 1)) // shifts by 2^stages or more leave nothing
	out := x
	for i := 0; i < stages && i < len(y); i++ {
		out = c.muxWord(y[i], moved(out, 1<<i, left, fill), out)
	}
	over := low
	if stages < len(y) {
		over = c.any(y[stages:])
	}
	res := make([]lit, width)
	for i := range res {
		res[i] = c.mux(over, fill, out[i])
	}
	return res
}

func moved(x []lit, by int, left bool, fill lit) []lit {
	out := make([]lit, len(x))
	for i := range out {
		from := i + by
		if left {
			from = i - by
		}
		out[i] = fill
		if from >= 0 && from < len(x) {
			out[i] = x[from]
		}
	}
	return out
}

// mul returns the low len(x) bits of the product, adding shifted rows of x.
func (c *circuit) mul(x, y []lit) []lit {
	if constants(x) > constants(y) {
		x, y = y, x
	}
	n := len(x)
	acc := word(0, n)
	for i, digit := range digits(y) {
		switch digit {
		case low:
		case minusOne:
			part, _ := c.sub(acc[i:], x[:n-i])
			acc = append(acc[:i:i], part...)
		default:
			row := make([]lit, n-i)
			for j := range row {
				row[j] = c.and(x[j], digit)
			}
			part, _ := c.add(acc[i:], row, low)
			acc = append(acc[:i:i], part...)
		}
	}
	return acc
}

const minusOne = ^lit(0) // a digit of a recoded constant

// digits returns the bits of y; a run of ones in constant bits becomes +1 and
// -1 at its ends, for fewer rows.
func digits(y []lit) []lit {
	out := append([]lit(nil), y...)
	for i := 0; i < len(out); i++ {
		run := 0
		for i+run < len(out) && out[i+run] == high {
			run++
		}
		if run < 3 || i+run < len(out) && out[i+run] != low {
			i += run
			continue
		}
		out[i] = minusOne
		for j := i + 1; j < i+run; j++ {
			out[j] = low
		}
		if i+run < len(out) {
			out[i+run] = high
		}
		i += run - 1
	}
	return out
}

func constants(x []lit) int {
	n := 0
	for _, l := range x {
		if l <= high {
			n++
		}
	}
	return n
}

// udivrem returns quotient and remainder by restoring division. For y = 0 the
// quotient is all ones and the remainder x, as SMT-LIB wants it.
func (c *circuit) udivrem(x, y []lit) (quo, rem []lit) {
	n := len(x)
	quo = make([]lit, n)
	rem = word(0, n+1) // one bit more: it is shifted before y is taken away
	wide := append(append([]lit(nil), y...), low)
	for i := n - 1; i >= 0; i-- {
		rem = append([]lit{x[i]}, rem[:n]...)
		diff, fits := c.sub(rem, wide)
		quo[i] = fits
		rem = c.muxWord(fits, diff, rem)
	}
	return quo, rem[:n]
}

// sdivrem divides magnitudes and sets the signs.
func (c *circuit) sdivrem(x, y []lit) (quo, rem []lit) {
	n := len(x) - 1
	sx, sy := x[n], y[n]
	q, r := c.udivrem(c.muxWord(sx, c.neg(x), x), c.muxWord(sy, c.neg(y), y))
	return c.muxWord(c.xor(sx, sy), c.neg(q), q), c.muxWord(sx, c.neg(r), r)
}

// umulOvf returns whether the product needs more than len(x) bits: two set bits
// meet at or above that place, or the sum of the rows carries into it.
func (c *circuit) umulOvf(x, y []lit) lit {
	n := len(x)
	above := low // some bit of x from n-i on is set
	ovf := low
	for i := 1; i < n; i++ {
		above = c.or(above, x[n-i])
		ovf = c.or(ovf, c.and(above, y[i]))
	}
	p := c.mul(append(append([]lit(nil), x...), low), append(append([]lit(nil), y...), low))
	return c.or(ovf, p[n])
}

// smulOvf returns whether the product leaves two's complement of len(x) bits.
func (c *circuit) smulOvf(x, y []lit) lit {
	n := len(x)
	if n == 1 {
		return c.and(x[0], y[0])
	}
	// Bits that differ from the sign show the magnitude; where two meet above n-1 it overflows.
	above, ovf := low, low
	for i := 1; i < n-1; i++ {
		above = c.or(above, c.xor(x[n-1], x[n-1-i]))
		ovf = c.or(ovf, c.and(above, c.xor(y[n-1], y[i])))
	}
	p := c.mul(extend(x, x[n-1]), extend(y, y[n-1]))
	return c.or(ovf, c.xor(p[n], p[n-1]))
}

func extend(x []lit, top lit) []lit { return append(append([]lit(nil), x...), top) }
