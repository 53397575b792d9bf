//go:build llvm

package bitcode_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/bitcode"
)

var update = flag.Bool("update", false, "write the streams that the test compares with")

// program is one compile of a source in testdata and the stream it leaves.
type program struct {
	source, stream string
	flags          []string
	typed          bool // with types from a second compile
}

var programs = []program{
	{source: "same/base.rs"}, {source: "same/comments.rs"}, {source: "same/renamed.rs"},
	{source: "same/unrelated.rs"}, {source: "same/edited.rs"},
	{source: "same/base.rs", stream: "same/crate_name.kvbc", flags: []string{"--crate-name", "another"}},
	{source: "shapes.rs", typed: true}, {source: "sites.rs"},
}

// The streams that the tests of other packages read are what rustc and LLVM make
// of the sources beside them.
func TestStreamsAreFresh(t *testing.T) {
	rustc := findRustc(t)
	for _, p := range programs {
		name := p.stream
		if name == "" {
			name = strings.TrimSuffix(p.source, ".rs") + ".kvbc"
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			types := ""
			if p.typed {
				types = compile(t, rustc, p, dir, "2")
			}
			got, err := bitcode.Read([]string{compile(t, rustc, p, dir, "1")}, types)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("../testdata", name)
			if *update {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got) {
				t.Errorf("%s is stale: run this test with -update", file)
			}
		})
	}
}

// findRustc skips the test where there is no rustc of the kernel's version.
func findRustc(t *testing.T) string {
	rustc, err := exec.LookPath("rustc")
	if err == nil {
		return rustc
	}
	if os.Getenv("KVFARM_CI") == "1" {
		t.Fatalf("no rustc: %v", err)
	}
	t.Skipf("no rustc: %v", err)
	return ""
}

func compile(t *testing.T, rustc string, p program, dir, debug string) string {
	t.Helper()
	out := filepath.Join(dir, "out"+debug+".bc")
	args := []string{"--edition=2021", "--crate-type=rlib", "-Copt-level=2", "-Cno-prepopulate-passes",
		"-Coverflow-checks=on", "-Cdebuginfo=" + debug, "-Csymbol-mangling-version=v0", "-Cpanic=abort",
		"-Ccodegen-units=1", "-Cforce-unwind-tables=n", "--remap-path-prefix=" + mustAbs(t, "../testdata") + "=",
		"--emit=llvm-bc=" + out, filepath.Base(p.source)}
	cmd := exec.Command(rustc, append(args, p.flags...)...)
	cmd.Dir = filepath.Join("../testdata", filepath.Dir(p.source))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rustc %s: %v\n%s", p.source, err, text)
	}
	return out
}

func mustAbs(t *testing.T, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
