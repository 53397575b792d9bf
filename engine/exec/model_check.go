package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// dynamic is an input that the run asked for, under the condition of the path that asked.
type dynamic struct {
	name string // "any" or "fail"
	e    expr.Expr
	pc   *cond
	here expr.Expr // narrows pc: byte i of a buffer is asked for only if the buffer is longer than i
}

// input makes a fresh dynamic input.
func (x *exec) ask(s *state, name string, width int, here expr.Expr) expr.Expr {
	v := x.b.Var(fmt.Sprintf("%s%d", name, len(x.dynamic)), width)
	if !s.general { // no witness runs through a generalised loop
		x.dynamic = append(x.dynamic, dynamic{name, v, s.pc, here})
	}
	return v
}

func anyInt(x *exec, c *callee) (*value, error) {
	return intValue(x.ask(c.s, "any", c.in.Type.Bits, expr.True)), nil
}

// anyBool asks for 0 or 1; the C type behind it may be wider than a bit.
func anyBool(x *exec, c *callee) (*value, error) {
	v := x.ask(c.s, "any", c.in.Type.Bits, expr.True)
	x.axiom(x.b.Ule(v, x.b.Const(1, c.in.Type.Bits)))
	return intValue(v), nil
}

// anyBytes fills a buffer with inputs.
func anyBytes(x *exec, c *callee) (*value, error) {
	n, most, err := x.length(c.s, c.args[1])
	if err != nil || most == 0 {
		return nil, err
	}
	at, err := x.span(c.s, c.args[0], n, 1, true)
	if err != nil {
		return nil, err
	}
	for i := int64(0); i < most; i++ {
		if x.exhausted() {
			return nil, stopf("budget")
		}
		in := x.b.Ult(x.b.Const(uint64(i), 64), n)
		v := intValue(x.ask(c.s, "any", 8, in))
		if err := x.write(c.s, x.narrowed(x.shiftAlts(at, i), in), v, 1); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// checkAssume drops the paths where its argument does not hold.
func checkAssume(x *exec, c *callee) (*value, error) {
	v := c.args[0]
	if err := x.require(c.s, v.poison, UninitUse); err != nil {
		return nil, err
	}
	return nil, x.assume(c.s, x.nonzero(v.e))
}

func checkAssert(x *exec, c *callee) (*value, error) {
	v := c.args[0]
	if err := x.require(c.s, v.poison, UninitUse); err != nil {
		return nil, err
	}
	x.meet(c.s, x.site(Assert, -1, c.s.top.place()))
	return nil, x.require(c.s, x.b.Not(x.nonzero(v.e)), Assert)
}

func (x *exec) nonzero(e expr.Expr) expr.Expr { return x.b.Not(x.b.IsZero(e)) }
