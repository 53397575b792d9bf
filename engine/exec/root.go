package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// input is an object behind a reference or pointer of an automatic root: its
// content is made by shape when it is first looked at.
type input struct {
	id    int
	name  string
	shape *ir.Shape // of one element; nil: plain bytes
	array expr.Array
	unset *expr.Array     // of bits: which of the bytes that may be uninitialised are so; nil until one is looked at
	words map[int64]*cell // made pointers, by offset
}

// rootInput is an input of an automatic root that the witness names.
type rootInput struct {
	name string
	e    expr.Expr
}

// start makes the state at the root's first instruction.
func (x *exec) start() (*state, error) {
	fl := x.flows[x.slice.Root]
	s := &state{owner: new(token), loose: expr.False}
	regs := make([]*value, fl.fn.NumReg)
	for i := range fl.fn.Sig.Params {
		var before *value
		if i > 0 {
			before = regs[i-1]
		}
		v, err := x.parameter(s, i, &fl.fn.Sig.Params[i], before)
		if err != nil {
			return nil, err
		}
		regs[i] = v
	}
	s.top = &frame{flow: fl, regs: regs}
	s.top.enter(0)
	return s, nil
}

// parameter makes one parameter of the root from its shape and attributes; before
// is the one before it.
func (x *exec) parameter(s *state, i int, p *ir.Param, before *value) (*value, error) {
	name := fmt.Sprintf("arg%d", i)
	sh := &ir.Shape{Kind: ir.ShapeBits, Size: p.Type.StoreSize()}
	if p.Type.Kind == ir.Ptr {
		sh = pointerShape(&p.Attr)
	}
	if in := x.slice.Inputs; in != nil && i < len(in.Params) {
		sh = &in.Params[i]
	}
	switch p.Type.Kind {
	case ir.Int:
		v := x.rootVar(name, p.Type.Bits)
		if bad := x.outOfRange(intValue(v), &p.Attr, p.Type); bad != expr.False {
			x.axiom(x.b.Not(bad))
		}
		x.inShape(v, sh)
		return x.perhapsUnset(name, v, sh), nil
	case ir.Ptr:
		if sh.Kind == ir.ShapeIterEnd {
			return x.endOf(before), nil
		}
		v, err := x.rootPointer(name, sh, expr.True, x.lengthOf(i, sh), &p.Attr)
		if err == nil {
			x.exclusive(v, &p.Attr, sh)
		}
		return v, err
	}
	return nil, stopf("unsupported: parameter of type %v", p.Type)
}

// exclusive notes who else may touch what a parameter points to: nobody, where
// it is noalias, unless they are told of it; readonly besides means that nobody writes.
func (x *exec) exclusive(v *value, at *ir.Attr, sh *ir.Shape) {
	for _, a := range v.ptr {
		switch o := x.infos[a.obj]; {
		case isNumber(a.obj):
		case at.NoAlias:
			o.own, o.frozen = true, at.ReadOnly
		case sh.Kind != ir.ShapeRawPtr:
			x.presumed.shared = true
		}
	}
}

// pointerShape is the shape of a pointer of which only attributes are known.
func pointerShape(at *ir.Attr) *ir.Shape {
	sh := &ir.Shape{Kind: ir.ShapeRawPtr, Null: !at.NonNull && at.Deref == 0}
	if at.SRet != nil {
		return &ir.Shape{Kind: ir.ShapeRef, Elem: &ir.Shape{Kind: ir.ShapeBits, Size: at.SRet.Size()}, Mut: true}
	}
	return sh
}

// lengthOf returns the parameter that holds the length of the slice at parameter i.
func (x *exec) lengthOf(i int, sh *ir.Shape) expr.Expr {
	if sh.Kind != ir.ShapeSlicePtr && sh.Kind != ir.ShapeStr {
		return expr.None
	}
	return x.rootVar(fmt.Sprintf("arg%d", i+1), 64)
}

// rootVar returns the variable of a root input, one for each name.
func (x *exec) rootVar(name string, width int) expr.Expr {
	for _, r := range x.rootInputs {
		if r.name == name {
			return r.e
		}
	}
	v := x.b.Var(name, width)
	x.rootInputs = append(x.rootInputs, rootInput{name, v})
	return v
}

// inShape restricts an integer to the ranges of its shape. A structure that
// comes in one register has its fields at the bits of their offsets.
func (x *exec) inShape(v expr.Expr, sh *ir.Shape) {
	switch sh.Kind {
	case ir.ShapeSliceLen:
		x.axiom(x.b.Sle(x.b.Const(0, 64), v))
	case ir.ShapeRange:
		x.axiom(x.inSpans(v, sh.Ranges))
	case ir.ShapeStruct:
		for i := range sh.Fields {
			f := &sh.Fields[i]
			if at, n := int(8*f.Off), int(8*f.Size); at+n <= x.b.Width(v) {
				x.inShape(x.b.Extract(v, at, n), f)
			}
		}
	}
}

func (x *exec) inSpans(v expr.Expr, spans []ir.Span) expr.Expr {
	b, w := x.b, x.b.Width(v)
	out := expr.False
	for _, r := range spans {
		lo, hi := b.ConstBig(r.Lo, w), b.ConstBig(r.Hi, w)
		out = b.Or(out, b.And(b.Ule(lo, v), b.Ule(v, hi)))
	}
	return out
}

// maxRoot bounds the size of an object behind a raw pointer, in bytes.
const maxRoot = ir.MaxWhole

// wholes is what is assumed of the pointers in an Arc and its like. Nothing in
// their type excludes that less is there, but no constructor does that.
const wholes = "an Arc, ARef, Box or the like leads to all of what it owns"

// iterators is what is assumed of the two pointers in a slice's iterator, which nobody else can make.
const iterators = "the pointers in a slice's iterator are those of a slice"

// endOf is the pointer to the end of the inputs that begin points to.
func (x *exec) endOf(begin *value) *value {
	out := &value{poison: begin.poison, exact: begin.exact}
	for _, a := range x.asPtr(begin) {
		if !isNumber(a.obj) {
			a.off = x.b.Add(a.off, x.infos[a.obj].size)
		}
		out.ptr = append(out.ptr, a)
	}
	return out
}

// promised returns the size of the object behind a pointer of which no type
// says it: at most maxRoot, and at least what an attribute promises.
func (x *exec) promised(name string, deref int64) expr.Expr {
	size := x.rootVar(name+".size", 64)
	x.axiom(x.b.Ule(size, x.b.Const(maxRoot, 64)))
	x.axiom(x.b.Ule(x.b.Const(uint64(deref), 64), size))
	return size
}

// rootPointer makes a pointer input and the object behind it, which is aligned
// for its type and as at says, no more. here says in which runs the place that
// the pointer comes from holds it.
func (x *exec) rootPointer(name string, sh *ir.Shape, here, length expr.Expr, at *ir.Attr) (*value, error) {
	b, deref := x.b, max(at.Deref, at.DerefOrNull)
	isNull := expr.False
	if sh.Null {
		isNull = x.rootVar(name+".null", 1)
	}
	o := info{kind: objInput, name: name, align: max(1, at.Align), least: max(1, at.Align), base: &base{kind: baseInput}}
	if sh.Elem != nil {
		o.align = max(o.align, sh.Elem.Align)
	}
	in := &input{name: name, shape: sh.Elem, words: map[int64]*cell{}}
	in.array = b.FreeArray(name, 64, 8)
	o.base.input = in
	switch sh.Kind {
	case ir.ShapeRef:
		if sh.Elem == nil {
			return nil, stopf("shape of %s is not known", name)
		}
		o.size = b.Const(uint64(max(sh.Elem.Size, deref)), 64)
	case ir.ShapeSlicePtr, ir.ShapeStr, ir.ShapeIter:
		if sh.Kind == ir.ShapeIter {
			length = x.rootVar(name+".count", 64)
			x.note(iterators)
		}
		unit := int64(1)
		if sh.Elem != nil {
			unit = sh.Elem.Size
		}
		o.exists = b.And(here, b.Not(isNull))
		if unit > 0 {
			x.axiom(b.Implies(o.exists, b.Ule(length, b.Const(uint64(1<<63-1)/uint64(unit), 64))))
		}
		o.size = b.Mul(length, b.Const(uint64(unit), 64))
		if sh.Kind == ir.ShapeStr {
			x.note("strings are not checked to be UTF-8")
		}
	case ir.ShapeOpaque:
		x.presumed.raw, o.raw = true, true
		o.size = x.promised(name, deref)
		o.base.kind = baseUnknown
	default:
		if sh.Whole {
			x.note(wholes)
			deref = max(deref, sh.Elem.Size)
		}
		o.size = x.promised(name, deref)
		x.presumed.raw, o.raw = true, true
		if sh.Elem != nil && sh.Elem.Kind == ir.ShapeOpaque && !sh.Elem.Unset {
			o.base.kind = baseUnknown
		}
	}
	id := x.newObject(o)
	in.id = id
	p := x.pointer(id, b.Const(0, 64))
	if !sh.Null {
		return p, nil
	}
	return &value{ptr: x.choosePtr(isNull, x.pointer(noObject, b.Const(0, 64)).ptr, p.ptr), poison: expr.False}, nil
}
