package sandbox_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// TestUnprivileged runs the other tests of this file's package as a user
// without privileges. Where that user is refused namespaces it is skipped, in CI
// too: root is not.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests are run without privileges already")
	}
	dir := publicDir(t)
	actor, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"actor": actor, "tests": program} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := exec.Command(filepath.Join(dir, "tests"), "-test.v", "-test.run=^(TestRun|TestHostile|TestViewAndUsage|TestLimitsAreReported|TestKill|TestCopy)$")
	tests.Dir = dir
	tests.Env = []string{"TMPDIR=" + dir, sandboxtest.Built + "=" + filepath.Join(dir, "actor")}
	tests.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	out, err := tests.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("sandbox refused")):
		t.Skipf("%s", out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}

// publicDir makes a folder that everybody can write to; those of t.TempDir are
// in one that only their owner can enter.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "unprivileged")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
