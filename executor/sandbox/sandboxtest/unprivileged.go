package sandboxtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Unprivileged runs tests of the calling test's program, by a pattern of names,
// as a user without privileges. Where the kernel is set to refuse namespaces to
// such users it skips.
func Unprivileged(t *testing.T, pattern string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("the tests are run without privileges already")
	}
	dir := publicDir(t)
	actor, err := Build()
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
	tests := exec.Command(filepath.Join(dir, "tests"), "-test.v", "-test.run="+pattern)
	tests.Dir = dir
	tests.Env = []string{"KVFARM_CI=1", "TMPDIR=" + dir, Built + "=" + filepath.Join(dir, "actor")}
	tests.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	out, err := tests.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("or enable user namespaces: ")):
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
