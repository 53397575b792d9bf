//go:build llvm

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/position"
)

// assemble makes bitcode of LLVM's text form.
func assemble(t *testing.T, text string) (file string) {
	t.Helper()
	dir := t.TempDir()
	source, file := filepath.Join(dir, "x.ll"), filepath.Join(dir, "x.bc")
	if err := os.WriteFile(source, []byte("target triple = \"x86_64-unknown-linux-gnu\"\n"+text), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("llvm-as", "-o", file, source).CombinedOutput(); err != nil {
		t.Fatalf("llvm-as: %v\n%s", err, out)
	}
	return file
}

// TestRoots lists what other modules can call: by its own name, by another one, or where each
// module has a copy and one of them is taken. What others may put in its place has no body.
func TestRoots(t *testing.T) {
	file := assemble(t, `
@other = alias void (), ptr @aliased
@inner = internal alias void (), ptr @private
define void @plain() { ret void }
define internal void @aliased() { ret void }
define internal void @private() { ret void }
define weak_odr void @odr() { ret void }
define linkonce_odr void @once() { ret void }
define weak void @replaced() { ret void }
define available_externally void @elsewhere() { ret void }
`)
	c, err := cutter([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Roots(), []string{"aliased", "odr", "once", "plain"}; !slices.Equal(got, want) {
		t.Errorf("roots %q, want %q", got, want)
	}
}

// Each panic call in the index says how many automatic roots lead to it: it is proved if each of them came
// to a proof.
func TestRootsOfPanics(t *testing.T) {
	file := assemble(t, `
declare void @_RNvNtCs1_4core9panicking9panic_fmt(ptr) noreturn
define internal void @by_two() {
  call void @_RNvNtCs1_4core9panicking9panic_fmt(ptr null)
  unreachable
}
define internal void @by_none() {
  call void @_RNvNtCs1_4core9panicking9panic_fmt(ptr null)
  unreachable
}
define void @one() {
  call void @by_two()
  call void @_RNvNtCs1_4core9panicking9panic_fmt(ptr null)
  unreachable
}
define void @two() {
  call void @by_two()
  call void @by_two()
  ret void
}
`)
	dir := t.TempDir()
	if err := lower(job{files: []string{file}, out: dir}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := position.DecodeIndex(text)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, p := range index.Panics {
		got[p.At.Func] = p.Roots
		if p.Reached != (p.Roots > 0) {
			t.Errorf("%s: reached %v, by %d roots", p.At.Func, p.Reached, p.Roots)
		}
	}
	if d := cmp.Diff(map[string]int{"by_two": 2, "by_none": 0, "one": 1}, got); d != "" {
		t.Errorf("roots of panic calls (-want +got):\n%s", d)
	}
}
