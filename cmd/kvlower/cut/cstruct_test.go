package cut

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// wrapped is Opaque<T> as rustc describes it.
func wrapped(t *module.DebugType) *module.DebugType {
	for _, w := range []module.DebugType{
		{Name: "MaybeDangling<T>", Scope: "core::mem::maybe_dangling"}, {Name: "ManuallyDrop<T>", Scope: "core::mem::manually_drop"},
		{Name: "MaybeUninit<T>", Scope: "core::mem::maybe_uninit"}, {Name: "UnsafeCell<T>", Scope: "core::cell"},
		{Name: "Opaque<T>", Scope: "kernel::types"},
	} {
		w.Tag, w.Size, w.Members = module.TagStructure, t.Size, []module.Member{{Name: "value", Type: t}}
		t = &w
	}
	return t
}

// TestForeign describes what lies in an Opaque: numbers are any, a bool is a bool, all else is hidden.
func TestForeign(t *testing.T) {
	u32 := &module.DebugType{Tag: module.TagBase, Name: "u32", Size: 4}
	truth := &module.DebugType{Tag: module.TagBase, Name: "bool", Size: 1}
	ptr := &module.DebugType{Tag: module.TagPointer, Name: "*mut u32", Size: 8, Base: u32}
	union := &module.DebugType{Tag: module.TagUnion, Name: "u", Size: 4, Members: []module.Member{{Type: u32}}}
	nonzero := &module.DebugType{Tag: module.TagStructure, Scope: "core::num::nonzero", Name: "NonZero<u32>", Size: 4, Members: []module.Member{{Type: u32}}}
	pair := &module.DebugType{Tag: module.TagArray, Size: 8, Base: u32, Len: 2}
	c := &module.DebugType{Tag: module.TagStructure, Name: "thing", Size: 40, Align: 8, Members: []module.Member{
		{Type: u32}, {Offset: 4, Type: truth}, {Offset: 8, Type: ptr}, {Offset: 16, Type: pair}, {Offset: 24, Type: union}, {Offset: 28, Type: nonzero}, {Offset: 32, Type: u32},
	}}
	s, ok := foreign(wrapped(c))
	if !ok {
		t.Fatal("Opaque<thing> is not described")
	}
	var got []string
	for _, f := range s.Fields {
		got = append(got, fmt.Sprint(f.Kind, f.Off, "+", f.Size))
	}
	want := []string{"bits 0+4", "range 4+1", "bits 5+3", "opaque 8+8", "bits 16+8", "opaque 24+8", "bits 32+8"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, other := range []*module.DebugType{c, wrapped(ptr), wrapped(union)} {
		if s, ok := foreign(other); ok {
			t.Errorf("%s is described as %v", other.Name, s)
		}
	}
}
