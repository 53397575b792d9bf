package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// buildbarn is a farm that deploy/buildbarn/start.sh runs.
type buildbarn struct {
	t     *testing.T
	dir   string
	flags []string // of clients
}

func startBuildbarn(t *testing.T) *buildbarn {
	t.Helper()
	b := &buildbarn{t: t, dir: t.TempDir()}
	executor, cache := freeAddress(t), freeAddress(t)
	b.flags = []string{"--remote_executor", "grpc://" + executor, "--remote_cache", "grpc://" + cache}
	cmd := exec.Command("../../deploy/buildbarn/start.sh", b.dir, executor, cache)
	for _, file := range []string{"start.sh", "go.mod", "go.sum", "common.libsonnet", "scheduler.jsonnet", "worker.jsonnet"} { // for the test cache
		if _, err := os.Stat(filepath.Join("../../deploy/buildbarn", file)); err != nil {
			t.Fatal(err)
		}
	}
	said := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // what it said tells why
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		used := cmd.ProcessState
		t.Logf("Buildbarn and its actions used %v of CPU", used.UserTime()+used.SystemTime())
		if t.Failed() {
			t.Logf("start.sh: %s%s", said, b.logs())
		}
	})
	for !strings.Contains(said.String(), "a Buildbarn farm runs") {
		select {
		case <-ended:
			need(t, "no Buildbarn", errors.New(said.String()))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return b
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// logs are the last lines of all processes.
func (b *buildbarn) logs() string {
	var all strings.Builder
	names, _ := filepath.Glob(filepath.Join(b.dir, "log", "*"))
	for _, name := range names {
		body, _ := os.ReadFile(name)
		all.WriteString("\n== " + filepath.Base(name) + "\n")
		all.Write(body[max(0, len(body)-4096):])
	}
	return all.String()
}

// killBusy kills a worker once a command has begun there after n others, and
// returns what its action's digest begins with; "" if stop came first.
func (b *buildbarn) killBusy(worker string, n int, stop <-chan struct{}) string {
	seen := map[string]bool{}
	for len(seen) <= n {
		select {
		case <-stop:
			return ""
		case <-time.After(10 * time.Millisecond):
		}
		begun, _ := filepath.Glob(filepath.Join(b.dir, worker, "build/*/stdout"))
		for _, name := range begun {
			action := filepath.Base(filepath.Dir(name))
			if seen[action] = true; len(seen) > n {
				b.kill(worker)
				return action
			}
		}
	}
	return ""
}

func (b *buildbarn) kill(name string) {
	number, err := os.ReadFile(filepath.Join(b.dir, "run", name+".pid"))
	if err != nil {
		b.t.Error(err)
		return
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		b.t.Errorf("kill %s: %v", name, err)
	}
}

// TestKernelBuildbarn has a submit run on Buildbarn with an empty store, with
// one of two workers killed in the middle, and again with all results known.
// It comes to the same as embedded, action by action: an action's digest covers
// what those before it left.
func TestKernelBuildbarn(t *testing.T) {
	r := newRig(t, newest)
	driver := "drivers/gpu/drm/drm_panic_qr.rs"
	want, wantCode := r.submit(driver)
	farm := startBuildbarn(t)
	r.flags = farm.flags

	done, lost := make(chan struct{}), make(chan string, 1)
	go func() { lost <- farm.killBusy("worker-1", 2, done) }()
	cold, code := r.submit(driver)
	close(done)
	wantSame(t, "cold", want, cold, wantCode, code)
	if n := len(ran(cold)); n != len(cold.Actions) {
		t.Errorf("an empty store: %d of %d actions ran", n, len(cold.Actions))
	}
	action := <-lost
	again, err := os.ReadFile(filepath.Join(farm.dir, "log/worker-2"))
	if err != nil || action == "" || !bytes.Contains(again, []byte("/action/"+action)) {
		t.Errorf("action %q was lost with worker-1 and did not run again: %v", action, err)
	}

	cached, code := r.submit(driver)
	wantSame(t, "cached", want, cached, wantCode, code)
	if got := ran(cached); len(got) > 0 {
		t.Errorf("a second submit ran %q", got)
	}
}
