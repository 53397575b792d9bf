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

// mul returns the low len(x) bits of the product, adding shifted rows of x. The
// sign of y, repeated at the top, is one row that is taken away.
func (c *circuit) mul(x, y []lit) []lit {
	if rows(x) < rows(y) {
		x, y = y, x
	}
	n := len(x)
	acc := word(0, n)
	top := signed(y) - 1
	places := digits(append(y[:top:top], low)) // a run of ones may end in the place of the sign
	sign := y[top]
	if places[top] == high && sign == high {
		places[top], sign = low, low
	}
	for i, digit := range places {
		acc = c.addRow(acc, x, i, digit)
	}
	if sign == low {
		return acc
	}
	part, _ := c.sub(acc[top:], c.andWord(x[:n-top], sign))
	return append(acc[:top:top], part...)
}

// addRow adds digit times x, shifted by i.
func (c *circuit) addRow(acc, x []lit, i int, digit lit) []lit {
	row := x[:len(x)-i]
	var part []lit
	switch digit {
	case low:
		return acc
	case minusOne:
		part, _ = c.sub(acc[i:], row)
	default:
		part, _ = c.add(acc[i:], c.andWord(row, digit), low)
	}
	return append(acc[:i:i], part...)
}

func (c *circuit) andWord(x []lit, s lit) []lit {
	out := make([]lit, len(x))
	for i, l := range x {
		out[i] = c.and(l, s)
	}
	return out
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

// rows returns how many rows it takes to multiply by y.
func rows(y []lit) int {
	n := 0
	for _, digit := range digits(append(y[:signed(y):signed(y)], low)) {
		if digit != low {
			n++
		}
	}
	return n
}

// udivrem returns quotient and remainder by restoring division. For y = 0 the
// quotient is all ones and the remainder x, as SMT-LIB wants it. Only as many
// steps are made as x has bits that may be set, on words as wide as y's: the
// remainder stays below y.
func (c *circuit) udivrem(x, y []lit) (quo, rem []lit) {
	n, k := len(x), max(1, significant(y))
	zero := c.any(y) ^ 1
	quo = repeat(zero, n)
	wide := append(append([]lit(nil), y[:k]...), low)
	rem = word(0, k)
	for i := significant(x) - 1; i >= 0; i-- {
		next := append([]lit{x[i]}, rem...)
		diff, fits := c.sub(next, wide)
		quo[i] = fits
		rem = c.muxWord(fits, diff[:k], next[:k])
	}
	rem = append(rem, word(0, n-k)...)
	return quo, c.muxWord(zero, x, rem)
}

// significant returns how many bits of x are left without constant zeros at the top.
func significant(x []lit) int {
	n := len(x)
	for n > 0 && x[n-1] == low {
		n--
	}
	return n
}

func repeat(l lit, n int) []lit {
	out := make([]lit, n)
	for i := range out {
		out[i] = l
	}
	return out
}

// sdivrem divides magnitudes and sets the signs, at the least width at which
// nothing overflows but MIN/-1.
func (c *circuit) sdivrem(x, y []lit) (quo, rem []lit) {
	n := len(x)
	w := min(n, max(signed(x), signed(y))+1)
	x, y = x[:w], y[:w]
	sx, sy := x[w-1], y[w-1]
	q, r := c.udivrem(c.muxWord(sx, c.neg(x), x), c.muxWord(sy, c.neg(y), y))
	quo, rem = c.muxWord(c.xor(sx, sy), c.neg(q), q), c.muxWord(sx, c.neg(r), r)
	return append(quo, repeat(quo[w-1], n-w)...), append(rem, repeat(rem[w-1], n-w)...)
}

// signed returns how many bits of x are left when its highest ones, as far as
// they are the same, are one.
func signed(x []lit) int {
	n := len(x)
	for n > 1 && x[n-1] == x[n-2] {
		n--
	}
	return n
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
