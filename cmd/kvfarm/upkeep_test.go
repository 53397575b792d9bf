package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// says runs a command that comes to an end, soon, and returns what it says and
// its exit status.
func says(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("kvfarm", args...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	begin := time.Now()
	out, _ := cmd.CombinedOutput() // the exit status tells
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("kvfarm %s took %v", strings.Join(args, " "), took)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// A running server looks after its store when `kvfarm cache` asks it: it counts,
// collects but for what waits, and mends.
func TestUpkeepOfARunningServer(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	state, addr := filepath.Join(t.TempDir(), strings.Repeat("long", 40)), socket(t) // longer than a socket's name may be
	p := spawn(t, "serve", "--listen", addr, "--state", state, "--cache_limit", "1G", "--cache_grace", "0")
	c := connect(t, addr)
	bad := bytes.Repeat([]byte("bad to be "), 300)
	idle := c.put(castest.Bytes(1, 3<<20))
	c.put(bad)
	waits, err := c.start(c.act([]string{"echo", "waited"})).Recv()
	if err != nil {
		t.Fatal(err)
	}
	if out, code := says(t, "cache", "stat", "--state", state); code != 0 || !strings.Contains(out, "MiB") || !strings.Contains(out, "uses "+state) {
		t.Errorf("stat: exit status %d: %s", code, out)
	}
	overwrite(t, state, string(bad))
	if out, code := says(t, "cache", "fsck", "--state", state); code != 1 || !strings.Contains(out, "corrupt blob "+digest.Of(bad).String()) {
		t.Errorf("fsck: exit status %d: %s", code, out)
	}
	if out, code := says(t, "cache", "fsck", "--state", state); code != 0 || !strings.Contains(out, "clean") {
		t.Errorf("fsck again: exit status %d: %s", code, out)
	}
	time.Sleep(time.Second) // what was used in this very second counts as used meanwhile
	if out, code := says(t, "cache", "gc", "--state", state, "--limit", "0"); code != 0 || !strings.Contains(out, "freed  3.") {
		t.Errorf("gc: exit status %d: %s", code, out)
	}
	if m := c.missing(idle.Proto()); len(m) != 1 {
		t.Error("what nobody needs is there")
	}
	startWorker(t, addr)
	if got := c.stdout(c.wait(waits.Name)); got != "waited\n" {
		t.Errorf("what waited says %q", got)
	}

	// Nobody else takes the folder, nor waits for what does not end, nor for what does not answer.
	if out, code := says(t, "serve", "--listen", "127.0.0.1:0", "--state", state); code != 2 ||
		!strings.Contains(out, "listens on "+strings.TrimPrefix(addr, "unix:")+", has it open: end it first, or name another folder with --state") {
		t.Errorf("another server: exit status %d: %s", code, out)
	}
	p.signal(t, syscall.SIGSTOP)
	if out, code := says(t, "cache", "stat", "--state", state); code != 2 || !strings.Contains(out, "does not answer; try again when it has ended") {
		t.Errorf("stat of a server that hangs: exit status %d: %s", code, out)
	}
	p.kill()
	if out, code := says(t, "cache", "stat", "--state", state); code != 0 || strings.Contains(out, "uses ") {
		t.Errorf("stat after the end: exit status %d: %s", code, out)
	}
	spawn(t, "serve", "--listen", addr, "--state", state)
	if out, code := says(t, "cache", "gc", "--state", state, "--limit", "0"); code != 0 || !strings.Contains(out, "used in the last 10m0s stays") || !strings.Contains(out, "freed  0 B") {
		t.Errorf("gc of a server that was told no grace: exit status %d: %s", code, out)
	}
}
