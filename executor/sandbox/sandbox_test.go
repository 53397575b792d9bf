package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// scene is a sandbox with one layer of inputs: in/a and in/b, with their names
// as content.
type scene struct {
	host  *sandbox.Host
	root  string
	dir   string
	layer string
}

func newScene(t testing.TB, cfg sandbox.Config) *scene {
	t.Helper()
	if os.Getenv(again) != "" {
		cfg = sandbox.Again(cfg)
	}
	s := &scene{host: sandboxtest.Open(t, cfg), root: sandboxtest.Root(t), dir: t.TempDir()}
	s.layer = filepath.Join(s.dir, "layer")
	for _, dir := range []string{"layer", "layer/in"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in/a", "in/b"} {
		if err := os.WriteFile(filepath.Join(s.layer, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.give(t)
	return s
}

// give makes the command the owner of its inputs.
func (s *scene) give(t testing.TB) {
	t.Helper()
	uid, gid, can := s.host.Owner()
	if !can {
		return
	}
	err := filepath.WalkDir(s.layer, func(name string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(name, uid, gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spec is one act of the actor.
func (s *scene) spec(act ...string) sandbox.Spec {
	return sandbox.Spec{Root: s.root, Dir: s.dir, Layers: []string{"layer"}, Argv: append([]string{sandboxtest.Actor}, act...)}
}

func (s *scene) run(t testing.TB, spec sandbox.Spec) *sandbox.Result {
	t.Helper()
	r, err := s.host.Run(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestRun(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	for _, c := range []struct {
		name   string
		change func(*sandbox.Spec)
		act    []string
		exit   int
		stdout string
		stderr string // part of it
	}{
		{name: "who and where", act: []string{"id"}, stdout: strings.Join([]string{
			"uid 65534 gid 65534 host kvfarm dir /x",
			"CapInh: 0000000000000000",
			"CapPrm: 0000000000000000",
			"CapEff: 0000000000000000",
			"CapBnd: 0000000000000000",
			"CapAmb: 0000000000000000",
			"NoNewPrivs: 1", ""}, "\n")},
		{name: "exit code", act: []string{"exit", "42"}, exit: 42},
		{name: "signal", act: []string{"die"}, exit: 128 + 9},
		{name: "environment", act: []string{"env"}, change: func(s *sandbox.Spec) { s.Env = []string{"B=2", "A=1"} }, stdout: "A=1\nB=2\n"},
		{name: "empty environment", act: []string{"env"}, stdout: "\n"},
		{name: "descriptors", act: []string{"fds"}, stdout: "0 /dev/null\n1 pipe\n2 pipe\n"},
		{name: "inputs", act: []string{"cat", "in/a", "/x/in/b"}, stdout: "in/ain/b"},
		{name: "working directory", act: []string{"cat", "a"}, change: func(s *sandbox.Spec) { s.WorkDir = "in" }, stdout: "in/a"},
		{name: "new working directory", act: []string{"cat", "../../in/a"}, change: func(s *sandbox.Spec) { s.WorkDir = "new/one" }, stdout: "in/a"},
		{name: "folders made", act: []string{"write", "p/q/r", ""}, change: func(s *sandbox.Spec) { s.Mkdirs = []string{"p/q", "in"} }},
		{name: "no layers", act: []string{"ls", "/x"}, change: func(s *sandbox.Spec) { s.Layers = nil }, stdout: "/x\n"},
		{name: "folder over a file", act: []string{"nothing"}, change: func(s *sandbox.Spec) { s.Mkdirs = []string{"in/a/b"} }, exit: 127, stderr: "not a directory"},
		{name: "PATH", change: func(s *sandbox.Spec) { s.Argv = []string{"actor", "exit", "3"}; s.Env = []string{"PATH=/nowhere:/bin"} }, exit: 3},
		{name: "not in PATH", change: func(s *sandbox.Spec) { s.Argv = []string{"actress"}; s.Env = []string{"PATH=/nowhere:/bin"} }, exit: 127, stderr: "exec actress: not found in PATH"},
		{name: "no PATH", change: func(s *sandbox.Spec) { s.Argv = []string{"actor"} }, exit: 127, stderr: "not found in PATH"},
		{name: "relative program", change: func(s *sandbox.Spec) { s.Argv = []string{"../bin/actor", "exit", "4"} }, exit: 4},
		{name: "no program", change: func(s *sandbox.Spec) { s.Argv = []string{"/bin/actress"} }, exit: 127, stderr: "no such file"},
		{name: "not a program", change: func(s *sandbox.Spec) { s.Argv = []string{"in/a"} }, exit: 126, stderr: "permission denied"},
		{name: "loopback", act: []string{"loopback"}},
		{name: "shared memory", act: []string{"write", "/dev/shm/a", ""}},
		{name: "devices", act: []string{"ls", "/dev"}, stdout: strings.Join([]string{
			"/dev", "/dev/fd", "/dev/full", "/dev/null", "/dev/random", "/dev/shm",
			"/dev/stderr", "/dev/stdin", "/dev/stdout", "/dev/urandom", "/dev/zero", ""}, "\n")},
		{name: "write to a device", act: []string{"append", "/dev/null", "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := s.spec(c.act...)
			if c.change != nil {
				c.change(&spec)
			}
			r := s.run(t, spec)
			if r.ExitCode != c.exit {
				t.Errorf("exit code %d, want %d", r.ExitCode, c.exit)
			}
			if diff := cmp.Diff(c.stdout, string(r.Stdout.Bytes())); diff != "" {
				t.Errorf("stdout (-want +got)\n%s", diff)
			}
			if got := string(r.Stderr.Bytes()); !strings.Contains(got, c.stderr) || (c.stderr == "" && got != "") {
				t.Errorf("stderr is %q, want %q", got, c.stderr)
			}
		})
	}
}

func TestViewAndUsage(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	r := s.run(t, s.spec("sequence", "write", "out", "made", ",", "append", "in/a", " and more", ",", "remove", "in/b", ",", "allocate", "30", ",", "burn", "100ms"))
	if r.ExitCode != 0 {
		t.Fatal(string(r.Stderr.Bytes()))
	}
	for name, want := range map[string]string{"out": "made", "in/a": "in/a and more"} {
		if got, err := r.Inputs.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := r.Inputs.Stat("in/b"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in/b: %v", err)
	}
	if u := r.Usage; u.User+u.System < 90*time.Millisecond || u.User+u.System > 2*time.Second || u.Peak < 30<<20 || u.Peak > 200<<20 {
		t.Errorf("usage is %+v", u)
	}
}

func TestCancel(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := s.host.Run(ctx, s.spec("sleep", "1h")); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if d := time.Since(begin); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestBadRoot(t *testing.T) {
	s := newScene(t, sandbox.Config{})
	spec := s.spec("nothing")
	spec.Root = t.TempDir()
	if _, err := s.host.Run(context.Background(), spec); err == nil || !strings.Contains(err.Error(), "mount") {
		t.Errorf("root without mount points: %v", err)
	}
}
