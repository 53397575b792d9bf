package sandbox_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// killed is any exit code of a command that did not end well: without cgroups
// it is refused memory and gives up by itself.
const killed = 137

// TestHostile has commands try what they must not. Afterwards the inputs are
// as before and the next command runs.
func TestHostile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(*sandbox.Spec)
		act    []string
		exit   int
		says   string // part of stdout or stderr
	}{
		{name: "read a host file", act: []string{"cat", secret}, exit: 1, says: "no such file"},
		{name: "read a host file through process 1", act: []string{"cat", "/proc/1/root" + secret}, exit: 1, says: "denied"},
		{name: "read the worker's environment", act: []string{"cat", "/proc/1/environ"}, exit: 1, says: "denied"},
		{name: "read the worker's memory", act: []string{"cat", "/proc/1/mem"}, exit: 1, says: "denied"},
		{name: "climb out", act: []string{"cat", strings.Repeat("../", 20) + secret}, exit: 1, says: "no such file"},
		{name: "network", act: []string{"dial", "192.0.2.1:80"}, exit: 1, says: "unreachable"},
		{name: "write to the root", act: []string{"write", "/bin/new", ""}, exit: 1, says: "read-only"},
		{name: "change a tool", act: []string{"append", "/bin/actor", "x"}, exit: 1},
		{name: "change a tool's mode", act: []string{"chmod", "/bin/actor"}, exit: 1, says: "read-only"},
		{name: "write to /dev", act: []string{"write", "/dev/new", ""}, exit: 1, says: "read-only"},
		{name: "mount", act: []string{"mount", "/x"}, exit: 1, says: "not permitted"},
		{name: "remount the root", act: []string{"remount", "/"}, exit: 1, says: "not permitted"},
		{name: "become root", act: []string{"setuid"}, exit: 1},
		{name: "become root by a program of root's", act: []string{"suid", "/bin/suid", "id"}, says: "uid 65534 gid 65534"},
		{name: "whiteout", act: []string{"whiteout", "in/a"}, exit: 1},
		{name: "read the kernel's memory", act: []string{"cat", "/proc/kcore"}, exit: 1},
		{name: "read the kernel's log", act: []string{"cat", "/proc/kmsg"}, exit: 1},
		{name: "make a device", act: []string{"device", "disk"}, exit: 1, says: "not permitted"},
		{name: "kernel settings", act: []string{"write", "/proc/sys/kernel/core_pattern", "|/x/evil"}, exit: 1, says: "denied"},
		{name: "reboot by sysrq", act: []string{"write", "/proc/sysrq-trigger", "s"}, exit: 1},
		{name: "spoil inputs", act: []string{"sequence", "append", "in/a", "poison", ",", "chmod", "in/a", ",", "remove", "in/b", ",", "write", "in/c", "", ",", "link", "in/a", "in/d"}},
		{name: "stay in the background", act: []string{"spawn", "sleep", "1h"}},
		{name: "ignore signals", act: []string{"deaf", "1h"}, change: func(s *sandbox.Spec) { s.Timeout = 300 * time.Millisecond }, exit: killed, says: "deaf"},
		{name: "fork bomb that does not stop", act: []string{"bomb"}, change: func(s *sandbox.Spec) { s.Processes, s.Timeout = 60, time.Second }, exit: killed},
		{name: "fork bomb", act: []string{"forks", "10000"}, change: func(s *sandbox.Spec) { s.Processes = 60 }, says: "refused after"},
		{name: "endless", act: []string{"sequence", "echo", "begun", ",", "sleep", "1h"}, change: func(s *sandbox.Spec) { s.Timeout = 300 * time.Millisecond }, exit: killed, says: "begun"},
		{name: "much memory", act: []string{"allocate", "2000"}, change: func(s *sandbox.Spec) { s.Memory = 100 << 20 }, exit: killed},
		{name: "memory in files", act: []string{"fill", "big", "2000"}, change: func(s *sandbox.Spec) { s.Memory = 100 << 20 }, exit: killed},
		{name: "memory in a file without a name", act: []string{"memfd", "2000"}, change: func(s *sandbox.Spec) { s.Memory = 100 << 20 }, exit: killed},
		{name: "memory that is shared", act: []string{"shared", "2000"}, change: func(s *sandbox.Spec) { s.Memory = 100 << 20 }, exit: killed},
		{name: "memory in /dev/shm", act: []string{"fill", "/dev/shm/big", "2000"}, change: func(s *sandbox.Spec) { s.Memory = 100 << 20 }, exit: killed},
		{name: "fill the disk", act: []string{"fill", "big", "20"}, change: func(s *sandbox.Spec) { s.Scratch = 10 << 20 }, exit: 1},
		{name: "fill the disk in parts", act: []string{"sequence", "fill", "/tmp/a", "6", ",", "fill", "/x/b", "6"}, change: func(s *sandbox.Spec) { s.Scratch = 10 << 20 }, exit: 1, says: "no space"},
		{name: "much output", act: []string{"spam", "1000000000"}},
		{name: "many files", act: []string{"files", ".", "2000"}, change: func(s *sandbox.Spec) { s.Files = 1000 }, exit: 1, says: "no space"},
	}
	s := newScene(t, sandbox.Config{})
	s.addSetUserID(t)
	before := snapshot(t, s.dir)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec := s.spec(c.act...)
			if c.change != nil {
				c.change(&spec)
			}
			begin := time.Now()
			r := s.run(t, spec)
			t.Log("took", time.Since(begin))
			says := string(r.Stdout.Bytes()) + string(r.Stderr.Bytes())
			if len(says) > 1000 {
				says = says[:1000]
			}
			if r.ExitCode != c.exit && !(c.exit == killed && r.ExitCode != 0) || !strings.Contains(says, c.says) {
				t.Errorf("exit code %d, want %d; says %q, want %q", r.ExitCode, c.exit, says, c.says)
			}
			if after := snapshot(t, s.dir); after != before {
				t.Errorf("inputs are changed:\n%s\nwere\n%s", after, before)
			}
			if next := s.run(t, s.spec("cat", "in/a")); string(next.Stdout.Bytes()) != "in/a" {
				t.Errorf("the next command says %q, %q", next.Stdout.Bytes(), next.Stderr.Bytes())
			}
		})
	}
}

// addSetUserID puts a program that makes whoever starts it root into the root.
func (s *scene) addSetUserID(t *testing.T) {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(s.root, sandboxtest.Actor))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(s.root, "bin", "suid")
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o755|os.ModeSetuid|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
}

// snapshot describes all that is below dir.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.WriteString(name + " " + info.Mode().String() + " " + info.ModTime().String())
		if info.Mode().IsRegular() {
			body, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			b.WriteString(" " + string(body))
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestVeryMuch goes to the default limits.
func TestVeryMuch(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	if r := s.run(t, s.spec("files", "/tmp", "1100000")); r.ExitCode != 1 || !strings.Contains(string(r.Stderr.Bytes()), "no space") {
		t.Errorf("a million files: exit code %d, %s", r.ExitCode, r.Stderr.Bytes())
	}
	const output = 10_000_000_000
	r := s.run(t, s.spec("spam", strconv.Itoa(output)))
	if kept := len(r.Stdout.Bytes()); r.ExitCode != 0 || r.Stdout.Total() != output || kept != 8<<20 {
		t.Errorf("10 GB of output: exit code %d, kept %d of %d bytes", r.ExitCode, kept, r.Stdout.Total())
	}
	if next := s.run(t, s.spec("cat", "in/a")); string(next.Stdout.Bytes()) != "in/a" {
		t.Errorf("the next command says %q, %q", next.Stdout.Bytes(), next.Stderr.Bytes())
	}
}

func TestLimitsAreReported(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	spec := s.spec("sequence", "echo", "begun", ",", "sleep", "1h")
	spec.Timeout = 300 * time.Millisecond
	if r := s.run(t, spec); !r.TimedOut || r.Wall > 20*time.Second {
		t.Errorf("timed out: %v after %v", r.TimedOut, r.Wall)
	}
	spec = s.spec("allocate", "2000")
	spec.Memory = 100 << 20
	if r := s.run(t, spec); len(s.host.Notes()) == 0 && !r.OutOfMemory {
		t.Error("not reported to be out of memory")
	}
	if r := s.run(t, s.spec("nothing")); r.TimedOut || r.OutOfMemory {
		t.Error("the next one is reported to be over a limit")
	}
	spec = s.spec("spam", "1000000")
	spec.Output = 1000
	if r := s.run(t, spec); len(r.Stdout.Bytes()) != 1000 || r.Stdout.Total() != 1000000 {
		t.Errorf("kept %d of %d bytes", len(r.Stdout.Bytes()), r.Stdout.Total())
	}
}
