package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// leaf is a field of an input that is no aggregate, where guard holds: a byte of
// an enum belongs to different leaves in different variants.
type leaf struct {
	shape *ir.Shape
	at    int64 // offset in the object
	guard expr.Expr
}

func (l leaf) isPointer() bool {
	switch l.shape.Kind {
	case ir.ShapeRef, ir.ShapeRawPtr, ir.ShapeSlicePtr, ir.ShapeStr, ir.ShapeIter, ir.ShapeIterEnd:
		return true
	}
	return false
}

// inputByte returns byte k of an input object.
func (x *exec) inputByte(in *input, k int64) (slot, error) {
	ls, err := x.leavesAt(in, k)
	if err != nil {
		return slot{}, err
	}
	for _, l := range ls {
		if l.isPointer() {
			c, err := x.inputWord(in, l.at)
			return slot{c, int(k - l.at)}, err
		}
	}
	v, err := x.inputNumber(in, k, ls)
	return slot{&cell{v, 1}, 0}, err
}

// inputNumber returns byte k, which is no pointer's: an input where some leaf
// covers it, poison where it is padding; a caller may have set that.
func (x *exec) inputNumber(in *input, k int64, ls []leaf) (*value, error) {
	covered, unset := expr.False, expr.False
	for _, l := range ls {
		if l.isPointer() {
			continue
		}
		if l.shape.Kind == ir.ShapeOpaque {
			x.foreignRead(in.array, x.b.Const(uint64(k), 64), "content of an input of unknown type")
		}
		if l.shape.Unset {
			unset = x.b.Or(unset, x.b.And(l.guard, x.unsetAt(in, x.b.Const(uint64(k), 64))))
		}
		covered = x.b.Or(covered, l.guard)
		x.constrain(in, l)
	}
	return &value{e: x.b.Read(in.array, x.b.Const(uint64(k), 64)), poison: x.b.Or(unset, x.b.Not(covered)), exact: covered == expr.True}, nil
}

// inputWord returns the eight bytes at an offset where a pointer can stand:
// made once, it is the pointer in the variants that have one there.
func (x *exec) inputWord(in *input, at int64) (*cell, error) {
	if c := in.words[at]; c != nil {
		return c, nil
	}
	first, err := x.leavesAt(in, at)
	if err != nil {
		return nil, err
	}
	var out *value
	for i := int64(0); i < 8; i++ { // the bytes of the variants that have numbers there
		ls, err := x.leavesAt(in, at+i)
		if err != nil {
			return nil, err
		}
		v, err := x.inputNumber(in, at+i, ls)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = &value{e: v.e, poison: v.poison, bytes: []expr.Expr{v.poison}, exact: v.exact}
			continue
		}
		out.e, out.poison, out.bytes = x.b.Concat(v.e, out.e), x.b.Or(out.poison, v.poison), append(out.bytes, v.poison)
		out.exact = out.exact && v.exact
	}
	for _, l := range first {
		if !l.isPointer() || l.at != at {
			continue
		}
		p, err := x.inputPointer(in, l)
		if err != nil {
			return nil, err
		}
		out = x.choose(l.guard, p, out)
	}
	c := &cell{out, 8}
	in.words[at] = c
	return c, nil
}

// inputPointer makes the pointer of a leaf and the object behind it.
func (x *exec) inputPointer(in *input, l leaf) (*value, error) {
	if l.shape.Kind == ir.ShapeIterEnd {
		begin, err := x.inputWord(in, l.at-8)
		if err != nil {
			return nil, err
		}
		return x.endOf(begin.v), nil
	}
	length := expr.None
	if l.shape.Kind == ir.ShapeSlicePtr || l.shape.Kind == ir.ShapeStr {
		length = x.inputInt(in, l.at+8, 8)
	}
	here := x.b.And(l.guard, x.b.Not(x.absent(x.infos[in.id])))
	v, err := x.rootPointer(fmt.Sprintf("%s.data[%d]", in.name, l.at), l.shape, here, length, &ir.Attr{})
	if err == nil {
		x.reborrowed(v, l.shape, in.id)
	}
	return v, err
}

// reborrowed notes who else has the pointer v that was found in an input: nobody
// where it is exclusive and the input is nobody else's either, not even to read.
func (x *exec) reborrowed(v *value, sh *ir.Shape, holder int) {
	for _, a := range v.ptr {
		switch {
		case isNumber(a.obj) || sh.Kind == ir.ShapeRawPtr:
		case sh.Mut && !x.common(holder) && !x.infos[holder].frozen:
			x.infos[a.obj].sole = true
		default:
			x.presumed.shared = true
		}
	}
}

// inputInt returns n bytes of an input as one number.
func (x *exec) inputInt(in *input, at, n int64) expr.Expr {
	e := x.b.Read(in.array, x.b.Const(uint64(at), 64))
	for i := int64(1); i < n; i++ {
		e = x.b.Concat(x.b.Read(in.array, x.b.Const(uint64(at+i), 64)), e)
	}
	return e
}

// constrain states that a leaf lies in its ranges.
func (x *exec) constrain(in *input, l leaf) {
	switch l.shape.Kind {
	case ir.ShapeRange:
		x.axiom(x.b.Implies(l.guard, x.inSpans(x.inputInt(in, l.at, l.shape.Size), l.shape.Ranges)))
	case ir.ShapeSliceLen:
		x.axiom(x.b.Implies(l.guard, x.b.Sle(x.b.Const(0, 64), x.inputInt(in, l.at, 8))))
	}
}

// leavesAt finds the leaves of an input that cover byte k; none for padding.
func (x *exec) leavesAt(in *input, k int64) ([]leaf, error) {
	if in.shape == nil {
		return []leaf{{plainByte, k, expr.True}}, nil
	}
	base := int64(0)
	if in.shape.Size > 0 {
		base = k / in.shape.Size * in.shape.Size // of the element, behind a slice
	}
	return x.leaves(nil, in, in.shape, base, k, expr.True)
}

var plainByte = &ir.Shape{Kind: ir.ShapeBits, Size: 1, Align: 1}

// leaves adds the leaves of sh, which lies at base, that cover byte k.
func (x *exec) leaves(to []leaf, in *input, sh *ir.Shape, base, k int64, guard expr.Expr) ([]leaf, error) {
	switch sh.Kind {
	case ir.ShapeStruct:
		return x.fieldLeaves(to, in, sh.Fields, base, k, guard)
	case ir.ShapeArray:
		if sh.Elem == nil || sh.Elem.Size == 0 {
			return to, nil
		}
		elem := base + (k-base)/sh.Elem.Size*sh.Elem.Size
		return x.leaves(to, in, sh.Elem, elem, k, guard)
	case ir.ShapeEnum:
		return x.enumLeaves(to, in, sh, base, k, guard)
	}
	return append(to, leaf{sh, base, guard}), nil
}

func (x *exec) fieldLeaves(to []leaf, in *input, fields []ir.Shape, base, k int64, guard expr.Expr) ([]leaf, error) {
	for i := range fields {
		f := &fields[i]
		if k < base+f.Off || k >= base+f.Off+f.Size {
			continue
		}
		var err error
		if to, err = x.leaves(to, in, f, base+f.Off, k, guard); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// enumLeaves goes through the variants. The tag is a number that says which one
// holds; the variant without tags holds for all other numbers.
func (x *exec) enumLeaves(to []leaf, in *input, sh *ir.Shape, base, k int64, guard expr.Expr) ([]leaf, error) {
	if len(sh.Fields) == 0 || sh.Fields[0].Size == 0 {
		return nil, stopf("input of an enum without a tag")
	}
	tag := sh.Fields[0]
	number := x.inputInt(in, base+tag.Off, tag.Size)
	rest, untagged := expr.True, -1
	for i := range sh.Variants {
		if len(sh.Variants[i].Tags) == 0 {
			untagged = i
		}
		rest = x.b.And(rest, x.b.Not(x.inSpans(number, sh.Variants[i].Tags)))
	}
	if untagged < 0 {
		x.axiom(x.b.Implies(guard, x.b.Not(rest)))
	}
	var err error
	if tag.Kind != ir.ShapeBits && tag.Kind != ir.ShapeRange {
		return nil, stopf("input of an enum with a tag that is no number")
	}
	fields := append([]ir.Shape(nil), sh.Fields...)
	fields[0].Kind = ir.ShapeBits // its values are what the variants say
	for i := range sh.Variants {
		is := x.b.And(guard, x.inSpans(number, sh.Variants[i].Tags))
		if i == untagged {
			is = x.b.And(guard, rest)
		}
		if is == expr.False {
			continue
		}
		own := sh.Variants[i].Fields
		before := len(to)
		if to, err = x.fieldLeaves(to, in, own, base, k, is); err != nil {
			return nil, err
		}
		if len(to) > before && i == untagged {
			continue // a niche: the field takes the tag's place
		}
		if to, err = x.fieldLeaves(to, in, fields, base, k, is); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// inputAnywhere reads an input at an unknown offset. What is no plain byte there, nor one of a number in a
// record, may hold anything: the numbers behind its pointers are not known.
func (x *exec) inputAnywhere(in *input, place some) (*value, error) {
	off := place.off
	if !plain(in.shape) {
		if v, ok := x.recordByte(in, place); ok {
			return v, nil
		}
		v := intValue(x.foreignRead(in.array, off, "read at an unknown offset of a structured input"))
		if maybeUnset(in.shape) {
			v.poison = x.unsetAt(in, off)
		}
		return v, nil
	}
	return intValue(x.b.Read(in.array, off)), nil
}

// plain reports whether a shape is made of bytes of any value.
func plain(sh *ir.Shape) bool {
	if sh == nil || sh.Kind == ir.ShapeBits {
		return sh == nil || !sh.Unset
	}
	return sh.Kind == ir.ShapeArray && sh.Elem != nil && plain(sh.Elem)
}
