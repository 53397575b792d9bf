package exec_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// The executor and the interpreter, which share no code, must take the same templates for harmless.
func TestTemplates(t *testing.T) {
	const entry = ".pushsection __bug_table,\"aw\"; .align 2; 0: .long 1f - .;"
	for _, c := range []struct {
		template, constraints string
		known                 bool
	}{
		{"", "~{memory}", true}, {"nop", "", true}, {"nop; nop", "", true}, {"mfence", "~{memory}", true},
		{"rep; nop", "", true}, {"lock; addl $$0,-4(%rsp)", "", true}, {"dmb ishld", "", true}, {"hint #20", "", true},
		{"1: nop # label", "", true}, {"/* why */ pause", "", true},
		{"ud2", "", false}, {"rep; movsb", "", false}, {"lock; addl $$1,-4(%rsp)", "", false}, {"cpuid", "", false},
		{"", "=r", false}, {"nop\nwbinvd", "", false}, {".popsection\ncpuid\n.pushsection x", "", false},
		{".pushsection x\n.quad 0\n.popsection", "", true}, {"jmp ${0:l}", "", false},
		{"14471:brk 0x800", "", false}, {entry + ".short 2305;.align 2; .popsection; 1:brk 0x800", "", true}, {"b ${0:l}", "", false},
		{entry + ".short 2305;.align 2; .popsection; 1:brk 0x900", "", false}, {"svc #0", "", false}, {"wfi", "", false},
	} {
		void := ir.Param{Type: ir.VoidType}
		call := &ir.Inst{Op: ir.Call, Type: ir.VoidType, Result: -1, CallSig: &ir.Sig{Ret: void}, Args: []ir.Value{
			{Kind: ir.AsmRef, Type: ir.PtrType, Asm: &ir.Asm{Template: c.template, Constraints: c.constraints, SideEffect: true}}}}
		s := &ir.Slice{Arch: "x86_64", Funcs: []*ir.Func{{Sig: ir.Sig{Ret: void}, Blocks: []*ir.Block{{Insts: []*ir.Inst{
			call, {Op: ir.Ret, Type: ir.VoidType, Result: -1}}}}}}}
		if r := exec.Run(s, exec.Config{}); (len(r.Stopped) == 0) != c.known {
			t.Errorf("executor: %q %q: stopped %v", c.template, c.constraints, r.Stopped)
		}
		o, err := interp.Run(s, interp.Random(1), interp.Limits{})
		if err != nil || (o.Kind == interp.Returned) != c.known {
			t.Errorf("interpreter: %q %q: %v, %v", c.template, c.constraints, &o, err)
		}
	}
}
