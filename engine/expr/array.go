package expr

import "fmt"

// Array is a table of known numbers or an array of free elements. Arrays are
// never written: memory that changes is a list of writes over one.
type Array uint32

type array struct {
	name  string
	index int // width in bits, at most 64
	elem  int // width in bits, at most 64
	table []uint64
	free  bool
	all   *Facts // of the elements and of 0, once asked for
}

// Table returns a table of the given elements of elemWidth (at most 64) bits
// with indices of indexWidth bits. Reads past its end give 0: whoever reads
// guards the index. The slice must not change afterwards.
func (b *Builder) Table(indexWidth, elemWidth int, elems []uint64) Array {
	return b.addArray(array{name: "table", index: indexWidth, elem: elemWidth, table: elems})
}

// FreeArray returns a fresh array of unconstrained elements: like a variable
// for each index. The name is for people.
func (b *Builder) FreeArray(name string, indexWidth, elemWidth int) Array {
	return b.addArray(array{name: name, index: indexWidth, elem: elemWidth, free: true})
}

func (b *Builder) addArray(a array) Array {
	checkWidth(a.index)
	checkWidth(a.elem)
	if a.index > 64 || a.elem > 64 {
		panic(fmt.Sprintf("expr: array with indices of %d and elements of %d bits", a.index, a.elem))
	}
	b.arrays = append(b.arrays, a)
	return Array(len(b.arrays) - 1)
}

// Read returns the element of a at index.
func (b *Builder) Read(a Array, index Expr) Expr {
	arr := &b.arrays[a]
	if w := b.Width(index); w != arr.index {
		panic(fmt.Sprintf("expr: index of %d bits into an array with %d", w, arr.index))
	}
	if i, ok := b.Uint64(index); ok && !arr.free {
		return b.Const(arr.at(i), arr.elem)
	}
	return b.intern(node{op: OpRead, width: uint16(arr.elem), aux: uint32(a), a: index})
}

// ArrayShape describes an array: its name, the widths of indices and elements,
// and the elements (nil for a free array).
func (b *Builder) ArrayShape(a Array) (name string, indexWidth, elemWidth int, elems []uint64) {
	arr := &b.arrays[a]
	return arr.name, arr.index, arr.elem, arr.table
}

// IsTable reports whether a's elements are known numbers.
func (b *Builder) IsTable(a Array) bool { return !b.arrays[a].free }

func (a *array) at(i uint64) uint64 {
	if i < uint64(len(a.table)) {
		return a.table[i] & mask(a.elem)
	}
	return 0
}
