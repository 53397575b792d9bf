//go:build llvm

package bitcode_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/bitcode"
)

var (
	update  = flag.Bool("update", false, "compile the sources with rustc, and write bitcode and streams that the tests compare with")
	streams = flag.Bool("streams", false, "write the streams anew from the bitcode that is there")
)

// program is one compile of a source in testdata, and what it leaves there.
type program struct {
	source string
	name   string // of the bitcode and the stream, without suffix
	flags  []string
	typed  bool // with types from a second compile
}

var programs = []program{
	{source: "same/base.rs", name: "same/base"},
	{source: "same/base.rs", name: "same/crate_name", flags: []string{"--crate-name", "another"}},
	{source: "same/comments.rs", name: "same/comments"},
	{source: "same/edited.rs", name: "same/edited"},
	{source: "same/renamed.rs", name: "same/renamed"},
	{source: "same/unrelated.rs", name: "same/unrelated"},
	{source: "shapes.rs", name: "shapes", typed: true},
	{source: "sites.rs", name: "sites"},
	{source: "owners.rs", name: "owners", typed: true},
}

// The streams that the tests of other packages read are what LLVM makes of the
// bitcode beside them, which rustc 1.96 made of the sources.
func TestStreamsAreFresh(t *testing.T) {
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			base := filepath.Join("../testdata", p.name)
			var types []string
			if p.typed {
				types = []string{base + ".types.bc"}
			}
			if *update {
				compile(t, p, "1", base+".bc")
			}
			if *update && p.typed {
				compile(t, p, "2", types[0])
			}
			got, err := bitcode.Read([]string{base + ".bc"}, types)
			if err != nil {
				t.Fatal(err)
			}
			if *update || *streams {
				if err := os.WriteFile(base+".kvbc", got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(base + ".kvbc")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got) {
				t.Errorf("%s.kvbc is stale: run this test with -streams, or -update where its source changed", base)
			}
		})
	}
}

// compile makes bitcode as the kernel's crates are compiled for proofs.
func compile(t *testing.T, p program, debug, out string) {
	t.Helper()
	dir := filepath.Join("../testdata", filepath.Dir(p.source))
	abs, err := filepath.Abs(out)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--edition=2021", "--crate-type=rlib", "-Copt-level=2", "-Cno-prepopulate-passes",
		"-Coverflow-checks=on", "-Cdebuginfo=" + debug, "-Csymbol-mangling-version=v0", "-Cpanic=abort",
		"-Ccodegen-units=1", "-Cforce-unwind-tables=n", "--remap-path-prefix=" + filepath.Dir(abs) + "=",
		"--emit=llvm-bc=" + abs, filepath.Base(p.source)}
	cmd := exec.Command("rustc", append(args, p.flags...)...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rustc %s: %v\n%s", p.source, err, text)
	}
}
