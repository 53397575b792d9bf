package cut_test

import (
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// unknownIn asks the engine about every probe and lists what it does not know, by row.
func unknownIn(t *testing.T, m *module.Module) map[string]string {
	t.Helper()
	rows, err := cut.Census(m)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for what, r := range rows {
		for p := range r.Probes {
			s, err := ir.Parse([]byte(p))
			if err != nil {
				t.Fatalf("%s: %v\n%s", what, err, p)
			}
			why, err := check.Knows(s)
			if err != nil {
				t.Fatalf("%s: %v\n%s", what, err, p)
			}
			if why != "" {
				out[what] = why
			}
		}
	}
	return out
}

// What rustc makes of the test programs is known to the engine, but for C functions and floating point.
func TestProbesOfCompiledCode(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.kvbc")
	if err != nil || len(files) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := module.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		for what, why := range unknownIn(t, m) {
			name, isC := strings.CutPrefix(what, "call of C ")
			if isC && why == "stub: "+name || strings.HasSuffix(what, "floating point") {
				continue
			}
			t.Errorf("%s: %s: %s", file, what, why)
		}
	}
}

// The rows of a construct that the engine lacks say so, and only those.
func TestProbesNameWhatIsMissing(t *testing.T) {
	reg := func(i int, ty *ir.Type) ir.Value { return ir.Value{Kind: ir.Reg, Type: ty, Index: i} }
	one := ir.Value{Kind: ir.ConstInt, Type: ir.I32, Big: big.NewInt(1)}
	asm := ir.Value{Kind: ir.AsmRef, Type: ir.PtrType, Asm: &ir.Asm{Template: "cpuid", SideEffect: true}}
	void := &ir.Sig{Ret: ir.Param{Type: ir.VoidType}}
	f := &module.Func{Symbol: "f", Name: "f", Defined: true, Regs: []*ir.Type{ir.I32, ir.I32},
		Sig: ir.Sig{Params: []ir.Param{{Type: ir.I32}}, Ret: ir.Param{Type: ir.VoidType}}}
	f.Blocks = []*ir.Block{{Insts: []*ir.Inst{
		{Op: ir.Add, Type: ir.I32, Result: 1, Flags: ir.NUW, Args: []ir.Value{reg(0, ir.I32), one}},
		{Op: ir.Call, Type: ir.VoidType, Result: -1, Args: []ir.Value{asm}, CallSig: void},
		{Op: ir.Call, Type: ir.VoidType, Result: -1, Args: []ir.Value{{Kind: ir.FuncAddr, Type: ir.PtrType, Index: 1}}, CallSig: void},
		{Op: ir.Unsupported, Type: ir.VoidType, Result: -1, Text: "va_arg"},
		{Op: ir.Ret, Type: ir.VoidType, Result: -1},
	}}}
	m := &module.Module{Funcs: []*module.Func{f, {Symbol: "reboot", Name: "reboot", Sig: *void}}}
	want := map[string]string{
		"call of assembly cpuid": "inline assembly", "call of C reboot": "stub: reboot",
		"unsupported va_arg": "unsupported: va_arg",
	}
	if d := cmp.Diff(want, unknownIn(t, m)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
