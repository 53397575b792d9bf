package exec

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// operation returns the name of an intrinsic without its prefix and types: "umin", "uadd.sat".
func (c *callee) operation() string {
	name := strings.TrimPrefix(c.name, "llvm.")
	for _, op := range []string{"with.overflow", "sat"} {
		if i := strings.Index(name, "."+op); i >= 0 {
			return name[:i+1+len(op)]
		}
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

func (c *callee) scalar() error {
	for _, a := range c.args {
		if a.e == expr.None {
			return stopf("unsupported: %s of other than integers", c.name)
		}
	}
	return nil
}

func (x *exec) poisonAll(args []*value) expr.Expr {
	p := expr.False
	for _, a := range args {
		p = x.b.Or(p, a.poison)
	}
	return p
}

func withOverflow(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	b, l, r := x.b, c.args[0].e, c.args[1].e
	var e, ovf expr.Expr
	switch c.operation() {
	case "uadd.with.overflow":
		e, ovf = b.Add(l, r), b.UAddOvf(l, r)
	case "sadd.with.overflow":
		e, ovf = b.Add(l, r), b.SAddOvf(l, r)
	case "usub.with.overflow":
		e, ovf = b.Sub(l, r), b.USubOvf(l, r)
	case "ssub.with.overflow":
		e, ovf = b.Sub(l, r), b.SSubOvf(l, r)
	case "umul.with.overflow":
		e, ovf = b.Mul(l, r), b.UMulOvf(l, r)
	default:
		e, ovf = b.Mul(l, r), b.SMulOvf(l, r)
	}
	p := x.poisonAll(c.args)
	return &value{agg: []*value{{e: e, poison: p}, {e: ovf, poison: p}}, poison: expr.False}, nil
}

func binaryInt(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	b := x.b
	op := map[string]func(l, r expr.Expr) expr.Expr{
		"uadd.sat": b.UAddSat, "usub.sat": b.USubSat, "sadd.sat": b.SAddSat, "ssub.sat": b.SSubSat,
		"umin": b.UMin, "umax": b.UMax, "smin": b.SMin, "smax": b.SMax,
	}[c.operation()]
	return &value{e: op(c.args[0].e, c.args[1].e), poison: x.poisonAll(c.args)}, nil
}

func unaryInt(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	op := map[string]func(expr.Expr) expr.Expr{"ctpop": x.b.PopCount, "bswap": x.b.BSwap, "bitreverse": x.b.BitReverse}[c.operation()]
	return &value{e: op(c.args[0].e), poison: c.args[0].poison}, nil
}

// countZeros is ctlz and cttz; where the second argument is true, zero gives poison.
func countZeros(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	v := c.args[0].e
	e := x.b.CTZ(v)
	if c.operation() == "ctlz" {
		e = x.b.CLZ(v)
	}
	return &value{e: e, poison: x.b.Or(x.poisonAll(c.args), x.b.And(c.args[1].e, x.b.IsZero(v)))}, nil
}

// absolute is abs; where the second argument is true, MIN gives poison.
func absolute(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	v := c.args[0].e
	e := x.b.Abs(v)
	least := x.b.And(x.b.Sign(v), x.b.Sign(e)) // only MIN stays negative
	return &value{e: e, poison: x.b.Or(x.poisonAll(c.args), x.b.And(c.args[1].e, least))}, nil
}

func funnel(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	op := x.b.FunnelShl
	if c.operation() == "fshr" {
		op = x.b.FunnelShr
	}
	return &value{e: op(c.args[0].e, c.args[1].e, c.args[2].e), poison: x.poisonAll(c.args)}, nil
}

// threeWay is -1, 0 or 1.
func threeWay(x *exec, c *callee) (*value, error) {
	if err := c.scalar(); err != nil {
		return nil, err
	}
	b, l, r := x.b, c.args[0].e, c.args[1].e
	less := b.Ult
	if c.operation() == "scmp" {
		less = b.Slt
	}
	width := c.in.Type.Bits
	e := b.ITE(less(l, r), b.ConstInt(-1, width), b.ITE(b.Eq(l, r), b.Const(0, width), b.Const(1, width)))
	return &value{e: e, poison: x.poisonAll(c.args)}, nil
}
