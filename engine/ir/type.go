package ir

import (
	"math/bits"
	"strconv"
)

// MaxBits is the widest integer type that a slice may use.
const MaxBits = 1 << 12

// Types that every slice uses.
var (
	VoidType = &Type{Kind: Void}
	PtrType  = &Type{Kind: Ptr}
	I1       = &Type{Kind: Int, Bits: 1}
	I8       = &Type{Kind: Int, Bits: 8}
	I16      = &Type{Kind: Int, Bits: 16}
	I32      = &Type{Kind: Int, Bits: 32}
	I64      = &Type{Kind: Int, Bits: 64}
)

// IntType returns the integer type of the given width.
func IntType(width int) *Type {
	for _, t := range []*Type{I1, I8, I16, I32, I64} {
		if t.Bits == width {
			return t
		}
	}
	return &Type{Kind: Int, Bits: width}
}

// StructType returns the struct type with the given fields.
func StructType(fields ...*Type) *Type { return &Type{Kind: Struct, Elems: fields} }

// Equal reports whether t and u are the same type by structure.
func (t *Type) Equal(u *Type) bool {
	if t == u {
		return true
	}
	if t == nil || u == nil || t.Kind != u.Kind || t.Bits != u.Bits ||
		t.Len != u.Len || t.Packed != u.Packed || len(t.Elems) != len(u.Elems) {
		return false
	}
	for i := range t.Elems {
		if !t.Elems[i].Equal(u.Elems[i]) {
			return false
		}
	}
	return t.Elem == u.Elem || t.Elem.Equal(u.Elem)
}

// StoreSize is the number of bytes that a store of t writes.
func (t *Type) StoreSize() int64 {
	size, _ := t.layout(nil)
	return size
}

// Size is the distance in bytes between elements of an array of t: the store
// size with padding up to the alignment. i24 takes 4 bytes, i48 8.
func (t *Type) Size() int64 { return roundUp(t.layout(nil)) }

// Align is the ABI alignment of t in bytes, the same on x86_64 and aarch64:
// integers align to the next power of two up to 16.
func (t *Type) Align() int64 {
	_, align := t.layout(nil)
	return align
}

// Offset is the byte offset of the i-th part of an aggregate or vector.
func (t *Type) Offset(i int) int64 {
	if t.Kind != Struct {
		return int64(i) * t.Elem.Size()
	}
	offs := make([]int64, 0, len(t.Elems))
	t.layout(&offs)
	return offs[i]
}

// Field returns the type of the i-th part of an aggregate or vector, nil if there is none.
func (t *Type) Field(i int) *Type {
	switch {
	case i < 0:
		return nil
	case t.Kind == Struct && i < len(t.Elems):
		return t.Elems[i]
	case (t.Kind == Array || t.Kind == Vector) && i < t.Len:
		return t.Elem
	}
	return nil
}

// NumFields is the number of parts of an aggregate or vector.
func (t *Type) NumFields() int {
	if t.Kind == Struct {
		return len(t.Elems)
	}
	return t.Len
}

// Scalar is the element type of a vector, otherwise t itself.
func (t *Type) Scalar() *Type {
	if t.Kind == Vector {
		return t.Elem
	}
	return t
}

// layout returns the store size and alignment; it appends the offsets of a
// struct's fields to offs unless that is nil.
func (t *Type) layout(offs *[]int64) (size, align int64) {
	switch t.Kind {
	case Int, Float:
		size = int64(t.Bits+7) / 8
		return size, min(16, powerOfTwo(size))
	case Ptr:
		return 8, 8
	case Vector:
		size = (int64(t.Len)*t.Elem.bitSize() + 7) / 8
		return size, powerOfTwo(size)
	case Array:
		size, align = t.Elem.layout(nil)
		return int64(t.Len) * roundUp(size, align), align
	case Struct:
		return t.structLayout(offs)
	}
	return 0, 1
}

func (t *Type) structLayout(offs *[]int64) (size, align int64) {
	align = 1
	for _, e := range t.Elems {
		esize, ealign := e.layout(nil)
		if !t.Packed {
			align = max(align, ealign)
			size = roundUp(size, ealign)
		}
		if offs != nil {
			*offs = append(*offs, size)
		}
		size += roundUp(esize, ealign)
	}
	return roundUp(size, align), align
}

func (t *Type) bitSize() int64 {
	if t.Kind == Ptr {
		return 64
	}
	return int64(t.Bits)
}

func roundUp(n, align int64) int64 { return (n + align - 1) / align * align }

func powerOfTwo(n int64) int64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(uint64(n-1))
}

// String is the type as the text form writes it.
func (t *Type) String() string { return string(t.append(nil)) }

func (t *Type) append(b []byte) []byte {
	switch t.Kind {
	case Int:
		return strconv.AppendInt(append(b, 'i'), int64(t.Bits), 10)
	case Float:
		return strconv.AppendInt(append(b, 'f'), int64(t.Bits), 10)
	case Ptr:
		return append(b, "ptr"...)
	case Array:
		return append(t.appendLen(append(b, '[')), ']')
	case Vector:
		return append(t.appendLen(append(b, '<')), '>')
	case Struct:
		return t.appendFields(b)
	}
	return append(b, "void"...)
}

func (t *Type) appendLen(b []byte) []byte {
	b = strconv.AppendInt(b, int64(t.Len), 10)
	return t.Elem.append(append(b, " x "...))
}

func (t *Type) appendFields(b []byte) []byte {
	open, end := "{", "}"
	if t.Packed {
		open, end = "<{", "}>"
	}
	b = append(b, open...)
	for i, e := range t.Elems {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = e.append(b)
	}
	return append(b, end...)
}
