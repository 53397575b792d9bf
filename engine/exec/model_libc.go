package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// libcAlign is what C's allocators guarantee on the targets, in bytes.
const libcAlign = 16

// cAllocate is malloc(size).
func cAllocate(x *exec, c *callee) (*value, error) {
	v, err := allocate(x, c)
	if err == nil {
		x.align(v, intValue(x.b.Const(libcAlign, 64)))
	}
	return v, err
}

// cZeroed is calloc(n, size): null also where their product is too large.
func cZeroed(x *exec, c *callee) (*value, error) {
	b := x.b
	if err := x.require(c.s, x.poisonAll(c.args), UninitUse); err != nil {
		return nil, err
	}
	n, size := x.resize(c.args[0].e, 64), x.resize(c.args[1].e, 64)
	v := x.fresh(c, b.Mul(n, size), expr.True)
	x.align(v, intValue(b.Const(libcAlign, 64)))
	return x.choose(b.UMulOvf(n, size), x.pointer(noObject, b.Const(0, 64)), v), nil
}

// cReallocate is realloc(p, size). What it does for no bytes C does not say.
func cReallocate(x *exec, c *callee) (*value, error) {
	if err := x.require(c.s, c.args[1].poison, UninitUse); err != nil {
		return nil, err
	}
	none := x.b.IsZero(x.resize(c.args[1].e, 64))
	if none == expr.True {
		return nil, stopf("realloc of no bytes")
	}
	if ok, _ := x.feasible(c.s, none); ok {
		if err := x.give(c.s, none, &stop{reason: "realloc of no bytes"}); err != nil {
			return nil, err
		}
	}
	v, err := reallocate(x, c)
	if err == nil {
		x.align(v, intValue(x.b.Const(libcAlign, 64)))
	}
	return v, err
}

// cRelease is free(p): unlike the kernel's it does not know an address that stands for no bytes.
func cRelease(x *exec, c *callee) (*value, error) {
	bad := expr.False
	for _, a := range x.asPtr(c.args[0]) {
		if a.obj == noObject {
			bad = x.b.Or(bad, x.b.And(a.guard, x.nonzero(a.off)))
		}
	}
	bad = x.b.And(bad, x.b.Not(c.args[0].poison)) // release looks at poison first
	if err := x.require(c.s, bad, BadFree); err != nil {
		return nil, err
	}
	return release(x, c)
}

// leave is exit: the run ends well.
func leave(x *exec, c *callee) (*value, error) { return nil, x.reachEnd(c.s) }

// assertFail is what C's assert calls when it does not hold.
func assertFail(x *exec, c *callee) (*value, error) {
	x.fails(c.s, expr.True, x.site(Assert, -1, c.s.top.place()))
	return nil, errOver
}
