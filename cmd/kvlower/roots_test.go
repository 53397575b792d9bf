//go:build llvm

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestRoots lists what other modules can call: by its own name, by another one, or where each
// module has a copy and one of them is taken. What others may put in its place has no body.
func TestRoots(t *testing.T) {
	const text = `target triple = "x86_64-unknown-linux-gnu"
@other = alias void (), ptr @aliased
@inner = internal alias void (), ptr @private
define void @plain() { ret void }
define internal void @aliased() { ret void }
define internal void @private() { ret void }
define weak_odr void @odr() { ret void }
define linkonce_odr void @once() { ret void }
define weak void @replaced() { ret void }
define available_externally void @elsewhere() { ret void }
`
	dir := t.TempDir()
	source, file := filepath.Join(dir, "x.ll"), filepath.Join(dir, "x.bc")
	if err := os.WriteFile(source, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("llvm-as", "-o", file, source).CombinedOutput(); err != nil {
		t.Fatalf("llvm-as: %v\n%s", err, out)
	}
	c, err := cutter([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Roots(), []string{"aliased", "odr", "once", "plain"}; !slices.Equal(got, want) {
		t.Errorf("roots %q, want %q", got, want)
	}
}
