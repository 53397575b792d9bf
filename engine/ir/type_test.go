package ir_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// Sizes and alignments as LLVM's data layouts of x86_64 and aarch64 give them.
func TestLayout(t *testing.T) {
	i := ir.IntType
	array := func(n int, elem *ir.Type) *ir.Type { return &ir.Type{Kind: ir.Array, Len: n, Elem: elem} }
	for _, c := range []struct {
		t                  *ir.Type
		text               string
		store, size, align int64
	}{
		{i(1), "i1", 1, 1, 1},
		{i(8), "i8", 1, 1, 1},
		{i(24), "i24", 3, 4, 4},
		{i(32), "i32", 4, 4, 4},
		{i(40), "i40", 5, 8, 8},
		{i(48), "i48", 6, 8, 8},
		{i(128), "i128", 16, 16, 16},
		{i(256), "i256", 32, 32, 16},
		{ir.PtrType, "ptr", 8, 8, 8},
		{ir.VoidType, "void", 0, 0, 1},
		{&ir.Type{Kind: ir.Float, Bits: 64}, "f64", 8, 8, 8},
		{&ir.Type{Kind: ir.Float, Bits: 80}, "f80", 10, 16, 16},
		{ir.StructType(), "{}", 0, 0, 1},
		{ir.StructType(i(8), i(32), i(16)), "{i8, i32, i16}", 12, 12, 4},
		{&ir.Type{Kind: ir.Struct, Packed: true, Elems: []*ir.Type{i(8), i(32)}}, "<{i8, i32}>", 5, 5, 1},
		{ir.StructType(i(64), i(1)), "{i64, i1}", 16, 16, 8},
		{ir.StructType(i(8), i(128)), "{i8, i128}", 32, 32, 16},
		{array(3, i(24)), "[3 x i24]", 12, 12, 4},
		{array(0, i(64)), "[0 x i64]", 0, 0, 8},
		{&ir.Type{Kind: ir.Vector, Len: 3, Elem: i(16)}, "<3 x i16>", 6, 8, 8},
		{&ir.Type{Kind: ir.Vector, Len: 8, Elem: i(1)}, "<8 x i1>", 1, 1, 1},
	} {
		if got := c.t.String(); got != c.text {
			t.Errorf("%s is written %s", c.text, got)
		}
		if c.t.StoreSize() != c.store || c.t.Size() != c.size || c.t.Align() != c.align {
			t.Errorf("%s: store %d, size %d, align %d; want %d, %d, %d", c.text,
				c.t.StoreSize(), c.t.Size(), c.t.Align(), c.store, c.size, c.align)
		}
	}
	s := ir.StructType(i(8), i(32), i(16))
	for field, want := range []int64{0, 4, 8} {
		if got := s.Offset(field); got != want {
			t.Errorf("field %d of %v is at %d, want %d", field, s, got, want)
		}
	}
	if got := array(3, i(24)).Offset(2); got != 8 {
		t.Errorf("element 2 is at %d", got)
	}
}
