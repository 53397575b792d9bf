package cut_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// Architectures share the slices, and with them the proofs, of all that holds
// no assembly.
func TestArch(t *testing.T) {
	slice := func(triple string, insts ...*ir.Inst) string {
		insts = append(insts, &ir.Inst{Op: ir.Ret, Type: ir.VoidType, Result: -1})
		m := &module.Module{Triple: triple, Roots: []string{"f"}, Funcs: []*module.Func{{Symbol: "f", Name: "f", Defined: true,
			Sig: ir.Sig{Ret: ir.Param{Type: ir.VoidType}}, Blocks: []*ir.Block{{Insts: insts}}, At: [][]int{make([]int, len(insts))}}}}
		c, err := cut.New(m)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := c.Cut("f")
		if err != nil {
			t.Fatal(err)
		}
		return string(ir.Print(s))
	}
	const x86, arm64 = "x86_64-unknown-none", "aarch64-unknown-none-softfloat"
	if a, b := slice(x86), slice(arm64); a != b {
		t.Errorf("slices of two architectures differ:\n%s\n%s", a, b)
	}
	asm := &ir.Inst{Op: ir.Call, Type: ir.VoidType, Result: -1, CallSig: &ir.Sig{Ret: ir.Param{Type: ir.VoidType}}, Args: []ir.Value{
		{Kind: ir.AsmRef, Type: ir.PtrType, Asm: &ir.Asm{Template: "nop", SideEffect: true}}}}
	if a, b := slice(x86, asm), slice(arm64, asm); a == b {
		t.Errorf("what the same assembly does on two architectures is taken for the same:\n%s", a)
	}
	if _, err := cut.New(&module.Module{Triple: "riscv64gc-unknown-none-elf"}); err == nil {
		t.Error("an architecture that the engine does not know is no error")
	}
}
