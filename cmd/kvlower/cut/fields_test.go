package cut

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

func at(off int64, name string, s ir.Shape) ir.Shape {
	s.Off, s.Name = off, name
	return s
}

func to(s ir.Shape) ir.Shape { return ir.Shape{Kind: ir.ShapeRef, Size: 8, Align: 8, Elem: &s} }

// A structure behind self that has what fields can be, a slice, and a number.
func TestFields(t *testing.T) {
	u32, u8, i32 := bitsShape(4, 4), bitsShape(1, 1), bitsShape(4, 4)
	i32.Signed = true
	pair := ir.Shape{Kind: ir.ShapeStruct, Size: 8, Align: 4, Fields: []ir.Shape{at(0, "__0", u32), at(4, "__1", i32)}}
	option := ir.Shape{Kind: ir.ShapeEnum, Size: 8, Align: 4, Fields: []ir.Shape{at(0, "tag", u32)},
		Variants: []ir.Variant{{Name: "None", Tags: []ir.Span{span(0, 0)}}, {Name: "Some", Tags: []ir.Span{span(1, 1)}, Fields: []ir.Shape{at(4, "__0", u32)}}}}
	niche := ir.Shape{Kind: ir.ShapeEnum, Size: 8, Align: 8, Fields: []ir.Shape{at(0, "tag", bitsShape(8, 8))},
		Variants: []ir.Variant{{Name: "None", Tags: []ir.Span{span(0, 0)}}, {Name: "Some", Fields: []ir.Shape{at(0, "__0", to(u8))}}}}
	either := ir.Shape{Kind: ir.ShapeEnum, Size: 8, Align: 4, Fields: []ir.Shape{at(0, "tag", u32)},
		Variants: []ir.Variant{{Name: "A", Tags: []ir.Span{span(0, 0)}, Fields: []ir.Shape{at(4, "__0", u32)}}, {Name: "B", Fields: []ir.Shape{at(4, "__0", u8)}}}}
	str := ir.Shape{Kind: ir.ShapeStr, Size: 8, Align: 8}
	pairOf := func(data ir.Shape) ir.Shape {
		return ir.Shape{Kind: ir.ShapeStruct, Size: 16, Align: 8, Fields: []ir.Shape{data, at(8, "len()", ir.Shape{Kind: ir.ShapeSliceLen, Size: 8, Align: 8})}}
	}
	self := ir.Shape{Kind: ir.ShapeStruct, Size: 104, Align: 8, Fields: []ir.Shape{
		at(0, "pair", pair), at(8, "option", option), at(16, "niche", niche), at(24, "either", either),
		at(32, "table", ir.Shape{Kind: ir.ShapeArray, Size: 24, Align: 4, Len: 3, Elem: &pair}), at(56, "raw", rawShape(u32, true)),
		at(64, "big", opaqueShape(16+1, 1)), at(88, "text", pairOf(str))}}
	spec := &ir.RootSpec{Params: []ir.Shape{to(self), str, {Kind: ir.ShapeSliceLen, Size: 8, Align: 8}, u32}}
	params := []string{"self", "s", "s.1", "n"}
	want := []position.Field{
		{Off: 0, Size: 4, Name: "self.pair.0"},
		{Off: 4, Size: 4, Signed: true, Name: "self.pair.1"},
		{Off: 8, Size: 4, Name: "self.option"},
		{Off: 12, Size: 4, Name: "self.option.Some.0"},
		{Off: 16, Size: 8, Name: "self.niche.Some.0"},
		{Off: 24, Size: 4, Name: "self.either"},
		{Off: 32, Size: 4, Stride: 8, Count: 3, Name: "self.table[].0"},
		{Off: 36, Size: 4, Stride: 8, Count: 3, Signed: true, Name: "self.table[].1"},
		{Off: 56, Size: 8, Name: "self.raw"},
		{Off: 88, Size: 8, Name: "self.text"},
		{Off: 96, Size: 8, Name: "self.text.len()"},
		{Param: 1, Size: 1, Stride: 1, Name: "s[]"},
		{At: []int64{16}, Size: 1, Name: "*self.niche.Some.0"},
		{At: []int64{56}, Size: 4, Stride: 4, Name: "self.raw[]"},
		{At: []int64{88}, Size: 1, Stride: 1, Name: "self.text[]"},
	}
	if d := cmp.Diff(want, fields(spec, params)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	lengths(spec, params)
	if d := cmp.Diff([]string{"self", "s", "s.len()", "n"}, params); d != "" {
		t.Errorf("parameters (-want +got):\n%s", d)
	}
}

// A type without end has a list that ends.
func TestFieldsAreFew(t *testing.T) {
	long := ir.Shape{Kind: ir.ShapeStruct, Size: 4000, Align: 4}
	for i := range int64(1000) {
		long.Fields = append(long.Fields, at(4*i, "f", bitsShape(4, 4)))
	}
	spec := &ir.RootSpec{Params: []ir.Shape{to(long), to(long)}}
	if got := len(fields(spec, []string{"a", "b"})); got != maxFields {
		t.Errorf("%d names, want %d", got, maxFields)
	}
}
