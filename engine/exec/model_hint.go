package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// assumeHint is llvm.assume: what the compiler took for granted is checked.
func assumeHint(x *exec, c *callee) (*value, error) {
	v := c.args[0]
	if err := x.require(c.s, v.poison, UninitUse); err != nil {
		return nil, err
	}
	return nil, x.require(c.s, x.b.Not(v.e), AssumeFalse)
}

func firstArgument(_ *exec, c *callee) (*value, error) { return c.args[0], nil }

func nothing(*exec, *callee) (*value, error) { return nil, nil }

func trap(x *exec, c *callee) (*value, error) {
	x.fails(c.s, expr.True, x.site(Trap, -1, c.s.top.place()))
	return nil, errOver
}

// unknownSize is llvm.objectsize where nothing is known: 0 if the minimum is asked for, else -1.
func unknownSize(x *exec, c *callee) (*value, error) {
	x.note("what the compiler knows of the size of an object (llvm.objectsize) is nothing")
	width := c.in.Type.Bits
	return intValue(x.b.ITE(c.args[1].e, x.b.Const(0, width), x.b.ConstInt(-1, width))), nil
}

func stackSave(x *exec, c *callee) (*value, error) {
	return x.pointer(noObject, x.b.Const(0, 64)), nil
}

// ptrMask clears bits of an address; the pointer keeps its object.
func ptrMask(x *exec, c *callee) (*value, error) {
	b := x.b
	p, m := c.args[0], c.args[1]
	out := make([]alt, 0, len(p.ptr))
	for _, a := range p.ptr {
		addr := x.addressOf(a)
		cut := b.Sub(addr, b.And(addr, x.resize(m.e, 64)))
		out = append(out, alt{guard: a.guard, obj: a.obj, off: b.Sub(a.off, cut)})
	}
	return &value{ptr: out, poison: b.Or(p.poison, m.poison)}, nil
}

// lifetimeStart makes a stack object's content uninitialised.
func lifetimeStart(x *exec, c *callee) (*value, error) { return nil, x.lifetime(c, expr.False) }

// lifetimeEnd ends it: the object must not be touched until it starts again.
func lifetimeEnd(x *exec, c *callee) (*value, error) { return nil, x.lifetime(c, expr.True) }

func (x *exec) lifetime(c *callee, dead expr.Expr) error {
	p := c.args[len(c.args)-1]
	if p.poison != expr.False || len(p.ptr) != 1 {
		return stopf("lifetime of more than one object")
	}
	id := p.ptr[0].obj
	if x.infos[id].kind != objStack {
		return nil
	}
	if c.s.object(id) == nil {
		return nil
	}
	o := x.own(c.s, id)
	o.dead = dead
	o.top = &layer{owner: c.s.owner, base: x.infos[id].base, pages: map[int64]*page{}}
	return nil
}
