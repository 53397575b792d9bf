package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVerdicts builds an engine and has it prove a small slice in any number of
// shards: each row has the same verdict.
func TestVerdicts(t *testing.T) {
	engine := filepath.Join(t.TempDir(), "kvengine")
	cmd := exec.Command("go", "build", "-o", engine, "../kvengine")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the engine: %v: %s", err, said)
	}
	const slice = "../../engine/testdata/proved/loop.kvs"
	if _, err := os.Stat(slice); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	args := []string{"-engine", engine, "-scout", "120", "-shards", "1,2,4", "-plan", "4", "-sample", "2", slice}
	if err := run(context.Background(), args, &out); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{`(?m)^ +1 +PROVED `, `(?m)^ +2 +PROVED `, `(?m)^ +4 +PROVED `, `plan: 4 shards, 2 of them measured`, `(?m)^ +1000 `} {
		if !regexp.MustCompile(row).MatchString(out.String()) {
			t.Errorf("no row %q in\n%s", row, out.String())
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"-shards", "0", "x.kvs"}, {"-workers", "two", "x.kvs"}, {"-sample", "0", "x.kvs"}} {
		if err := run(context.Background(), args, &strings.Builder{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
