package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// measured holds the checks in C that are timed beside other provers, and the slices made of them.
const measured = "../../engine/testdata/bench"

// TestMeasured compiles those checks as "make bench-engine" does: the slices that are checked in,
// whose verdicts go test ./engine/check compares, must be what comes out, or have the same verdicts
// where the distribution has another clang by now.
func TestMeasured(t *testing.T) {
	if os.Getenv("KVFARM_CI") == "" && !*update {
		t.Skip("compiles in the sdk root: set KVFARM_CI=1, or -update to write what changed")
	}
	dir := compileMeasured(t)
	version := read(t, filepath.Join(dir, compilerFile))
	if *update {
		write(t, filepath.Join(measured, compilerFile), version)
	}
	same := bytes.Equal(version, read(t, filepath.Join(measured, compilerFile)))
	slices, err := filepath.Glob(dir + "/*.kvs")
	if err != nil || len(slices) == 0 {
		t.Fatalf("nothing was compiled: %v", err)
	}
	for _, file := range slices {
		name := filepath.Base(file)
		got, kept := read(t, file), filepath.Join(measured, name)
		t.Run(strings.TrimSuffix(name, ".kvs"), func(t *testing.T) {
			if *update {
				write(t, kept, got)
			}
			switch want := read(t, kept); {
			case bytes.Equal(want, got):
			case same:
				t.Errorf("%s is stale: run this test with -update", kept)
			default:
				agree(t, compiled{name: name, slice: want}, compiled{name: name, slice: got})
			}
		})
	}
}

// compileMeasured returns a folder with the slices and, in a file, which compiler made them.
func compileMeasured(t *testing.T) string {
	root, err := exec.Command("../../bin/kvfarm", "toolchain", "path", "sdk").Output()
	if err != nil {
		t.Fatalf("find the toolchain (make build): %v", err)
	}
	dir, err := os.MkdirTemp("../../bin", "measured-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var checks []string
	for _, line := range strings.Split(string(read(t, filepath.Join(measured, "checks.txt"))), "\n") {
		if line != "" && line[0] != '#' {
			checks = append(checks, line)
		}
	}
	write(t, filepath.Join(dir, "checks"), []byte(strings.Join(checks, "\n")+"\n"))
	const script = `deploy/bench-compile.sh slice "$0"; clang-22 --version | head -n 1 >"$0/compiler"`
	cmd := exec.Command("../../deploy/in-root.sh", strings.TrimSpace(string(root)), "sh", "-eu", "-c", "sh -eu "+script, strings.TrimPrefix(filepath.ToSlash(dir), "../../"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, text)
	}
	return dir
}
