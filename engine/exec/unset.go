package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// unsetInput is why it is not known whether bytes of a MaybeUninit are initialised: no type says it,
// and no witness has inputs that are not.
const unsetInput = "an input that may be uninitialised"

// unsetAt says where the byte at an offset of an input is uninitialised, if its type allows that.
func (x *exec) unsetAt(in *input, off expr.Expr) expr.Expr {
	if in.unset == nil {
		a := x.b.FreeArray(in.name+" unset", 64, 1)
		in.unset = &a
	}
	return x.foreignRead(*in.unset, off, unsetInput)
}

// perhapsUnset is the input v of an integer type, a part of which may be uninitialised if its shape says so.
func (x *exec) perhapsUnset(name string, v expr.Expr, sh *ir.Shape) *value {
	out := intValue(v)
	if !maybeUnset(sh) {
		return out
	}
	out.poison, out.exact = x.b.Var(name+" unset", 1), true
	src := x.b.Support(out.poison)[0]
	x.foreign[src], x.content[src] = unsetInput, true
	return out
}

// maybeUnset reports whether a shape has bytes that may be uninitialised, besides those between its fields.
func maybeUnset(sh *ir.Shape) bool {
	fields := func(fs []ir.Shape) bool {
		return slices.ContainsFunc(fs, func(f ir.Shape) bool { return maybeUnset(&f) })
	}
	switch sh.Kind {
	case ir.ShapeArray:
		return sh.Elem != nil && maybeUnset(sh.Elem)
	case ir.ShapeStruct, ir.ShapeEnum:
		return fields(sh.Fields) || slices.ContainsFunc(sh.Variants, func(v ir.Variant) bool { return fields(v.Fields) })
	}
	return sh.Unset
}
