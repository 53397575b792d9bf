package cut

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// A walk that goes on, to code that no root reaches, leaves alone what it has numbered: the
// address in a table was taken for a panic location that had the same number in the module,
// and the location for nobody's; one that is in a table could be taken for somebody's.
func TestWalkGoesOn(t *testing.T) {
	address := func(g int) ir.Value { return ir.Value{Kind: ir.GlobalAddr, Type: ir.PtrType, Index: g} }
	global := func(g ir.Global) *module.Global {
		g.Align, g.Const, g.UnnamedAddr = 8, true, true
		return &module.Global{Global: g}
	}
	at := make([]byte, ir.LocSize)
	binary.LittleEndian.PutUint64(at[8:], 4)
	at[16], at[20] = 7, 5
	name := global(ir.Global{Size: 4, Data: []byte("a.rs")})
	loc := global(ir.Global{Size: ir.LocSize, Data: at, Relocs: []ir.Reloc{{Target: address(0)}}})
	data := global(ir.Global{Size: 8, Data: make([]byte, 8)})
	table := global(ir.Global{Size: 8, Data: make([]byte, 8), Relocs: []ir.Reloc{{Target: address(3)}}})

	ptr := []ir.Param{{Type: ir.PtrType}}
	sig := ir.Sig{Params: ptr, Ret: ir.Param{Type: ir.VoidType}}
	panics := sig
	panics.NoReturn = true
	call := func(fn, g int) *ir.Inst {
		callee := ir.Value{Kind: ir.FuncAddr, Type: ir.PtrType, Index: fn}
		return &ir.Inst{Op: ir.Call, Type: ir.VoidType, Result: -1, Args: []ir.Value{callee, address(g)}, CallSig: &sig}
	}
	ret := &ir.Inst{Op: ir.Ret, Type: ir.VoidType, Result: -1}
	define := func(name string, insts ...*ir.Inst) *module.Func {
		return &module.Func{Symbol: name, Name: "a::" + name, Defined: true, Own: true, Sig: sig, Regs: []*ir.Type{ir.PtrType},
			Blocks: []*ir.Block{{Insts: append(insts, ret)}}, At: [][]int{make([]int, len(insts)+1)}}
	}
	m := &module.Module{Triple: "x86_64-unknown-none", Roots: []string{"root"},
		Globals: []*module.Global{name, table, loc, data},
		Funcs: []*module.Func{
			define("root", call(1, 2), call(2, 1)), // the panic's location is numbered first, then the table, then data
			{Symbol: "panic", Name: "core::panicking::panic_const::panic_const_add_overflow", Sig: panics},
			{Symbol: "use", Name: "use", Sig: sig},
			define("quiet"),
		}}
	c, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	o := c.Owners()
	s, positions, err := c.Cut("root")
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Owns(s, positions); !slices.Equal(got, []int{0}) {
		t.Errorf("the root owns %v, want the location of its panic", got)
	}
}
