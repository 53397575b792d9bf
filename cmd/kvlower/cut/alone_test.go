package cut_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// parsed is a module of the functions in text.
func parsed(t *testing.T, text string) *cut.Cutter {
	t.Helper()
	s, err := ir.Parse([]byte("kvslice 1\narch x86_64\n" + text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	m := &module.Module{Triple: "x86_64-unknown-none", Roots: []string{"root"}}
	for _, g := range s.Globals {
		m.Globals = append(m.Globals, &module.Global{Global: *g})
	}
	for _, f := range s.Funcs {
		at := make([][]int, len(f.Blocks))
		for i, b := range f.Blocks {
			at[i] = make([]int, len(b.Insts))
		}
		m.Funcs = append(m.Funcs, &module.Func{Symbol: f.Name, Name: f.Name, Defined: true, Sig: f.Sig, Regs: f.Regs, Blocks: f.Blocks, At: at})
	}
	c, err := cut.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// long are n instructions.
func long(n int) string { return strings.Repeat("  fence seq_cst\n", n) }

// A slice of a root alone survives what happens in functions that are not followed, and nothing else.
func TestAloneSurvives(t *testing.T) {
	const table = "global @table const align 8 = ptr @far\n"
	base := []string{
		"func @root (i64 %n) {\n  call void @near()\n  call void @loops(i64 %n)\n  call void @large()\n  call void @taken(ptr @table)\n  ret void\n}\n",
		"func @near () {\n  fence seq_cst\n  ret void\n}\n",
		"func @loops (i64 %n) {\n  br label %head\nhead:\n  br label %head\n}\n",
		"func @large () {\n  call void @within()\n  ret void\n}\n",
		"func @within () {\n" + long(ir.Followed) + "  ret void\n}\n",
		"func @taken (ptr %p) {\n  call void @taken(ptr %p)\n  ret void\n}\n",
		"func @far () {\n" + long(ir.Followed) + "  ret void\n}\n",
	}
	slice := func(old, new string) string {
		text := table + strings.Join(base, "")
		if !strings.Contains(text, old) {
			t.Fatalf("no %q", old)
		}
		s, _, _, err := parsed(t, strings.Replace(text, old, new, 1)).CutAlone("root")
		if err != nil {
			t.Fatal(err)
		}
		return string(ir.Print(s))
	}
	was := slice(table, table)
	if n := strings.Count(was, "omitted"); n != 4 || strings.Count(was, "\nfunc ") != 2 {
		t.Errorf("%d functions are left out, want loops, large, taken and far:\n%s", n, was)
	}
	for _, tt := range []struct {
		old, new string
		same     bool
	}{
		{"br label %head\n}", "fence seq_cst\n  br label %head\n}", true},
		{"call void @within()\n", "fence seq_cst\n  call void @within()\n", true},
		{"func @within () {\n", "func @within () {\n  fence acquire\n", true},
		{"func @far () {\n", "func @far () {\n  fence acquire\n", true},
		{"func @loops", "func @other () {\n  ret void\n}\nfunc @loops", true},
		{"func @near () {\n", "func @near () {\n  fence acquire\n", false},
		{"func @taken (ptr %p)", "func @taken (ptr noundef %p)", false},
		{"head:\n  br label %head", "head:\n  ret void", false}, // it has no loop any more
		{"call void @near()", "call void @large()", false},
		{"ptr @far", "ptr @near", false},
	} {
		if is := slice(tt.old, tt.new); (is == was) != tt.same {
			t.Errorf("%q for %q: same slice %v, want %v\n%s", tt.new, tt.old, is == was, tt.same, is)
		}
	}
}

// What is followed up to the limit is in the slice, and the functions that are asked for.
func TestAloneThrough(t *testing.T) {
	for _, tt := range []struct {
		body    int // instructions of what a small function calls
		through []string
		want    string
	}{
		{ir.Followed - 3, nil, "[root small body]"},
		{ir.Followed - 2, nil, "[root]"},
		{ir.Followed, []string{"small"}, "[root small]"},
		{ir.Followed, []string{"small", "body"}, "[root small body]"},
	} {
		c := parsed(t, "func @root () {\n  call void @small()\n  call void @root()\n  ret void\n}\n"+
			"func @small () {\n  call void @body()\n  ret void\n}\nfunc @body () {\n"+long(tt.body)+"  ret void\n}\n")
		s, m, symbols, err := c.CutAlone("root", tt.through...)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(symbols); got != tt.want || len(s.Funcs) != len(m.Funcs) {
			t.Errorf("%d instructions through %q: %s, want %s", tt.body, tt.through, got, tt.want)
		}
	}
	if _, _, _, err := parsed(t, "func @root () { ret void }\n").CutAlone("none"); err == nil {
		t.Error("a slice of no function")
	}
}
