package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// natively builds a program of the machine out of the bitcode of each source,
// and runs it: each line of OUT/runs is SOURCE CHECK INPUT..., and the
// same line of its output says how that run ended.
const natively = `
lib=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/lib
clang-22 -O1 -c -o "$OUT/native.o" cmd/kvlower/testdata/native.c
for source in "$SOURCES"/*.rs; do
	name=$(basename "$source" .rs)
	grep -q prelude.rs "$source" || continue
	rustc --edition=2021 --crate-type=rlib --crate-name=check -Awarnings -Copt-level=2 -Cno-prepopulate-passes -Coverflow-checks=on \
		-Cdebug-assertions=off -Cdebuginfo=1 -Csymbol-mangling-version=v0 -Cpanic=abort -Ccodegen-units=1 \
		-Cforce-unwind-tables=n --emit=llvm-bc="$OUT/$name.bc" "$source"
	clang-22 -Wno-override-module -O0 -rdynamic -o "$OUT/$name" "$OUT/$name.bc" "$OUT/native.o" "$lib"/libcore-*.rlib "$lib"/libcompiler_builtins-*.rlib
done
while read -r name rest; do "$OUT/$name" $rest; done < "$OUT/runs"`

// TestNative runs the checks of the corpus, with the same inputs, in the
// interpreter and on the machine.
func TestNative(t *testing.T) {
	if os.Getenv("KVFARM_CI") == "" {
		t.Skip("compiles the corpus: set KVFARM_CI=1")
	}
	files, err := filepath.Glob(corpus + "/*.*.kvs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no slices: %v", err)
	}
	var checks []compiled
	for _, file := range files {
		checks = append(checks, compiled{
			name: strings.TrimSuffix(filepath.Base(file), ".kvs"), slice: read(t, file), lines: read(t, strings.TrimSuffix(file, ".kvs")+".lines"),
		})
	}
	nativeAsInterpreted(t, "engine/testdata/rustc", checks)
}

// TestNativeGenerated does the same with generated checks.
func TestNativeGenerated(t *testing.T) {
	if os.Getenv("KVFARM_CI") == "" {
		t.Skip("compiles what it generates: set KVFARM_CI=1")
	}
	var sources string
	out, _ := compileAll(t, func(dir string) {
		sources = strings.TrimPrefix(filepath.ToSlash(dir), "../../")
		writeSources(t, dir)
	}, levels[:1])
	nativeAsInterpreted(t, sources, out[levels[0].name])
}

func nativeAsInterpreted(t *testing.T, sources string, checks []compiled) {
	var runs, want []string
	for _, c := range checks {
		source, check, _ := strings.Cut(c.name, ".")
		r, w := interpreted(t, c)
		for i := range r {
			runs = append(runs, source+" "+check+r[i])
		}
		want = append(want, w...)
	}
	got := runNatively(t, sources, runs)
	if len(got) != len(want) {
		t.Fatalf("%d of %d runs ended", len(got), len(want))
	}
	ends := map[string]int{}
	for i := range want {
		ends[strings.Fields(want[i])[0]]++
		if !strings.HasPrefix(got[i]+" ", want[i]+" ") {
			t.Errorf("%s: %s on the machine, %s in the interpreter", runs[i], got[i], want[i])
		}
	}
	t.Logf("ends of runs: %v", ends)
}

// interpreted runs a check with random inputs. Runs that end with undefined
// behaviour are left out: a machine may do with them as it likes.
func interpreted(t *testing.T, c compiled) (runs, want []string) {
	s, err := ir.Parse(c.slice)
	if err != nil {
		t.Fatal(err)
	}
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	locs := strings.Fields(strings.SplitN(string(c.lines), "\n", 2)[0])
	for seed := range uint64(20) {
		o := p.Run(interp.Random(seed), interp.Limits{Steps: 100_000})
		end := o.Kind.String()
		switch {
		case o.Kind == interp.Panicked && o.Loc >= 0 && locs[o.Loc+1] != "0":
			end += " " + locs[o.Loc+1]
		case o.Kind != interp.Panicked && o.Kind != interp.Returned && o.Kind != interp.AssumeFailed:
			continue
		}
		run := ""
		for _, in := range o.Inputs {
			run += " " + in.Value.String()
		}
		runs, want = append(runs, run), append(want, end)
	}
	return runs, want
}

func runNatively(t *testing.T, sources string, runs []string) []string {
	root, err := exec.Command("../../bin/kvfarm", "toolchain", "path", "kernel").Output()
	if err != nil {
		t.Fatalf("find the toolchain (make build): %v", err)
	}
	dir, err := os.MkdirTemp("../../bin", "native-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "runs"), []byte(strings.Join(runs, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	rel := strings.TrimPrefix(filepath.ToSlash(dir), "../../")
	cmd := exec.Command("../../deploy/in-root.sh", strings.TrimSpace(string(root)), "env", "OUT="+rel, "SOURCES="+sources, "sh", "-eu", "-c", natively)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run, after %d of %d (%s): %v\n%s", strings.Count(string(out), "\n"), len(runs), runs[min(strings.Count(string(out), "\n"), len(runs)-1)], err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
