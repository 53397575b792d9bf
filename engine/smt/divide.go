package smt

import "encoding/binary"

// That a remainder is nearer to 0 than the divisor follows from the circuit that
// divides, but only by induction over all its steps, which SAT does not find. So
// remainders are fresh inputs under a law: they are what the circuit gives, and
// they are that small. The first half alone determines them; the second says
// nothing but what is true of it.

// division is one that was made.
type division struct{ quo, rem []lit }

// divide returns quotient and remainder of x by y as SMT-LIB wants them.
func (c *circuit) divide(x, y []lit, sign bool) (quo, rem []lit) {
	key := divisionKey(x, y, sign)
	d, ok := c.divisions[key]
	if !ok {
		d = c.newDivision(x, y, sign)
		c.divisions[key] = d
	}
	return d.quo, d.rem
}

func divisionKey(x, y []lit, sign bool) string {
	key := make([]byte, 0, 8*len(x)+1)
	for _, w := range [2][]lit{x, y} {
		for _, l := range w {
			key = binary.LittleEndian.AppendUint32(key, uint32(l))
		}
	}
	if sign {
		key = append(key, 's')
	}
	return string(key)
}

func (c *circuit) newDivision(x, y []lit, sign bool) division {
	div, small := c.udivrem, c.uremSmall
	if sign {
		div, small = c.sdivrem, c.sremSmall
	}
	quo, computed := div(x, y)
	rem, fresh := c.standIns(computed)
	law := c.and(c.eq(rem, computed), small(rem, x, y))
	c.bind(law, fresh)
	return division{quo, rem}
}

// standIns returns a word like x of fresh inputs, and those. Where x is constant
// so is the word, and where signals are the same they stay the same.
func (c *circuit) standIns(x []lit) (out, fresh []lit) {
	out = make([]lit, len(x))
	inputs := map[uint32]lit{0: low}
	for i, l := range x {
		in, ok := inputs[l.gate()]
		if !ok {
			in = c.input()
			inputs[l.gate()] = in
			fresh = append(fresh, in)
		}
		out[i] = in ^ l&1
	}
	return out, fresh
}

// uremSmall returns whether rem is below y, or y is 0.
func (c *circuit) uremSmall(rem, _, y []lit) lit { return c.or(c.ult(rem, y), c.any(y)^1) }

// sremSmall returns whether rem is 0 or has the sign of x, and is nearer to 0
// than y, or y is 0. One more bit holds -MIN.
func (c *circuit) sremSmall(rem, x, y []lit) lit {
	n := len(x)
	sx, sy, sr := x[n-1], y[n-1], rem[n-1]
	r, limit := extend(rem, sr), extend(y, sy)
	limit = c.muxWord(sy, c.neg(limit), limit)
	near := c.and(c.slt(r, limit), c.slt(c.neg(limit), r))
	sameSign := c.or(c.xor(sr, sx)^1, c.any(rem)^1)
	return c.and(sameSign, c.or(near, c.any(y)^1))
}

// inputs returns a word of fresh inputs.
func (c *circuit) inputs(width int) []lit {
	out := make([]lit, width)
	for i := range out {
		out[i] = c.input()
	}
	return out
}

// bind makes inputs ones that the law determines, whatever the other inputs are.
// SAT is told that it holds when it is told of any of them.
func (c *circuit) bind(law lit, inputs []lit) {
	for _, l := range inputs {
		c.gates[l.gate()] = gate{kind: gateBound, a: law}
	}
}
