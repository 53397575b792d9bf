package worker_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// TestToolchain runs a compiler with a real distribution as its root, which
// KVFARM_TEST_ROOT names.
func TestToolchain(t *testing.T) {
	dir := os.Getenv("KVFARM_TEST_ROOT")
	if dir == "" {
		t.Skip("KVFARM_TEST_ROOT names no root with a rustc")
	}
	if _, err := os.Stat(filepath.Join(dir, "usr/bin/rustc")); err != nil {
		t.Fatal(err)
	}
	f := newFarm(t)
	begin := time.Now()
	root := f.scan(t, dir)
	t.Log("import took", time.Since(begin))
	for range 3 {
		begin = time.Now()
		o := f.run(t, &action{Command: &repb.Command{Arguments: []string{"/usr/bin/rustc", "--version"}}, root: root, doNotCache: true})
		t.Log(time.Since(begin), o.Failure, string(o.Result.GetStdoutRaw()), string(o.Result.GetStderrRaw()))
	}
}
