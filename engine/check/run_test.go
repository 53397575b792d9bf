package check_test

import (
	"os"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// A run on inputs from elsewhere refutes what it fails at, and else says nothing.
func TestRun(t *testing.T) {
	for _, tt := range []struct {
		value, kind string
		want        verdict.Word
	}{
		{"9", "trap", verdict.Refuted},
		{"8", "", verdict.Unknown},
		{"300", "", verdict.Unknown}, // does not fit
	} {
		text, err := os.ReadFile("../testdata/refuted/trap.kvs")
		if err != nil {
			t.Fatal(err)
		}
		s, err := ir.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := check.Run(s, []verdict.Input{{Name: "any#0", Bits: 8, Value: tt.value}})
		if err != nil {
			t.Fatal(err)
		}
		kind := ""
		if len(v.Sites) > 0 {
			kind = v.Sites[0].Kind
		}
		if v.Verdict != tt.want || kind != tt.kind || (v.Reason == "") != (kind != "") {
			t.Errorf("%s: %v %s (%s), want %v %s", tt.value, v.Verdict, kind, v.Reason, tt.want, tt.kind)
		}
		if r, err := check.ReplayAll(s, v); err != nil || len(r.Witnesses) > 0 && !r.Witnesses[0].Reached {
			t.Errorf("%s: its witness is replayed: %v, %v", tt.value, r, err)
		}
	}
	if _, err := check.Run(&ir.Slice{}, []verdict.Input{{Name: "any#0", Bits: 8, Value: "x"}}); err == nil {
		t.Error("a value that is no number is taken")
	}
}

// A failure hangs on what a function returned if it is gone with something else.
func TestWitnessNamesWhatMustReturnZero(t *testing.T) {
	s, err := ir.Parse([]byte(`kvslice 1
extern @assert "kvfarm_assert" (i1)
extern @nid "rust_helper_page_to_nid" (ptr) -> i32
extern @set "regulator_enable" (ptr) -> i32
extern @try "mutex_trylock" (ptr) -> i32
extern @first "rust_helper_rb_first" (ptr) -> ptr
func @f (i32 noundef %n) {
  %x = alloca 4, align 4
  %a = call i32 @nid(ptr %x)
  %b = call i32 @set(ptr %x)
  %c = call i32 @try(ptr %x)
  %d = call ptr @first(ptr %x)
  %one = icmp eq i32 %b, 0
  %two = icmp eq ptr %d, null
  %three = icmp eq i32 %n, 7
  %both = and i1 %one, %two
  %all = and i1 %both, %three
  %ok = xor i1 %all, 1
  call void @assert(i1 %ok)
  ret void
}
inputs { bits 4 align 4 }
`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"regulator_enable", "rust_helper_rb_first"}
	if len(v.Witnesses) != 1 || !slices.Equal(v.Witnesses[0].Zero, want) {
		t.Errorf("%s %s: witnesses %+v, want one in which %q had to return 0", v.Verdict, v.Reason, v.Witnesses, want)
	}
}

// A witness says which functions returned 0 for want of anything better: it may hang on that.
func TestWitnessNamesWhatReturnedZero(t *testing.T) {
	v, err := check.Prove(readSlice(t, "refuted/any_result"), exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"rust_helper_refcount_dec_and_test"}
	if len(v.Witnesses) != 1 || !slices.Equal(v.Witnesses[0].Zero, want) {
		t.Errorf("witnesses %+v, want one in which %q returned 0", v.Witnesses, want)
	}
	if v, err = check.Prove(readSlice(t, "refuted/trap"), exec.Config{}); err != nil || len(v.Witnesses) == 0 || v.Witnesses[0].Zero != nil {
		t.Errorf("where nothing returned 0: %+v, %v", v, err)
	}
}
