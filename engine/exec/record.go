package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// A slice of records is read at an index that is not known: which field it is is known all the same, since
// the offset is that of the field after a number of whole records.

// recordByte is the byte at a place of an input of records, if the place tells that it is one of a number, or of none.
func (x *exec) recordByte(in *input, place some) (*value, bool) {
	sh := in.shape
	for sh.Kind == ir.ShapeArray && sh.Elem != nil {
		sh = sh.Elem
	}
	if sh.Size <= 0 || place.lin.step <= 0 || place.lin.step%sh.Size != 0 || place.lin.rem < 0 {
		return nil, false
	}
	k := place.lin.rem % sh.Size
	f, at, ok := numberAt(sh, 0, k)
	if !ok {
		return nil, false
	}
	if f == nil { // between fields
		return &value{e: x.b.Const(0, 8), poison: expr.True}, true
	}
	v := intValue(x.b.Read(in.array, place.off))
	if f.Unset {
		v.poison, v.exact = x.unsetAt(in, place.off), true
	}
	if f.Kind == ir.ShapeRange {
		x.constrainSome(in, f, place, k-at)
	}
	return v, true
}

// numberAt finds the number of sh, which lies at base, that covers byte k, and where that begins. None if
// nothing lies there; not ok if it is no number, or if it hangs on others what it is.
func numberAt(sh *ir.Shape, base, k int64) (f *ir.Shape, at int64, ok bool) {
	switch sh.Kind {
	case ir.ShapeBits, ir.ShapeRange:
		return sh, base, true
	case ir.ShapeArray:
		if sh.Elem == nil || sh.Elem.Size <= 0 {
			return nil, 0, false
		}
		return numberAt(sh.Elem, base+(k-base)/sh.Elem.Size*sh.Elem.Size, k)
	case ir.ShapeStruct:
		var found *ir.Shape
		for i := range sh.Fields {
			g := &sh.Fields[i]
			if k < base+g.Off || k >= base+g.Off+g.Size {
				continue
			}
			if found != nil {
				return nil, 0, false
			}
			found = g
		}
		if found == nil {
			return nil, 0, true
		}
		return numberAt(found, base+found.Off, k)
	}
	return nil, 0, false
}

// constrainSome states that the number f, of which place is byte i, lies in its ranges. That holds wherever
// such a number is, so it is said of offsets only that are those of one: the statement is about all runs,
// and what lin says is true in some.
func (x *exec) constrainSome(in *input, f *ir.Shape, place some, i int64) {
	b, lin := x.b, place.lin
	off := b.Add(b.Mul(lin.idx, b.Const(uint64(lin.step), 64)), b.Const(uint64(lin.rem-i), 64))
	first := b.Sub(place.off, b.Const(uint64(i), 64))
	few := b.Ult(lin.idx, b.Const(1<<63/uint64(lin.step), 64)) // no product wraps around
	e := b.Read(in.array, first)
	for j := int64(1); j < f.Size; j++ {
		e = b.Concat(b.Read(in.array, b.Add(first, b.Const(uint64(j), 64))), e)
	}
	x.axiom(b.Implies(b.And(few, b.Eq(first, off)), x.inSpans(e, f.Ranges)))
}
