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
	ptrs  map[int64]*cell
	named map[int64]expr.Expr
}

// rootInput is an input of an automatic root that the witness names.
type rootInput struct {
	name string
	e    expr.Expr
}

// start makes the state at the root's first instruction.
func (x *exec) start() (*state, error) {
	fl := x.flows[x.slice.Root]
	s := &state{owner: new(token)}
	regs := make([]*value, fl.fn.NumReg)
	for i := range fl.fn.Sig.Params {
		v, err := x.parameter(s, i, &fl.fn.Sig.Params[i])
		if err != nil {
			return nil, err
		}
		regs[i] = v
	}
	s.top = &frame{flow: fl, regs: regs}
	s.top.enter(0, nil)
	return s, nil
}

// parameter makes one parameter of the root from its shape and attributes.
func (x *exec) parameter(s *state, i int, p *ir.Param) (*value, error) {
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
		return intValue(v), nil
	case ir.Ptr:
		return x.rootPointer(name, sh, x.lengthOf(i, sh), max(p.Attr.Deref, p.Attr.DerefOrNull))
	}
	return nil, fmt.Errorf("make parameter %d: type %v is not supported", i, p.Type)
}

// pointerShape is the shape of a pointer of which only attributes are known.
func pointerShape(at *ir.Attr) *ir.Shape {
	sh := &ir.Shape{Kind: ir.ShapeRawPtr, Null: !at.NonNull && at.Deref == 0, Align: max(1, at.Align)}
	if at.SRet != nil {
		return &ir.Shape{Kind: ir.ShapeRef, Align: max(1, at.Align), Elem: &ir.Shape{Kind: ir.ShapeBits, Size: at.SRet.Size()}, Mut: true}
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

// inShape restricts an integer to the ranges of its shape.
func (x *exec) inShape(v expr.Expr, sh *ir.Shape) {
	if sh.Kind == ir.ShapeSliceLen {
		x.axiom(x.b.Sle(x.b.Const(0, 64), v))
	}
	if sh.Kind == ir.ShapeRange {
		x.axiom(x.inSpans(v, sh.Ranges))
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
const maxRoot = 1 << 20

// rootPointer makes a pointer input and the object behind it.
func (x *exec) rootPointer(name string, sh *ir.Shape, length expr.Expr, deref int64) (*value, error) {
	b := x.b
	o := info{kind: objInput, name: name, align: max(1, sh.Align), base: &base{kind: baseInput}}
	in := &input{name: name, shape: sh.Elem, ptrs: map[int64]*cell{}, named: map[int64]expr.Expr{}}
	in.array = b.FreeArray(name, 64, 8)
	o.base.input = in
	null := sh.Null
	switch sh.Kind {
	case ir.ShapeRef:
		if sh.Elem == nil {
			return nil, stopf("shape of %s is not known", name)
		}
		o.size = b.Const(uint64(max(sh.Elem.Size, deref)), 64)
		o.align = max(o.align, sh.Elem.Align)
	case ir.ShapeSlicePtr, ir.ShapeStr:
		unit := int64(1)
		if sh.Elem != nil {
			unit = sh.Elem.Size
			o.align = max(o.align, sh.Elem.Align)
		}
		if unit > 0 {
			x.axiom(b.Ule(length, b.Const(uint64(1<<63-1)/uint64(unit), 64)))
		}
		o.size = b.Mul(length, b.Const(uint64(unit), 64))
		if sh.Kind == ir.ShapeStr {
			x.note("strings are not checked to be UTF-8")
		}
	case ir.ShapeOpaque:
		o.size = x.rootVar(name+".size", 64)
		o.base.kind = baseUnknown
	default:
		o.size = x.rootVar(name+".size", 64)
		x.axiom(b.Ule(o.size, b.Const(maxRoot, 64)))
		x.note(fmt.Sprintf("raw pointers are null or point to an object of their own of at most %d bytes", maxRoot))
		if deref > 0 {
			x.axiom(b.Ule(b.Const(uint64(deref), 64), o.size))
		}
		if sh.Elem != nil && sh.Elem.Kind == ir.ShapeOpaque {
			o.base.kind = baseUnknown
		}
	}
	id := x.newObject(o)
	in.id = id
	p := x.pointer(id, b.Const(0, 64))
	if !null {
		return p, nil
	}
	isNull := x.rootVar(name+".null", 1)
	return &value{ptr: x.choosePtr(isNull, x.pointer(noObject, b.Const(0, 64)).ptr, p.ptr), poison: expr.False}, nil
}

// inputByte returns byte k of an input object.
func (x *exec) inputByte(in *input, k int64) (slot, error) {
	f, off, err := in.field(k)
	if err != nil {
		return slot{}, err
	}
	if f == nil {
		return slot{uninit, 0}, nil
	}
	switch f.Kind {
	case ir.ShapeRef, ir.ShapeRawPtr, ir.ShapeSlicePtr, ir.ShapeStr:
		c, err := x.inputPointer(in, f, k-off)
		return slot{c, int(off)}, err
	case ir.ShapeOpaque:
		return slot{}, stopf("content of an input of unknown type")
	case ir.ShapeRange, ir.ShapeSliceLen:
		x.constrain(in, f, k-off)
	}
	return slot{&cell{intValue(x.b.Read(in.array, x.b.Const(uint64(k), 64))), 1}, 0}, nil
}

// constrain states once that a field of an input lies in its ranges.
func (x *exec) constrain(in *input, f *ir.Shape, at int64) {
	if in.named[at] != expr.None || f.Size == 0 {
		return
	}
	var e expr.Expr
	for i := int64(0); i < f.Size; i++ {
		v := x.b.Read(in.array, x.b.Const(uint64(at+i), 64))
		if e == expr.None {
			e = v
		} else {
			e = x.b.Concat(v, e)
		}
	}
	in.named[at] = e
	x.inShape(e, f)
}

// inputPointer makes the pointer stored at an offset of an input, once.
func (x *exec) inputPointer(in *input, f *ir.Shape, at int64) (*cell, error) {
	if c := in.ptrs[at]; c != nil {
		return c, nil
	}
	length := expr.None
	if f.Kind == ir.ShapeSlicePtr || f.Kind == ir.ShapeStr {
		l := &ir.Shape{Kind: ir.ShapeSliceLen, Size: 8}
		x.constrain(in, l, at+8)
		length = in.named[at+8]
	}
	v, err := x.rootPointer(fmt.Sprintf("%s.data[%d]", in.name, at), f, length, 0)
	if err != nil {
		return nil, err
	}
	c := &cell{v, 8}
	in.ptrs[at] = c
	return c, nil
}

// field finds the leaf of an input's shape that covers byte k, and k's offset
// within it; nil for padding.
func (in *input) field(k int64) (*ir.Shape, int64, error) {
	sh := in.shape
	if sh == nil {
		return &ir.Shape{Kind: ir.ShapeBits, Size: 1}, 0, nil
	}
	if sh.Size > 0 {
		k %= sh.Size // elements of a slice
	}
	return leaf(sh, k)
}

func leaf(sh *ir.Shape, k int64) (*ir.Shape, int64, error) {
	switch sh.Kind {
	case ir.ShapeStruct:
		for i := range sh.Fields {
			if f := &sh.Fields[i]; k >= f.Off && k < f.Off+f.Size {
				return leaf(f, k-f.Off)
			}
		}
		return nil, 0, nil
	case ir.ShapeArray:
		if sh.Elem == nil || sh.Elem.Size == 0 {
			return nil, 0, nil
		}
		return leaf(sh.Elem, k%sh.Elem.Size)
	case ir.ShapeEnum:
		return nil, 0, stopf("input of an enum type")
	}
	return sh, k, nil
}

// inputAnywhere reads an input at an unknown offset: plain bytes only.
func (x *exec) inputAnywhere(in *input, off expr.Expr) (*value, error) {
	if !plain(in.shape) {
		return nil, stopf("read at an unknown offset of a structured input")
	}
	return intValue(x.b.Read(in.array, off)), nil
}

// plain reports whether a shape is made of bytes of any value.
func plain(sh *ir.Shape) bool {
	if sh == nil || sh.Kind == ir.ShapeBits {
		return true
	}
	return sh.Kind == ir.ShapeArray && sh.Elem != nil && plain(sh.Elem)
}
