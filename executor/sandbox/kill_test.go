package sandbox_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// victimMark is in the arguments of what a victim of TestKill runs.
const victimMark = "KVFARM_TEST_VICTIM_MARK"

// TestKill kills a process that runs sandboxes: they end with it and leave no
// mounts.
func TestKill(t *testing.T) {
	if mark := os.Getenv(victimMark); mark != "" {
		s := newScene(t, sandbox.Config{})
		_, err := s.host.Run(context.Background(), s.spec("sequence", "spawn", "sleep", "1h", mark, ",", "sleep", "1h", mark))
		t.Fatal("was not killed", err)
	}
	sandboxtest.Open(t, sandbox.Config{})
	mark := filepath.Base(t.TempDir()) + t.Name() + time.Now().String()
	victim := exec.Command(os.Args[0], "-test.run=^TestKill$")
	victim.Env = append(os.Environ(), victimMark+"="+mark)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the victim's commands run", func() bool { return running(t, mark) >= 2 })
	before := mounts(t)
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	until(t, "the victim's commands are dead", func() bool { return running(t, mark) == 0 })
	if after := mounts(t); after != before {
		t.Errorf("mounts\n%s\nwere\n%s", after, before)
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("not so: %s", what)
		}
	}
}

// running counts processes with mark among their arguments.
func running(t *testing.T, mark string) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if args, err := os.ReadFile(f); err == nil && bytes.Contains(args, []byte(mark)) && !strings.Contains(f, "self") {
			n++
		}
	}
	return n
}

func mounts(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCopy runs without overlayfs, as on file systems that cannot be a layer.
func TestCopy(t *testing.T) {
	s := newScene(t, sandbox.Config{Copy: true})
	before := snapshot(t, s.dir)
	r := s.run(t, s.spec("sequence", "append", "in/a", " and more", ",", "remove", "in/b", ",", "write", "in/c", "new", ",", "tree", "/x"))
	want := "in \"\"\nin/a \"in/a and more\"\nin/c \"new\"\n"
	if string(r.Stdout.Bytes()) != want {
		t.Errorf("%q, %q", r.Stdout.Bytes(), r.Stderr.Bytes())
	}
	if after := snapshot(t, s.dir); after != before {
		t.Errorf("inputs are changed:\n%s\nwere\n%s", after, before)
	}
	if s.host.Stacks() {
		t.Error("it says that it stacks")
	}
}
