package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/frontend/report"
)

// advised is what whoever starts a worker is told to do, by what the machine
// refuses.
var advised = map[sandboxtest.Refusal]string{
	sandboxtest.Namespaces: "docker: --privileged",
	sandboxtest.Mounts:     "docker: --privileged",
	sandboxtest.Limit:      "sysctl user.max_mnt_namespaces=10000",
}

// A machine that refuses sandboxes is told of at once, with what to do about
// it, by whatever has a worker in it.
func TestRefused(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	farm := serveFarm(t)
	for how := range advised {
		t.Run(string(how)+"/serve", func(t *testing.T) {
			wantRefused(t, how, "kvfarm", "serve", "--listen", socket(t), "--workers", "1", "--state", t.TempDir())
		})
		t.Run(string(how)+"/worker", func(t *testing.T) {
			wantRefused(t, how, "kvfarm", "worker", "--farm", "grpc://"+farm.conn.Target(), "--state", t.TempDir())
		})
	}
}

// A submit says the same, before it has sent or stored anything.
func TestKernelRefused(t *testing.T) {
	r := newRig(t, newest)
	for how := range advised {
		t.Run(string(how), func(t *testing.T) {
			r.t, r.state = t, t.TempDir()
			wantRefused(t, how, r.bin, r.command(t.TempDir(), "check_sizes").Args[1:]...)
			if trees, err := os.ReadDir(filepath.Join(r.state, "worker", "embedded")); err != nil || len(trees) > 0 {
				t.Errorf("the worker left %v, %v", trees, err)
			}
			if out, err := exec.Command(r.bin, "cache", "fsck", "--state", r.state).CombinedOutput(); err != nil || !strings.Contains(string(out), "read   0 blobs") {
				t.Errorf("fsck: %v\n%s", err, out)
			}
		})
	}
}

// wantRefused runs kvfarm where how is refused: it must end, and leave neither
// a process nor a file among the temporary ones.
func wantRefused(t *testing.T, how sandboxtest.Refusal, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	temporary := t.TempDir()
	cmd := sandboxtest.Refuse(ctx, how, program, args...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temporary)
	out, err := cmd.CombinedOutput() // returns when nobody has the pipe open: no process is left
	if code := cmd.ProcessState.ExitCode(); ctx.Err() != nil || code != report.ExitFailed {
		t.Fatalf("%v, %v, want status %d:\n%s", err, ctx.Err(), report.ExitFailed, out)
	}
	if says := string(out); !strings.Contains(says, "kvfarm: sandbox refused: ") || !strings.Contains(says, advised[how]) {
		t.Errorf("says %s, want %q", says, advised[how])
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
