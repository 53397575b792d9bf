package cut

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// A way begins with a function that says something of the arguments: what is small is
// passed through, as long as all that call it are known.
func TestWays(t *testing.T) {
	size := map[string]int{"small": 5, "tiny": 5, "large": 500, "big": 500, "root": 5, "taken": 5}
	for _, tt := range []struct {
		by   map[string][]string
		want string
	}{
		{map[string][]string{"f": {"large"}}, "[[large]]"},
		{map[string][]string{"f": {"large", "f"}}, "[[large]]"},
		{map[string][]string{"f": {"small"}, "small": {"large", "big"}}, "[[large small] [big small]]"},
		{map[string][]string{"f": {"small"}, "small": {"tiny"}, "tiny": {"large"}}, "[[large tiny small]]"},
		{map[string][]string{"f": {"small"}, "small": {"f"}}, "[[small]]"},
		{map[string][]string{"f": {"small"}, "small": {"tiny"}, "tiny": {"small"}}, "[[tiny small]]"},
		{map[string][]string{"f": {"root"}, "root": {"large"}}, "[[root]]"},
		{map[string][]string{"f": {"taken"}, "taken": {"large"}}, "[[taken]]"},
		{map[string][]string{"f": {"small"}, "small": {"1", "2", "3", "4", "5", "6", "7", "8", "9"}}, "[[small]]"},
		{map[string][]string{"f": {"1", "2", "3", "4", "5", "6", "7", "8", "9"}}, "[]"},
		{map[string][]string{"f": {"f"}}, "[]"},
		{map[string][]string{}, "[]"},
	} {
		c := &Cutter{m: &module.Module{Roots: []string{"root"}}, bySym: map[string]int{}, roots: []string{"root"}}
		for _, symbols := range tt.by {
			for _, s := range append(slices.Clone(symbols), "f", "root") {
				if _, ok := c.bySym[s]; !ok {
					c.bySym[s] = len(c.m.Funcs)
					c.m.Funcs = append(c.m.Funcs, &module.Func{Symbol: s, Name: "a::" + s, Defined: true})
				}
			}
		}
		if len(c.m.Funcs) == 0 {
			c.m.Funcs = append(c.m.Funcs, &module.Func{Symbol: "f", Name: "a::f"})
		}
		c.panic = make([]string, len(c.m.Funcs))
		o := &Owners{calls: calls{by: tt.by, taken: map[string]bool{"taken": true}, sizes: size}}
		if got := fmt.Sprint(o.Ways(c, "f")); got != tt.want {
			t.Errorf("%v: ways %s, want %s", tt.by, got, tt.want)
		}
	}
}

// What says how to panic is no caller that a proof looks at: it may call what it names,
// and so may whoever finds a table of functions that nothing else names.
func TestWaysBeyond(t *testing.T) {
	address := func(fn int) ir.Value { return ir.Value{Kind: ir.FuncAddr, Type: ir.PtrType, Index: fn} }
	void := ir.Param{Type: ir.VoidType}
	calls := func(args ...ir.Value) []*ir.Block {
		sig := &ir.Sig{Ret: void}
		for range args[1:] {
			sig.Params = append(sig.Params, ir.Param{Type: ir.PtrType})
		}
		return []*ir.Block{{Insts: []*ir.Inst{
			{Op: ir.Call, Type: ir.VoidType, Result: -1, Args: args, CallSig: sig},
			{Op: ir.Ret, Type: ir.VoidType, Result: -1},
		}}}
	}
	for named, want := range map[string]string{"": "[[root]]", "panic": "[]", "table": "[]"} {
		m := &module.Module{Triple: "x86_64-unknown-none", Roots: []string{"root"}}
		for _, name := range []string{"root", "fmt", "core::panicking::assert_failed", "quiet"} {
			m.Funcs = append(m.Funcs, &module.Func{Symbol: strings.TrimPrefix(name, "core::panicking::"), Name: "a::" + name, Defined: true, Own: true, Sig: ir.Sig{Ret: void}})
		}
		panics := m.Funcs[2]
		panics.Name, panics.Sig.NoReturn = "core::panicking::assert_failed", true
		m.Funcs[0].Blocks = append(calls(address(1)), calls(address(2))...)
		m.Funcs[0].Blocks[0].Insts[1] = &ir.Inst{Op: ir.Br, Type: ir.VoidType, Result: -1, Targets: []int{1}}
		m.Funcs[1].Blocks, m.Funcs[3].Blocks, panics.Blocks = calls(address(3)), calls(address(3))[:1], calls(address(3))
		m.Funcs[3].Blocks[0].Insts = m.Funcs[3].Blocks[0].Insts[1:]
		switch named {
		case "panic":
			panics.Blocks = calls(address(3), address(1))
		case "table":
			m.Globals = []*module.Global{{Name: "vtable.0", Global: ir.Global{Size: 8, Align: 8, Const: true, Relocs: []ir.Reloc{{Target: address(1)}}}}}
		}
		for _, f := range m.Funcs {
			for _, b := range f.Blocks {
				f.At = append(f.At, make([]int, len(b.Insts)))
			}
		}
		c, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Owners().Ways(c, "fmt")); got != want {
			t.Errorf("named by %q: ways %s, want %s", named, got, want)
		}
	}
}
