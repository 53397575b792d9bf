package exec

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// atomicTypes are the families of the kernel's atomic helpers.
var atomicTypes = map[string]*ir.Type{
	"rust_helper_atomic_": ir.I32, "rust_helper_atomic64_": ir.I64,
	"rust_helper_atomic_i8_": ir.I8, "rust_helper_atomic_i16_": ir.I16, "rust_helper_atomic_ptr_": ir.PtrType,
}

// atomicModels are the models of the atomic helpers, each in its four orderings.
func atomicModels() map[string]model {
	out := map[string]model{}
	add := func(prefix, op string, m model) {
		for _, order := range []string{"", "_acquire", "_release", "_relaxed"} {
			out[prefix+op+order] = m
		}
	}
	for prefix, t := range atomicTypes {
		add(prefix, "read", atomicRead(t))
		add(prefix, "set", atomicSet(t))
		add(prefix, "xchg", atomicChange(t, 0, func(_ *expr.Builder, _, v expr.Expr) expr.Expr { return v }, false))
		add(prefix, "try_cmpxchg", atomicTryCmpXchg(t))
		if t.Kind != ir.Int || strings.Contains(prefix, "_i") {
			continue
		}
		for op, f := range atomicOps {
			add(prefix, op, atomicChange(t, 1, f, false))
			add(prefix, "fetch_"+op, atomicChange(t, 1, f, false))
			add(prefix, op+"_return", atomicChange(t, 1, f, true))
		}
	}
	return out
}

var atomicOps = map[string]func(b *expr.Builder, old, v expr.Expr) expr.Expr{
	"add": (*expr.Builder).Add, "sub": (*expr.Builder).Sub, "and": (*expr.Builder).And, "or": (*expr.Builder).Or, "xor": (*expr.Builder).Xor,
	"andnot": func(b *expr.Builder, old, v expr.Expr) expr.Expr { return b.And(old, b.Not(v)) },
	"inc":    func(b *expr.Builder, old, _ expr.Expr) expr.Expr { return b.Add(old, b.Const(1, b.Width(old))) },
	"dec":    func(b *expr.Builder, old, _ expr.Expr) expr.Expr { return b.Sub(old, b.Const(1, b.Width(old))) },
}

const sequential = "atomics are sequential"

func atomicRead(t *ir.Type) model {
	return func(x *exec, c *callee) (*value, error) {
		x.note(sequential)
		return x.loadType(c.s, c.args[0], t, t.Align())
	}
}

func atomicSet(t *ir.Type) model {
	return func(x *exec, c *callee) (*value, error) {
		x.note(sequential)
		return nil, x.storeType(c.s, c.args[0], c.args[1], t, t.Align())
	}
}

// atomicChange replaces a value and returns the old or the new one. The address
// is argument at, unless it is the only one; the operand is the other.
func atomicChange(t *ir.Type, at int, f func(b *expr.Builder, old, v expr.Expr) expr.Expr, fresh bool) model {
	return func(x *exec, c *callee) (*value, error) {
		x.note(sequential)
		p, v := c.args[0], c.args[0]
		if len(c.args) > 1 {
			p, v = c.args[at], c.args[1-at]
		}
		old, err := x.loadType(c.s, p, t, t.Align())
		if err != nil {
			return nil, err
		}
		after := v
		if t.Kind == ir.Int {
			after = &value{e: f(x.b, x.asInt(old), x.resize(x.asInt(v), t.Bits)), poison: x.b.Or(old.poison, v.poison)}
		}
		if err := x.storeType(c.s, p, after, t, t.Align()); err != nil {
			return nil, err
		}
		switch {
		case c.in.Type.Kind == ir.Void:
			return nil, nil
		case fresh:
			return after, nil
		}
		return old, nil
	}
}

// atomicTryCmpXchg is try_cmpxchg(p, *expected, v): what was there goes to *expected if it differs.
func atomicTryCmpXchg(t *ir.Type) model {
	return func(x *exec, c *callee) (*value, error) {
		x.note(sequential)
		old, err := x.loadType(c.s, c.args[0], t, t.Align())
		if err != nil {
			return nil, err
		}
		want, err := x.loadType(c.s, c.args[1], t, t.Align())
		if err != nil {
			return nil, err
		}
		// What is stored hangs on the comparison, as a way does on a branch's condition.
		if err := x.require(c.s, x.b.Or(old.poison, want.poison), UninitUse); err != nil {
			return nil, err
		}
		eq := x.b.Eq(x.asInt(old), x.asInt(want))
		if err := x.storeType(c.s, c.args[0], x.choose(eq, c.args[2], old), t, t.Align()); err != nil {
			return nil, err
		}
		if err := x.storeType(c.s, c.args[1], x.choose(eq, want, old), t, t.Align()); err != nil {
			return nil, err
		}
		return intValue(x.resize(eq, c.in.Type.Bits)), nil
	}
}
