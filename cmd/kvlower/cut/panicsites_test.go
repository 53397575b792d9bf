package cut_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// One line per check, whoever holds it: the same ones whichever functions are
// roots, reached by them or not.
func TestPanics(t *testing.T) {
	var all string
	for _, roots := range [][]string{{"arithmetic", "forwarded", "library"}, {"arithmetic"}, nil} {
		b, err := os.ReadFile("../testdata/sites.kvbc")
		if err != nil {
			t.Fatal(err)
		}
		m, err := module.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		m.Roots = slices.DeleteFunc(m.Roots, func(r string) bool { return !slices.Contains(roots, r) })
		c, err := cut.New(m)
		if err != nil {
			t.Fatal(err)
		}
		var text, places strings.Builder
		reached := 0
		for _, p := range c.Owners().Panics {
			fmt.Fprintf(&text, "%s %s:%d:%d located=%v reached=%v\n", p.Kind, p.At.File, p.At.Line, p.At.Col, p.Located, p.Reached)
			fmt.Fprintf(&places, "%s %s:%d:%d\n", p.Kind, p.At.File, p.At.Line, p.At.Col)
			if p.Reached {
				reached++
			}
		}
		switch {
		case all == "":
			all = places.String()
		case places.String() != all:
			t.Errorf("roots %q: other checks than with all roots:\n%s", roots, places.String())
		}
		if (reached > 0) != (len(roots) > 0) {
			t.Errorf("roots %q reach %d checks", roots, reached)
		}
		if len(roots) == 1 {
			golden(t, "panics.golden", text.String())
		}
	}
}

// C may come to a function by its name, by a table in constant data, or because
// it was handed the address; not by the table of a trait object.
func TestCalled(t *testing.T) {
	ret := &ir.Inst{Op: ir.Ret, Result: -1}
	fn := func(symbol, name string, insts ...*ir.Inst) *module.Func {
		insts = append(insts, ret)
		return &module.Func{Symbol: symbol, Name: name, Defined: true, Own: true, Blocks: []*ir.Block{{Insts: insts}}, At: [][]int{make([]int, len(insts))}}
	}
	addr := func(i int) ir.Value { return ir.Value{Kind: ir.FuncAddr, Type: ir.PtrType, Index: i} }
	data := func(name string, i int) *module.Global {
		return &module.Global{Name: name, Global: ir.Global{Size: 8, Const: true, Data: make([]byte, 8), Relocs: []ir.Reloc{{Target: addr(i)}}}}
	}
	m := &module.Module{Triple: "x86_64-unknown-none", Roots: []string{"open"},
		Globals: []*module.Global{data("alloc_ops", 1), data("vtable.3", 2)},
		Funcs: []*module.Func{
			fn("open", "open", &ir.Inst{Op: ir.Call, Result: -1, Type: ir.VoidType, Args: []ir.Value{addr(5), addr(3)}},
				&ir.Inst{Op: ir.Call, Result: -1, Type: ir.VoidType, Args: []ir.Value{addr(4), addr(4)}}),
			fn("_R1read", "k::read"), fn("_R1drop", "k::drop"), fn("_R1work", "k::work"), fn("_R1mine", "k::mine"),
			{Symbol: "queue_work", Name: "queue_work"},
			fn("__rust__adddf3", "__rust__adddf3"),
		}}
	c, err := cut.New(m)
	if err != nil {
		t.Fatal(err)
	}
	for symbol, want := range map[string]position.Called{"open": position.ByName, "_R1read": position.ByAddress, "_R1drop": "", "_R1work": position.ByAddress, "_R1mine": "", "__rust__adddf3": ""} {
		if got := c.Called(symbol); got != want {
			t.Errorf("%s is called by %q, want %q", symbol, got, want)
		}
	}
	if got := c.Callbacks(); !slices.Equal(got, []string{"_R1read", "_R1work"}) {
		t.Errorf("callbacks %q", got)
	}
}

// What is left of a module that nothing was taken out of is all that it holds.
func TestRemains(t *testing.T) {
	c := cutter(t, "sites.kvbc")
	left := map[string]bool{}
	for _, p := range c.Remains() {
		left[fmt.Sprintf("%s %s:%d:%d", p.Kind, p.At.File, p.At.Line, p.At.Col)] = true
	}
	for _, p := range c.Owners().Panics {
		at := fmt.Sprintf("%s:%d:%d", p.At.File, p.At.Line, p.At.Col)
		if !left[p.Kind+" "+at] && !left[" "+at] {
			t.Errorf("%s %s is not listed", p.Kind, at)
		}
	}
	if left["bounds sites.rs:19:5"] || left[" sites.rs:19:5"] {
		t.Errorf("kinds that line 19 does not have are listed")
	}
}

// The list of what remains is the same bytes each time, also where a call that passes a location and one
// that does not stand at one place.
func TestRemainsInOrder(t *testing.T) {
	name := &module.Global{Name: "name", Global: ir.Global{Size: 4, Align: 1, Const: true, Data: []byte("a.rs")}}
	loc := &module.Global{Name: "loc", Global: ir.Global{Size: ir.LocSize, Align: 8, Const: true, UnnamedAddr: true, Data: make([]byte, ir.LocSize),
		Relocs: []ir.Reloc{{Target: ir.Value{Kind: ir.GlobalAddr, Type: ir.PtrType}}}}}
	loc.Data[8], loc.Data[16], loc.Data[20] = 4, 7, 9
	call := func(args ...ir.Value) *ir.Inst {
		return &ir.Inst{Op: ir.Call, Type: ir.VoidType, Result: -1, Args: append([]ir.Value{{Kind: ir.FuncAddr, Type: ir.PtrType, Index: 1}}, args...)}
	}
	insts := []*ir.Inst{call(ir.Value{Kind: ir.GlobalAddr, Type: ir.PtrType, Index: 1}), call(), {Op: ir.Unreachable, Type: ir.VoidType, Result: -1}}
	m := &module.Module{Triple: "x86_64-unknown-none", Globals: []*module.Global{name, loc}, Positions: []module.Position{{File: "a.rs", Line: 7, Col: 9}},
		Funcs: []*module.Func{
			{Symbol: "f", Name: "f", Defined: true, Blocks: []*ir.Block{{Insts: insts}}, At: [][]int{{1, 1, 0}}},
			{Symbol: "p", Name: "core::panicking::panic_bounds_check", Sig: ir.Sig{NoReturn: true}},
		}}
	var first []position.Panic
	for range 50 {
		c, err := cut.New(m)
		if err != nil {
			t.Fatal(err)
		}
		all := c.Remains()
		if first == nil {
			first = all
		}
		if len(all) != 2 || !slices.Equal(all, first) {
			t.Fatalf("%v, and then %v", first, all)
		}
	}
}
