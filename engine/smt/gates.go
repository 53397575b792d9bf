package smt

import "math"

// lit is a signal: a gate and, in the lowest bit, its complement.
type lit uint32

const (
	low  lit = 0 // constant false
	high lit = 1
)

func (l lit) gate() uint32 { return uint32(l >> 1) }

type gateKind uint8

// The kinds of gate. Three inputs where a clause form of its own is smaller
// than that of the gates it could be made of.
const (
	gateInput gateKind = iota
	gateAnd
	gateXor
	gateXor3  // sum of three bits
	gateMaj   // carry of three bits
	gateMux   // a ? b : c
	gateBound // an input that the law a determines
)

type gate struct {
	kind    gateKind
	dear    bool // what it is made of is left out of a sketch
	a, b, c lit
}

// circuit is a graph of gates with structural hashing.
type circuit struct {
	gates  []gate
	table  []uint32
	marks  []uint32 // by gate: when it was last visited
	mark   uint32
	cones  uint32 // mark of the last cone
	stack  []lit
	inCone []uint32 // gates of the last cone
	// walked counts the gates that were visited, over and over.
	walked  int64
	anyDear bool // some gate is

	divisions map[string]division // by signals
}

func newCircuit() *circuit {
	return &circuit{
		gates:     make([]gate, 1, 1024), // gate 0 is the constant
		table:     make([]uint32, 2048),
		divisions: map[string]division{},
	}
}

func (c *circuit) input() lit {
	c.gates = append(c.gates, gate{kind: gateInput})
	return lit(len(c.gates)-1) << 1
}

func (c *circuit) and(x, y lit) lit {
	if x > y {
		x, y = y, x
	}
	switch {
	case x == low || x == y^1:
		return low
	case x == high || x == y:
		return y
	}
	if l, ok := c.twoLevelAnd(x, y); ok {
		return l
	}
	return c.find(gateAnd, x, y, 0)
}

// twoLevelAnd looks one gate deep for absorption and contradiction.
func (c *circuit) twoLevelAnd(x, y lit) (lit, bool) {
	for range 2 {
		if g := &c.gates[x.gate()]; g.kind == gateAnd {
			in := g.a == y || g.b == y
			out := g.a == y^1 || g.b == y^1
			switch {
			case x&1 == 0 && in: // (y & b) & y
				return x, true
			case x&1 == 0 && out: // (~y & b) & y
				return low, true
			case x&1 == 1 && out: // ~(~y & b) & y
				return y, true
			case x&1 == 1 && g.a == y: // ~(y & b) & y
				return c.and(g.b^1, y), true
			case x&1 == 1 && g.b == y:
				return c.and(g.a^1, y), true
			}
		}
		x, y = y, x
	}
	return low, false
}

func (c *circuit) or(x, y lit) lit { return c.and(x^1, y^1) ^ 1 }

func (c *circuit) xor(x, y lit) lit {
	mark := (x ^ y) & 1
	x, y = x&^1, y&^1
	if x > y {
		x, y = y, x
	}
	switch {
	case x == y:
		return mark
	case x == low:
		return y ^ mark
	}
	return c.find(gateXor, x, y, 0) ^ mark
}

func (c *circuit) xor3(x, y, z lit) lit {
	mark := (x ^ y ^ z) & 1
	x, y, z = order3(x&^1, y&^1, z&^1)
	if x == low || x == y || y == z {
		return c.xor(c.xor(x, y), z) ^ mark
	}
	return c.find(gateXor3, x, y, z) ^ mark
}

func (c *circuit) maj(x, y, z lit) lit {
	x, y, z = order3(x, y, z)
	switch {
	case x == low:
		return c.and(y, z)
	case x == high:
		return c.or(y, z)
	case x == y || y == z:
		return y
	case x == y^1:
		return z
	case y == z^1:
		return x
	}
	mark := x & 1 // the majority of complements is the complement of the majority
	return c.find(gateMaj, x^mark, y^mark, z^mark) ^ mark
}

func (c *circuit) mux(s, x, y lit) lit {
	if s&1 == 1 {
		s, x, y = s^1, y, x
	}
	switch {
	case s == low:
		return y
	case x == y:
		return x
	case x == y^1:
		return c.xor(s, y)
	case x == low || x == s^1:
		return c.and(s^1, y)
	case x == high || x == s:
		return c.or(s, y)
	case y == low || y == s:
		return c.and(s, x)
	case y == high || y == s^1:
		return c.or(s^1, x)
	}
	mark := x & 1
	return c.find(gateMux, s, x^mark, y^mark) ^ mark
}

func order3(x, y, z lit) (lit, lit, lit) {
	if x > y {
		x, y = y, x
	}
	if y > z {
		y, z = z, y
	}
	if x > y {
		x, y = y, x
	}
	return x, y, z
}

func (c *circuit) find(kind gateKind, x, y, z lit) lit {
	size := uint32(len(c.table))
	for i := hashGate(kind, x, y, z) & (size - 1); ; i = (i + 1) & (size - 1) {
		id := c.table[i]
		if id == 0 {
			id = uint32(len(c.gates))
			c.gates = append(c.gates, gate{kind: kind, a: x, b: y, c: z})
			c.table[i] = id
			if 2*len(c.gates) > len(c.table) {
				c.grow()
			}
			return lit(id << 1)
		}
		if g := &c.gates[id]; g.a == x && g.b == y && g.c == z && g.kind == kind {
			return lit(id << 1)
		}
	}
}

func (c *circuit) grow() {
	c.table = make([]uint32, 2*len(c.table))
	size := uint32(len(c.table))
	for id := 1; id < len(c.gates); id++ {
		g := &c.gates[id]
		if g.kind == gateInput || g.kind == gateBound {
			continue
		}
		i := hashGate(g.kind, g.a, g.b, g.c) & (size - 1)
		for c.table[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		c.table[i] = uint32(id)
	}
}

func hashGate(kind gateKind, x, y, z lit) uint32 {
	const k = 0x9e3779b97f4a7c15
	h := (uint64(x)<<32 | uint64(y)) * k
	h = (h ^ h>>29 ^ uint64(z)<<8 ^ uint64(kind)) * k
	return uint32(h >> 32)
}

// cone counts the gates that roots depend on, themselves included.
func (c *circuit) cone(roots []lit) int { return c.coneWithin(roots, math.MaxInt) }

// coneWithin is cone that ends where it comes to more than limit gates.
func (c *circuit) coneWithin(roots []lit, limit int) int { return c.walk(roots, limit, false) }

// walk is coneWithin; a sketch ends at gates that are dear.
func (c *circuit) walk(roots []lit, limit int, sketch bool) int {
	c.mark++
	c.cones = c.mark
	if n := len(c.gates) - len(c.marks); n > 0 {
		c.marks = append(c.marks, make([]uint32, n)...)
	}
	stack := append(c.stack[:0], roots...)
	c.inCone = c.inCone[:0]
	for len(stack) > 0 && len(c.inCone) <= limit {
		id := stack[len(stack)-1].gate()
		stack = stack[:len(stack)-1]
		if c.marks[id] == c.mark {
			continue
		}
		c.marks[id] = c.mark
		c.inCone = append(c.inCone, id)
		if g := &c.gates[id]; g.kind != gateInput && !(sketch && g.dear) {
			stack = append(stack, g.a, g.b, g.c) // an unused input is the constant
		}
	}
	n := len(c.inCone)
	c.stack, c.walked = stack, c.walked+int64(n)
	return n
}

// extends counts the gates that l depends on and the last cone does not have,
// up to limit, and reports whether the two have gates in common.
func (c *circuit) extends(l lit, limit int) (extra int, related bool) {
	cone := c.cones
	c.mark++
	stack := append(c.stack[:0], l)
	for len(stack) > 0 && extra < limit {
		id := stack[len(stack)-1].gate()
		stack = stack[:len(stack)-1]
		switch {
		case id == 0 || c.marks[id] == c.mark:
		case c.marks[id] == cone:
			related = true
		default:
			c.marks[id] = c.mark
			extra++
			if g := &c.gates[id]; g.kind != gateInput {
				stack = append(stack, g.a, g.b, g.c)
			}
		}
	}
	c.stack, c.walked = stack, c.walked+int64(extra)
	return extra, related
}
