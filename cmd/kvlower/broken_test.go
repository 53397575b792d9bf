//go:build llvm

package main

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

// brokenSources is bitcode that rustc made and that the tests break.
var brokenSources = []string{"owners", "shapes", "sites", "same/base"}

// TestBrokenBitcode cuts bitcode off everywhere, turns bits over, puts other bytes in and makes all of
// them up. LLVM may give up or crash on it, in its own process: what comes of it is slices, or an
// error that names the file.
func TestBrokenBitcode(t *testing.T) {
	stride := 1511
	if os.Getenv("KVFARM_CI") != "" {
		stride = 797
	}
	rnd := rand.New(rand.NewSource(1))
	for _, name := range brokenSources {
		whole, err := os.ReadFile("testdata/" + name + ".bc")
		if err != nil {
			t.Fatal(err)
		}
		for at := 1; at < len(whole); at += stride {
			for how, b := range broken(rnd, whole, at) {
				lowerBroken(t, fmt.Sprintf("%s, %s at %d", name, how, at), b)
			}
		}
	}
}

// broken returns what may have become of bitcode on its way.
func broken(rnd *rand.Rand, whole []byte, at int) map[string][]byte {
	flipped := append([]byte(nil), whole...)
	for range 1 + rnd.Intn(4) {
		flipped[rnd.Intn(len(flipped))] ^= 1 << rnd.Intn(8)
	}
	filled := append([]byte(nil), whole...)
	rnd.Read(filled[at:min(at+1+rnd.Intn(16), len(filled))])
	random := make([]byte, 1+rnd.Intn(2000))
	rnd.Read(random[copy(random, whole[:4*rnd.Intn(9)]):]) // some begin like bitcode
	return map[string][]byte{"cut off": whole[:at], "turned over": flipped, "filled": filled, "random": random}
}

// FuzzBitcode does the same for as long as one likes:
//
//	deploy/in-root.sh SDK go test -tags llvm -run '^$' -fuzz FuzzBitcode -fuzztime 10m -fuzzminimizetime 1x ./cmd/kvlower
func FuzzBitcode(f *testing.F) {
	for _, name := range brokenSources {
		b, err := os.ReadFile("testdata/" + name + ".bc")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, bitcode []byte) { lowerBroken(t, "fuzzed", bitcode) })
}

// maxBroken is how much memory kvlower may take for bitcode of some kilobytes, in KiB, LLVM's own 100 MB included.
const maxBroken = 1 << 20

// lowerBroken runs kvlower on bitcode as the farm does.
func lowerBroken(t *testing.T, what string, bitcode []byte) {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "x.bc"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, bitcode, 0o666); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "--out", out, file)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	text, err := cmd.CombinedOutput()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss > maxBroken {
		t.Errorf("%s: took %d KiB", what, usage.Maxrss)
	}
	if err == nil {
		readable(t, what, out)
		return
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("%s: %v\n%s", what, err, text)
	}
	said := string(text)
	if !strings.HasPrefix(said, "kvlower: ") || !strings.Contains(said, file) && !strings.Contains(said, "decode module: ") && !strings.Contains(said, "cut ") || len(said) > 2000 {
		t.Errorf("%s: says %.3000s", what, said)
	}
	if _, err := os.Stat(filepath.Join(out, "index.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: failed, and left an index: %v", what, err)
	}
}

// readable reports slices that cannot be read.
func readable(t *testing.T, what, out string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "index.json"))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	index, err := position.DecodeIndex(text)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, root := range index.Roots {
		slice, err := os.ReadFile(filepath.Join(out, root.Slice))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := ir.Parse(slice); err != nil {
			t.Errorf("%s: %s: %v", what, root.Name, err)
		}
	}
}
