package cut

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Debug information describes variants that no value can have, with fields
// where the type has no room.
func TestVariantWithoutRoomIsOpaque(t *testing.T) {
	byteType := &module.DebugType{Tag: module.TagBase, Name: "u8", Size: 1}
	variant := &module.DebugType{Tag: module.TagStructure, Name: "Err", Members: []module.Member{{Name: "__0", Size: 1, Type: byteType}}}
	whole := &module.DebugType{
		Tag: module.TagStructure, Name: "Result<(), E>", HasVariants: true,
		Variants: []module.Member{{Name: "Err", Type: variant}},
	}
	for _, selector := range []*module.Member{nil, {Type: byteType}} {
		whole.Selector = selector
		if got := (&describer{limit: maxShapes}).structShape(whole, 0); got.Kind != ir.ShapeOpaque || got.Size != 0 {
			t.Errorf("selector %v: shape %v of %d bytes, want opaque of 0", selector, got.Kind, got.Size)
		}
	}
}

// A struct of more room than the reference that it holds is passed by its own
// address, which is not the reference.
func TestReferenceInLargerStruct(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	ref := &module.DebugType{Tag: module.TagPointer, Name: "&u64", Size: 8, Align: 8, Base: num}
	wide := &module.DebugType{Tag: module.TagStructure, Name: "Wide", Size: 16, Align: 16, Members: []module.Member{{Name: "r", Size: 8, Type: ref}}}
	sig := &ir.Sig{Params: []ir.Param{{Type: ir.PtrType, Attr: ir.Attr{NonNull: true, Align: 16, Deref: 16}}}}
	got := inputs(sig, []*module.DebugType{wide}).Params[0]
	if got.Kind != ir.ShapeRef || got.Elem.Kind != ir.ShapeStruct || got.Elem.Size != 16 || got.Elem.Fields[0].Kind != ir.ShapeRef {
		t.Errorf("the parameter is %+v, want the address of a struct that holds a reference", got)
	}
}

// Of a structure that ends in a slice debug information tells the size of what
// comes before. That is not the size of an element: the input would be empty,
// whatever its length, and what comes after a look at it proved for want of runs.
func TestStructureThatEndsInASlice(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "i8", Size: 1, Align: 1}
	many := &module.DebugType{Tag: module.TagArray, Name: "[i8]", Base: num}
	text := &module.DebugType{Tag: module.TagStructure, Name: "CStr", Members: []module.Member{{Name: "inner", Type: many}}}
	header := &module.DebugType{Tag: module.TagStructure, Name: "Packet", Size: 1, Members: []module.Member{
		{Name: "kind", Size: 1, Type: num}, {Name: "rest", Offset: 1, Type: many}}}
	only := &module.DebugType{Tag: module.TagStructure, Name: "Byte", Size: 1, Members: []module.Member{{Name: "b", Size: 1, Type: num}}}
	for _, tt := range []struct {
		name string
		to   *module.DebugType
		kind ir.ShapeKind
		elem int64
	}{
		{"&[i8]", num, ir.ShapeSlicePtr, 1},
		{"&mut [Byte]", only, ir.ShapeSlicePtr, 1},
		{"&str", num, ir.ShapeStr, 0},
		{"&CStr", text, ir.ShapeSlicePtr, 1},
		{"&mut CStr", text, ir.ShapeSlicePtr, 1},
		{"&Packet", header, ir.ShapeOpaque, 0},
		{"*const CStr", text, ir.ShapeRawPtr, 0},
		{"*mut Packet", header, ir.ShapeRawPtr, 1},
	} {
		data := &module.DebugType{Tag: module.TagPointer, Name: "data", Size: 8, Align: 8, Base: tt.to}
		fat := &module.DebugType{Tag: module.TagStructure, Name: tt.name, Size: 16, Align: 8, Members: []module.Member{
			{Name: "data_ptr", Size: 8, Type: data}, {Name: "length", Offset: 8, Size: 8, Type: num}}}
		got := (&describer{limit: maxShapes}).shapeOf(fat, 0).Fields[0]
		if got.Kind != tt.kind {
			t.Errorf("%s: data is %v, want %v", tt.name, got.Kind, tt.kind)
		}
		if got.Elem != nil && got.Elem.Size != tt.elem {
			t.Errorf("%s: elements of %d bytes, want %d", tt.name, got.Elem.Size, tt.elem)
		}
	}
}

// The bytes of a slice are at most isize::MAX. If an element has none, its length may be any number. Where the slice
// is a private field, only its module says how long it may be.
func TestSliceLength(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u32", Size: 4, Align: 4}
	unit := &module.DebugType{Tag: module.TagBase, Name: "()", Align: 1}
	odd := &module.DebugType{Tag: module.TagStructure, Name: "Substr", Members: []module.Member{
		{Name: "__0", Type: &module.DebugType{Tag: module.TagArray, Name: "[u32]", Base: num}}}}
	tail := &module.DebugType{Tag: module.TagStructure, Name: "CStr", Members: []module.Member{{Name: "inner", Type: num}}} // as rustc 1.97 has it
	private := &module.DebugType{Tag: module.TagStructure, Name: "CStr", Members: []module.Member{{Name: "inner", Type: num, Private: true}}}
	for _, tt := range []struct {
		name   string
		to     *module.DebugType
		length ir.ShapeKind
		elem   int64
		hidden bool
	}{
		{"&[u32]", num, ir.ShapeSliceLen, 4, false},
		{"&[()]", unit, ir.ShapeBits, 0, false},
		{"&[CStr]", private, ir.ShapeBits, 0, false},
		{"&mut Substr", odd, ir.ShapeSliceLen, 4, false},
		{"&CStr", tail, ir.ShapeSliceLen, 4, false},
		{"&CStr", private, ir.ShapeSliceLen, 4, true},
		{"&BStr", &module.DebugType{Tag: module.TagStructure, Name: "BStr", Members: []module.Member{{Name: "__0", Type: tail}}}, ir.ShapeSliceLen, 4, false},
		{"&BStr", &module.DebugType{Tag: module.TagStructure, Name: "BStr", Members: []module.Member{{Name: "__0", Type: private}}}, ir.ShapeSliceLen, 4, true},
	} {
		data := &module.DebugType{Tag: module.TagPointer, Name: "data", Size: 8, Align: 8, Base: tt.to}
		fat := &module.DebugType{Tag: module.TagStructure, Name: tt.name, Size: 16, Align: 8, Members: []module.Member{
			{Name: "data_ptr", Size: 8, Type: data}, {Name: "length", Offset: 8, Size: 8, Type: num}}}
		got := (&describer{limit: maxShapes}).shapeOf(fat, 0).Fields
		if got[0].Kind != ir.ShapeSlicePtr || got[0].Elem.Size != tt.elem || got[1].Kind != tt.length {
			t.Errorf("%s: %v of elements of %d bytes, and %v", tt.name, got[0].Kind, got[0].Elem.Size, got[1].Kind)
		}
		if got[1].Private != tt.hidden || got[0].Private {
			t.Errorf("%s: the length is private: %v, want %v", tt.name, got[1].Private, tt.hidden)
		}
	}
}

// An Arc leads to all of its object; a bare NonNull, and an Arc of something whose
// size is not known, need not.
func TestOwnersLeadToWholeObjects(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	inner := &module.DebugType{Tag: module.TagStructure, Scope: "kernel::sync::arc", Name: "ArcInner<u64>", Size: 16, Align: 8, Members: []module.Member{
		{Name: "refcount", Size: 8, Type: num}, {Name: "data", Offset: 8, Size: 8, Type: num}}}
	empty := &module.DebugType{Tag: module.TagStructure, Name: "Empty"}
	holder := func(scope, name string, to *module.DebugType) *module.DebugType {
		raw := &module.DebugType{Tag: module.TagPointer, Name: "*const T", Size: 8, Align: 8, Base: to}
		nonNull := &module.DebugType{Tag: module.TagStructure, Scope: "core::ptr::non_null", Name: "NonNull<T>", Size: 8, Align: 8,
			Members: []module.Member{{Name: "pointer", Size: 8, Type: raw}}}
		return &module.DebugType{Tag: module.TagStructure, Scope: scope, Name: name, Size: 8, Align: 8,
			Members: []module.Member{{Name: "ptr", Size: 8, Type: nonNull}}}
	}
	for _, tt := range []struct {
		t    *module.DebugType
		want bool
	}{
		{holder("kernel::sync::arc", "Arc<u64>", inner), true},
		{holder("kernel::sync::aref", "ARef<D>", num), true},
		{holder("kernel::sync::arc", "Arc<Empty>", empty), false},
		{holder("kernel::alloc::kvec", "Vec<u64>", num), false},
		{holder("mine", "Arc<u64>", inner), false},
	} {
		s := (&describer{limit: maxShapes}).shapeOf(tt.t, 0)
		for s.Kind == ir.ShapeStruct {
			s = s.Fields[0]
		}
		if s.Kind != ir.ShapeRawPtr || s.Whole != tt.want {
			t.Errorf("%s::%s: %v, whole %v, want %v", tt.t.Scope, tt.t.Name, s.Kind, s.Whole, tt.want)
		}
	}
}

// Bytes of a MaybeUninit may be uninitialised, wherever it lies; what C keeps in an Opaque is not.
func TestMaybeUninit(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u32", Size: 4, Align: 4}
	maybe := &module.DebugType{Tag: module.TagUnion, Scope: "core::mem::maybe_uninit", Name: "MaybeUninit<u32>", Size: 4, Align: 4,
		Members: []module.Member{{Name: "uninit"}, {Name: "value", Size: 4, Type: num}}}
	within := func(scope, name string) *module.DebugType {
		return &module.DebugType{Tag: module.TagStructure, Scope: scope, Name: name, Size: 4, Align: 4, Members: []module.Member{{Name: "x", Size: 4, Type: maybe}}}
	}
	many := func(n int64) *module.DebugType {
		return &module.DebugType{Tag: module.TagArray, Size: 4 * n, Base: maybe, Len: n}
	}
	for _, tt := range []struct {
		t    *module.DebugType
		want bool
	}{
		{maybe, true}, {within("mine", "Slot"), true}, {many(2), true}, {many(1 << 20), true},
		{within("kernel::types", "Opaque<u32>"), false}, {within("core::cell", "UnsafeCell<u32>"), true},
		{&module.DebugType{Tag: module.TagUnion, Scope: "bindings", Name: "MaybeUninit<u32>", Size: 4}, false},
	} {
		s := (&describer{limit: maxShapes}).shapeOf(tt.t, 0)
		for s.Kind == ir.ShapeStruct {
			s = s.Fields[0]
		}
		if s.Kind == ir.ShapeArray {
			s = *s.Elem
		}
		if s.Kind != ir.ShapeOpaque || s.Unset != tt.want {
			t.Errorf("%s: %v, unset %v, want %v", tt.t.Name, s.Kind, s.Unset, tt.want)
		}
	}
	sig := &ir.Sig{Params: []ir.Param{{Type: ir.IntType(32)}}}
	if got := inputs(sig, []*module.DebugType{within("mine", "Slot")}).Params[0]; got.Kind != ir.ShapeBits || !got.Unset {
		t.Errorf("by value: %+v", got)
	}
}

func TestNiches(t *testing.T) {
	for name, want := range map[string]string{
		"NonZeroU8Inner": "[1 ff]", "UsizeNoHighBit": "[0 7f]", "U32NotAllOnes": "[0 fe]", "Nanoseconds": "[0 3b9ac9ff]",
		"CodePointInner": "[0 10ffff]", "NonZeroCharInner": "[1 d7ff][e000 10ffff]", "Other": "",
	} {
		got := ""
		for _, s := range niche(&module.DebugType{Scope: "core::num::niche_types", Name: name, Size: 1}) {
			got += fmt.Sprintf("[%x %x]", s.Lo, s.Hi)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// The iterator of a slice holds two pointers of one object. Fields that are called
// so elsewhere mean nothing, and the end of elements without a size is a number.
func TestIterators(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u32", Size: 4, Align: 4}
	unit := &module.DebugType{Tag: module.TagStructure, Name: "()"}
	iter := func(scope, name string, elem *module.DebugType) *module.DebugType {
		raw := &module.DebugType{Tag: module.TagPointer, Name: "*const T", Size: 8, Align: 8, Base: elem}
		nonNull := &module.DebugType{Tag: module.TagStructure, Name: "NonNull<T>", Scope: "core::ptr::non_null", Size: 8, Align: 8,
			Members: []module.Member{{Name: "pointer", Size: 8, Type: raw}}}
		return &module.DebugType{Tag: module.TagStructure, Scope: scope, Name: name, Size: 16, Align: 8, Members: []module.Member{
			{Name: "ptr", Size: 8, Type: nonNull}, {Name: "end_or_len", Offset: 8, Size: 8, Type: raw}, {Name: "_marker", Offset: 16, Type: unit}}}
	}
	for _, tt := range []struct {
		t    *module.DebugType
		kind ir.ShapeKind
		mut  bool
	}{
		{iter("core::slice::iter", "Iter<u32>", num), ir.ShapeIter, false},
		{iter("core::slice::iter", "IterMut<u32>", num), ir.ShapeIter, true},
		{iter("core::slice::iter", "Iter<()>", unit), ir.ShapeRawPtr, true},
		{iter("kernel::mine", "Iter<u32>", num), ir.ShapeRawPtr, true},
		{iter("core::slice::iter", "Windows<u32>", num), ir.ShapeRawPtr, true},
	} {
		got := (&describer{limit: maxShapes}).shapeOf(tt.t, 0)
		if k := got.Fields[0].Kind; k != tt.kind || k == ir.ShapeIter && (got.Fields[0].Mut != tt.mut || got.Fields[0].Elem.Size != 4 || got.Fields[1].Kind != ir.ShapeIterEnd) {
			t.Errorf("%s::%s: %+v", tt.t.Scope, tt.t.Name, got.Fields)
		}
	}
}

// wideStruct is a structure of n fields of a type.
func wideStruct(name string, n int, field *module.DebugType) *module.DebugType {
	t := &module.DebugType{Tag: module.TagStructure, Name: name, Size: int64(n) * field.Size, Align: field.Size}
	for i := range n {
		t.Members = append(t.Members, module.Member{Name: fmt.Sprintf("f%d", i), Offset: int64(i) * field.Size, Size: field.Size, Type: field})
	}
	return t
}

// A first parameter that leads to more than is described takes nothing from those that follow: they
// were no parameters of the source at all.
func TestLargeFirstParameter(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	ref := func(to *module.DebugType) *module.DebugType {
		return &module.DebugType{Tag: module.TagPointer, Name: "&mut " + to.Name, Size: 8, Align: 8, Base: to}
	}
	str := &module.DebugType{Tag: module.TagStructure, Name: "&str", Size: 16, Align: 8, Members: []module.Member{
		{Name: "data_ptr", Size: 8, Type: ref(&module.DebugType{Tag: module.TagBase, Name: "u8", Size: 1})}, {Name: "length", Offset: 8, Size: 8, Type: num}}}
	large := wideStruct("Large", maxShapes+1, num)
	attr := ir.Attr{NonNull: true, Align: 8}
	of := func(bytes int64) ir.Param {
		a := attr
		a.Deref = bytes
		return ir.Param{Type: ir.PtrType, Attr: a}
	}
	sig := &ir.Sig{Params: []ir.Param{of(large.Size), {Type: ir.PtrType, Attr: attr}, {Type: ir.IntType(64)}, of(16)}}
	got := inputs(sig, []*module.DebugType{ref(large), str, ref(wideStruct("Pair", 2, num))}).Params
	if got[0].Kind != ir.ShapeRef || got[1].Kind != ir.ShapeStr || got[2].Kind != ir.ShapeSliceLen {
		t.Errorf("the parameters are %v, %v, %v; want a reference, a string and its length", got[0].Kind, got[1].Kind, got[2].Kind)
	}
	if pair := got[3].Elem; pair.Kind != ir.ShapeStruct || len(pair.Fields) != 2 || pair.Fields[1].Kind != ir.ShapeBits {
		t.Errorf("behind the last parameter is %v, want both its numbers", pair)
	}
	described := 0
	for _, f := range got[0].Elem.Fields {
		if f.Kind == ir.ShapeBits {
			described++
		}
	}
	if want := maxShapes - 2; described != want { // but the reference and the structure
		t.Errorf("%d numbers of the first are described, want %d", described, want)
	}
}

// A function pointer that may be null is one word, of which anything is possible: what else the
// function takes is known all the same.
func TestOptionalFunctionPointer(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	fn := &module.DebugType{Tag: module.TagPointer, Name: "fn(u64)", Size: 8, Align: 8}
	some := &module.DebugType{Tag: module.TagStructure, Name: "Some", Size: 8, Align: 8, Members: []module.Member{{Name: "__0", Size: 8, Type: fn}}}
	option := &module.DebugType{Tag: module.TagStructure, Name: "Option<fn(u64)>", Size: 8, Align: 8, HasVariants: true,
		Selector: &module.Member{Size: 8, Type: num},
		Variants: []module.Member{{Name: "None", Value: new(big.Int), Type: &module.DebugType{Tag: module.TagStructure, Name: "None", Size: 8, Align: 8}}, {Name: "Some", Type: some}}}
	ref := &module.DebugType{Tag: module.TagPointer, Name: "&u64", Size: 8, Align: 8, Base: num}
	sig := &ir.Sig{Params: []ir.Param{{Type: ir.PtrType}, {Type: ir.PtrType, Attr: ir.Attr{NonNull: true, Align: 8, Deref: 8}}}}
	got := inputs(sig, []*module.DebugType{option, ref}).Params
	if got[0].Kind != ir.ShapeOpaque || got[1].Elem.Kind != ir.ShapeBits {
		t.Errorf("the parameters are %v and a reference to %v, want anything and a reference to a number", got[0].Kind, got[1].Elem.Kind)
	}
}

// Symbols that several of the linked files have for themselves get a number: their types are the same.
func TestTypesOfRenamedSymbol(t *testing.T) {
	types := []*module.DebugType{{Name: "u8"}}
	c := &Cutter{m: &module.Module{ParamTypes: map[string][]*module.DebugType{"_RNvCs1_4core3fmt": types, "local": types}}}
	for symbol, want := range map[string]bool{"_RNvCs1_4core3fmt": true, "_RNvCs1_4core3fmt.103": true, "local": true,
		"local.3": false, "_RNvCs1_4core3fmt.llvm.3": false, "_RNvCs1_4core4fmts": false} {
		if got := c.paramTypes(symbol) != nil; got != want {
			t.Errorf("%s: types are known: %v, want %v", symbol, got, want)
		}
	}
}

// A function as the value of a type parameter takes no space, wherever it is said to lie.
func TestFunctionItem(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u64", Size: 8, Align: 8}
	item := &module.DebugType{Tag: module.TagPointer, Name: "fn(char) -> bool", Align: 1}
	search := &module.DebugType{Tag: module.TagStructure, Name: "Searcher<fn(char) -> bool>", Size: 8, Align: 8, Members: []module.Member{
		{Name: "matches", Offset: 8, Type: item}, {Name: "at", Size: 8, Type: num}}}
	d := describer{limit: maxShapes}
	if got := d.shapeOf(search, 0); got.Kind != ir.ShapeStruct || len(got.Fields) != 1 || got.Fields[0].Kind != ir.ShapeBits {
		t.Errorf("the structure is %+v, want one with a number", got)
	}
	pointer := &module.DebugType{Tag: module.TagPointer, Name: "fn(char) -> bool", Size: 8, Align: 8}
	if got := d.shapeOf(pointer, 0); got.Kind != ir.ShapeOpaque || got.Size != 8 {
		t.Errorf("a function pointer is %+v, want anything of 8 bytes", got)
	}
}
