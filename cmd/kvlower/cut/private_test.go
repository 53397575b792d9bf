package cut

import (
	"os"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Which parameters are private fields is found wherever they stand in what is passed itself, and nowhere else.
func TestPrivateParameters(t *testing.T) {
	num := &module.DebugType{Tag: module.TagBase, Name: "u32", Size: 4, Align: 4}
	newtype := func(name string, private bool, of *module.DebugType) *module.DebugType {
		return &module.DebugType{Tag: module.TagStructure, Name: name, Size: of.Size, Align: of.Size,
			Members: []module.Member{{Name: "__0", Size: of.Size, Type: of, Private: private}}}
	}
	bounded := newtype("Bounded", true, num)
	pair := &module.DebugType{Tag: module.TagStructure, Name: "Pair", Size: 8, Align: 4, Members: []module.Member{
		{Name: "open", Size: 4, Type: num}, {Name: "level", Offset: 4, Size: 4, Type: bounded}}}
	ref := &module.DebugType{Tag: module.TagPointer, Name: "&Bounded", Size: 8, Align: 8, Base: bounded}
	word, ptr := ir.Param{Type: ir.IntType(32)}, ir.Param{Type: ir.PtrType, Attr: ir.Attr{NonNull: true, Align: 4, Deref: 4}}
	for _, tt := range []struct {
		name   string
		of     *module.DebugType
		params []ir.Param
		want   []bool
	}{
		{"a number", num, []ir.Param{word}, []bool{false}},
		{"an open newtype", newtype("Open", false, num), []ir.Param{word}, []bool{false}},
		{"a newtype", bounded, []ir.Param{word}, []bool{true}},
		{"a private part that is open inside", newtype("Outer", true, newtype("Open", false, num)), []ir.Param{word}, []bool{true}},
		{"a pair in two registers", pair, []ir.Param{word, word}, []bool{false, true}},
		{"a pair in one", pair, []ir.Param{{Type: ir.IntType(64)}}, []bool{true}},
		{"behind a reference", ref, []ir.Param{ptr}, []bool{false}},
	} {
		got := inputs(&ir.Sig{Params: tt.params}, []*module.DebugType{tt.of}).Params
		for i, want := range tt.want {
			if holdsPrivate(&got[i]) != want {
				t.Errorf("%s: parameter %d is private: %v, want %v", tt.name, i, !want, want)
			}
		}
	}
}

// rustc says of each field who sees it, and it arrives here.
func TestPrivateFieldsOfRustc(t *testing.T) {
	b, err := os.ReadFile("../testdata/shapes.kvbc")
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{} // by type, whether its fields are private
	for _, types := range m.ParamTypes {
		for _, p := range types {
			for _, f := range p.Members {
				found[p.Name] = f.Private
			}
			if p.Base != nil && len(p.Base.Members) > 0 {
				found[p.Base.Name] = p.Base.Members[0].Private
			}
		}
	}
	for name, want := range map[string]bool{"NonNull<u32>": true, "Point": false} {
		if got, ok := found[name]; !ok || got != want {
			t.Errorf("fields of %s are private: %v (known: %v), want %v", name, got, ok, want)
		}
	}
}
