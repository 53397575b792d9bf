package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
)

// blaster turns expressions into circuits, each node once.
type blaster struct {
	b     *expr.Builder
	c     *circuit
	at    []uint32 // by node: 1+position in words, 0 if not yet made
	words []lit    // the signals of all nodes
}

func newBlaster(b *expr.Builder) *blaster {
	return &blaster{b: b, c: newCircuit()}
}

// truth returns the signal of e, of width 1.
func (bl *blaster) truth(e expr.Expr) lit { return bl.word(e)[0] }

// word returns the signals of e.
func (bl *blaster) word(e expr.Expr) []lit {
	bl.b.Walk(e, bl.made, bl.make)
	return bl.get(e)
}

func (bl *blaster) made(e expr.Expr) bool {
	i := e.Index()
	return i < len(bl.at) && bl.at[i] != 0
}

func (bl *blaster) get(e expr.Expr) []lit {
	from := int(bl.at[e.Index()]) - 1
	w := bl.words[from : from+bl.b.Width(e) : from+bl.b.Width(e)]
	if e.Complemented() {
		return not(w)
	}
	return w
}

// make builds the circuit of e, whose arguments have theirs.
func (bl *blaster) make(e expr.Expr) {
	w := bl.fix(e, bl.build(e))
	if dear(bl.b.Op(e)) {
		bl.c.markDear(w)
	}
	if n := bl.b.Len() + 1; n > len(bl.at) {
		bl.at = append(bl.at, make([]uint32, n-len(bl.at))...)
	}
	bl.at[e.Index()] = uint32(len(bl.words)) + 1
	bl.words = append(bl.words, w...)
}

// fix puts in the bits that are known without solving.
func (bl *blaster) fix(e expr.Expr, w []lit) []lit {
	if len(w) == 1 || len(w) > 64 || bl.b.IsConst(e) {
		return w
	}
	f := bl.b.Facts(e)
	if f.Zeros|f.Ones == 0 {
		return w
	}
	out := append([]lit(nil), w...)
	for i := range out {
		switch {
		case f.Zeros>>uint(i)&1 == 1:
			out[i] = low
		case f.Ones>>uint(i)&1 == 1:
			out[i] = high
		}
	}
	return out
}

func (bl *blaster) build(e expr.Expr) []lit {
	b, width := bl.b, bl.b.Width(e)
	switch b.Op(e) {
	case expr.OpConst:
		v, _ := b.Value(e)
		out := make([]lit, width)
		for i := range out {
			if v.Bit(i) {
				out[i] = high
			}
		}
		return out
	case expr.OpVar:
		return bl.c.inputs(width)
	case expr.OpRead:
		return bl.read(e)
	}
	x := bl.get(b.Arg(e, 0))
	switch b.Op(e) {
	case expr.OpExtract:
		return x[b.Lo(e) : b.Lo(e)+width]
	case expr.OpZExt:
		return append(append([]lit(nil), x...), word(0, width-len(x))...)
	case expr.OpSExt:
		out := append([]lit(nil), x...)
		for len(out) < width {
			out = append(out, x[len(x)-1])
		}
		return out
	case expr.OpITE:
		return bl.c.muxWord(x[0], bl.get(b.Arg(e, 1)), bl.get(b.Arg(e, 2)))
	}
	return bl.binary(b.Op(e), x, bl.get(b.Arg(e, 1)))
}

func (bl *blaster) binary(op expr.Op, x, y []lit) []lit {
	c := bl.c
	switch op {
	case expr.OpAnd, expr.OpXor:
		return bl.bitwise(op, x, y)
	case expr.OpAdd:
		sum, _ := c.add(x, y, low)
		return sum
	case expr.OpMul:
		return c.mul(x, y)
	case expr.OpUDiv:
		q, _ := c.divide(x, y, false)
		return q
	case expr.OpURem:
		_, r := c.divide(x, y, false)
		return r
	case expr.OpSDiv:
		q, _ := c.divide(x, y, true)
		return q
	case expr.OpSRem:
		_, r := c.divide(x, y, true)
		return r
	case expr.OpShl:
		return c.shift(x, y, true, low)
	case expr.OpLShr:
		return c.shift(x, y, false, low)
	case expr.OpAShr:
		return c.shift(x, y, false, x[len(x)-1])
	case expr.OpConcat:
		return append(append([]lit(nil), y...), x...)
	}
	return []lit{bl.compare(op, x, y)}
}

func (bl *blaster) bitwise(op expr.Op, x, y []lit) []lit {
	out := make([]lit, len(x))
	for i := range x {
		if op == expr.OpAnd {
			out[i] = bl.c.and(x[i], y[i])
		} else {
			out[i] = bl.c.xor(x[i], y[i])
		}
	}
	return out
}

func (bl *blaster) compare(op expr.Op, x, y []lit) lit {
	switch op {
	case expr.OpEq:
		return bl.c.eq(x, y)
	case expr.OpUlt:
		return bl.c.ult(x, y)
	case expr.OpSlt:
		return bl.c.slt(x, y)
	case expr.OpUMulOvf:
		return bl.c.umulOvf(x, y)
	case expr.OpSMulOvf:
		return bl.c.smulOvf(x, y)
	}
	panic("smt: no circuit for " + op.String())
}

// read builds an element of a table as a tree of choices, and an element of a
// free array as fresh inputs; arrays.go makes equal indices give equal elements.
func (bl *blaster) read(e expr.Expr) []lit {
	width := bl.b.Width(e)
	arr := bl.b.ArrayOf(e)
	if !bl.b.IsTable(arr) {
		return bl.c.inputs(width)
	}
	_, _, _, elems := bl.b.ArrayShape(arr)
	return bl.choose(bl.get(bl.b.Arg(e, 0)), elems, width)
}

// choose returns elems[index], 0 past the end.
func (bl *blaster) choose(index []lit, elems []uint64, width int) []lit {
	switch {
	case len(elems) == 0:
		return word(0, width)
	case len(index) == 0:
		return word(elems[0], width)
	}
	top := len(index) - 1
	split := len(elems)
	if top < 62 {
		split = min(split, 1<<top)
	}
	return bl.c.muxWord(index[top], bl.choose(index[:top], elems[split:], width), bl.choose(index[:top], elems[:split], width))
}
