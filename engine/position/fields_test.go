package position

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A structure behind self: a u32, an array of three u16, a pointer to a byte, a slice of pairs of bytes.
var named = Map{Params: []string{"self", "n", "i"}, Signed: []int{2}, Fields: []Field{
	{Off: 0, Size: 4, Name: "self.len"},
	{Off: 4, Size: 2, Stride: 2, Count: 3, Name: "self.table[]"},
	{Off: 16, Size: 8, Name: "self.next"},
	{Off: 24, Size: 8, Name: "self.rest"},
	{Off: 40, Size: 2, Signed: true, Name: "self.bias"},
	{At: []int64{16}, Size: 1, Name: "*self.next"},
	{At: []int64{24}, Off: 0, Size: 1, Stride: 2, Name: "self.rest[].a"},
	{At: []int64{24}, Off: 1, Size: 1, Stride: 2, Name: "self.rest[].b"},
}}

func TestValues(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a number", "arg1=7 any#0=5 fail#1=1", "n = 7; any#0 = 5; fail#1 = 1"},
		{"with a sign", "arg2=65535 arg1=65535 arg2=32767 arg0.data[40]=254 arg0.data[41]=255", "i = -1; n = 65535; i = 32767; self.bias = -2"},
		{"bytes are one number, little-endian, where the first stands", "arg0.data[1]=2 arg1=7 arg0.data[0]=1 arg0.data[2]=0 arg0.data[3]=255", "self.len = 4278190593; n = 7"},
		{"some bytes of a number are no number", "arg0.data[1]=2 arg0.data[0]=1", "byte 1 of self.len = 2; byte 0 of self.len = 1"},
		{"elements that follow one another", "arg0.data[4]=1 arg0.data[5]=0 arg0.data[6]=2 arg0.data[7]=0 arg0.data[8]=0 arg0.data[9]=1", "self.table[0..3] = [1, 2, 256]"},
		{"beyond the last element", "arg0.data[10]=9", "self.data[10] = 9"},
		{"an element alone, and bytes between", "arg0.data[6]=2 arg0.data[7]=0 arg0.data[11]=1", "self.table[1] = 2; self.data[11] = 1"},
		{"pointers", "arg0.null=0 arg0.size=32 arg0.data[16].null=0 arg0.data[24].count=3 arg0.data[16].page=5 arg0.data[16].data[0]=8",
			"*self: 32 bytes; self.rest: 3 elements; *self.next: at 5 of a page; *self.next = 8"},
		{"null leads nowhere", "arg0.data[16].null=1 arg0.data[16].size=5 arg0.data[16].page=5 arg0.data[24].size=5", "self.next = null; *self.rest: 5 bytes"},
		{"fields of elements", "arg0.data[24].data[5]=1 arg0.data[24].data[4]=2", "self.rest[2].b = 1; self.rest[2].a = 2"},
		{"nobody knows", "arg0.data[16].data[1]=1 arg0.data[99].null=1 arg7.data[0]=1 arg0.data[99999999999999999999]=1 arg0.what=1",
			"self.data[16].data[1] = 1; self.data[99].null = 1; arg7.data[0] = 1; self.data[99999999999999999999] = 1; self.what = 1"},
	} {
		var in []Value
		for _, x := range strings.Fields(tt.in) {
			name, value, _ := strings.Cut(x, "=")
			in = append(in, Value{name, value, 16})
		}
		got := strings.Join(named.Values(in), "; ")
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestValuesOfLongArrays(t *testing.T) {
	m := Map{Params: []string{"s"}, Fields: []Field{{Size: 1, Stride: 1, Name: "s[]"}}}
	var in []Value
	for i := range 20 {
		in = append(in, Value{"arg0.data[" + string("0123456789"[i/10]) + string("0123456789"[i%10]) + "]", "1", 8})
	}
	want := []string{"s[0..20] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, and 4 more]"}
	if d := cmp.Diff(want, m.Values(in)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
