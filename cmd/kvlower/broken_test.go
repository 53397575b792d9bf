//go:build llvm

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestBrokenBitcode cuts bitcode off everywhere and turns bits over: the result
// is an error that names the file, or slices. LLVM may give up or crash on it
// in its own process; ours must not, nor take more than readMain's limits.
func TestBrokenBitcode(t *testing.T) {
	stride := 1511
	if os.Getenv("KVFARM_CI") != "" {
		stride = 311
	}
	for _, name := range []string{"owners", "shapes", "sites", "same/base"} {
		whole, err := os.ReadFile("testdata/" + name + ".bc")
		if err != nil {
			t.Fatal(err)
		}
		for at := 1; at < len(whole); at += stride {
			lowerBroken(t, fmt.Sprintf("%s cut at %d", name, at), whole[:at])
			flipped := append([]byte(nil), whole...)
			n := uint64(at) // some more bytes at places that no pattern of the format follows
			for range 1 + at%4 {
				flipped[n%uint64(len(flipped))] ^= 1 << (n >> 60 & 7)
				n = n*6364136223846793005 + 1442695040888963407
			}
			lowerBroken(t, fmt.Sprintf("%s turned over at %d", name, at), flipped)
		}
	}
}

func lowerBroken(t *testing.T, what string, bitcode []byte) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.bc")
	if err := os.WriteFile(file, bitcode, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := lower(job{files: []string{file}, out: filepath.Join(dir, "out")}); err != nil && len(err.Error()) > 2000 {
		t.Errorf("%s: an error of %d bytes: %.200s", what, len(err.Error()), err)
	}
}
