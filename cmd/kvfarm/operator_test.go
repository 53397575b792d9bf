package main

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// SIGHUP has certificates read again, and a mistake in them leaves what was
// there. A server that has none goes on, too.
func TestHangUp(t *testing.T) {
	t.Parallel()
	plain := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir())
	plain.signal(t, syscall.SIGHUP)
	plain.wait(t, "neither certificates nor grants to read again")
	connect(t, plain.addr).put([]byte("goes on"))

	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	certificates(t, dir, "server")
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(),
		"--tls_certificate", in("server.pem"), "--tls_key", in("server.key"), "--tls_client_ca", in("ca.pem"))
	first := served(t, server.addr)
	secret(t, in("server.pem"), "no certificate")
	server.signal(t, syscall.SIGHUP)
	server.wait(t, "certificates stay as they were")
	if served(t, server.addr) != first {
		t.Error("after a mistake it has another certificate")
	}
	certificates(t, dir, "server")
	server.signal(t, syscall.SIGHUP)
	server.wait(t, "certificates are read again")
	if served(t, server.addr) == first {
		t.Error("the certificate is the old one")
	}
}

// served is the serial number of a server's certificate.
func served(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// A worker whose farm is gone says so, once, and works for it when it is there
// again.
func TestWorkerTellsThatItsFarmIsGone(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	state, addr := t.TempDir(), socket(t)
	server := spawn(t, "serve", "--listen", addr, "--state", state)
	w := spawn(t, "worker", "--farm", addr, "--slots", "2", "--state", t.TempDir())
	server.kill()
	w.wait(t, "the farm gives no leases; the worker waits until it does")
	spawn(t, "serve", "--listen", addr, "--state", state)
	w.wait(t, "the farm gives leases again")
	if n := strings.Count(w.log.String(), "gives no leases"); n != 1 {
		t.Errorf("told %d times", n)
	}
	c := connect(t, addr)
	if got := c.stdout(c.run(c.act([]string{"echo", "works"}))); got != "works\n" {
		t.Errorf("action says %q", got)
	}
}

// A worker who may not work ends and says so; one who may not any more waits.
func TestWorkerWithoutAGrant(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	secret(t, in("auth"), doorGrants)
	secret(t, in("tokens"), doorTokens)
	server := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--auth", in("auth"))
	work := func(token string) []string {
		return []string{"worker", "--farm", "grpc://" + server.addr, "--slots", "2", "--state", t.TempDir(), "--remote_header", "authorization=Bearer " + token}
	}
	for token, want := range map[string]string{
		"ci-0123456789abcdef": `needs the permission "work", which no grant gives to token:ci`,
		"nobody-0123456789":   "its token is none of ours",
	} {
		if out, code := says(t, work(token)...); code != 2 || !strings.Contains(out, want) || strings.Contains(out, "does kvfarm serve run there") {
			t.Errorf("%s: exit status %d: %s", token, code, out)
		}
	}
	w := spawn(t, work("worker-0123456789")...)
	server.wait(t, "serving") // and the worker asks
	time.Sleep(time.Second)
	for _, step := range []struct{ tokens, says string }{
		{strings.ReplaceAll(doorTokens, "worker-", "WORKER-"), "the farm gives no leases; the worker waits until it does"}, {doorTokens, "the farm gives leases again"},
	} {
		secret(t, in("tokens"), step.tokens)
		server.signal(t, syscall.SIGHUP)
		w.wait(t, step.says)
	}
}

// Two workers need two folders, but not two names.
func TestWorkersThatAreAlike(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr, state := socket(t), t.TempDir()
	spawn(t, "serve", "--listen", addr, "--state", t.TempDir())
	worker := []string{"worker", "--farm", addr, "--slots", "1", "--name", "same", "--state"}
	spawn(t, append(worker, state)...)
	if out, code := says(t, append(worker, state)...); code != 2 || !strings.Contains(out, "another worker has it; give this one a folder of its own with --state") {
		t.Errorf("in the same folder: exit status %d: %s", code, out)
	}
	spawn(t, append(worker, t.TempDir())...)
	c := connect(t, addr)
	first, second := c.start(c.act([]string{"sleep", "1s"}, doNotCache)), c.start(c.act([]string{"sleep", "1s"}, doNotCache))
	c.running(first)
	c.running(second) // while the first does
	for _, stream := range []repb.Execution_ExecuteClient{first, second} {
		if _, resp, err := c.follow(stream); err != nil || codes.Code(resp.Status.GetCode()) != codes.OK {
			t.Errorf("%v, %v", resp, err)
		}
	}
}

// A second SIGTERM does not wait for what runs. What ran goes on at the next start.
func TestAskedTwice(t *testing.T) {
	t.Parallel()
	sandboxtest.Open(t, sandbox.Config{})
	addr, state := socket(t), t.TempDir()
	server := spawn(t, "serve", "--listen", addr, "--state", state, "--workers", "1", "--slots", "1", "--grace", "1h")
	c := connect(t, addr)
	op, _ := c.running(c.start(c.act([]string{"sequence", "sleep", "1s", ",", "echo", "done"})))
	server.signal(t, syscall.SIGTERM)
	server.wait(t, "asked to end")
	begin := time.Now()
	server.signal(t, syscall.SIGTERM)
	<-server.gone
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	spawn(t, "serve", "--listen", addr, "--state", state, "--workers", "1", "--slots", "1")
	if got := c.stdout(c.wait(op)); got != "done\n" {
		t.Errorf("after the restart: %q", got)
	}
}

// A state folder that cannot be used is told of with a way out.
func TestStateThatCannotBeUsed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user and to mount")
	}
	foreign, readOnly, small := t.TempDir(), t.TempDir(), t.TempDir()
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--state"}
	spawn(t, append(serve, foreign)...).kill()
	if out, err := exec.Command("chown", "-R", "65534", foreign).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	need(t, "mount a tmpfs", syscall.Mount("tmpfs", readOnly, "tmpfs", syscall.MS_RDONLY, "size=1m"))
	t.Cleanup(func() { _ = syscall.Unmount(readOnly, syscall.MNT_DETACH) })
	need(t, "mount a tmpfs", syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	own := "run kvfarm as the user whose folder it is, where it may write, or name another folder with --state"
	for _, c := range []struct {
		name, dir, want string
	}{
		{"another user's", foreign, own},
		{"read-only", readOnly, own},
		{"a full disk", small, "is full: make room there"},
	} {
		mortal := []string{"--bounding-set=-dac_override,-dac_read_search", "kvfarm"} // root who may not write everywhere
		out, err := exec.Command("setpriv", append(append(mortal, serve...), c.dir)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) || !strings.Contains(string(out), c.dir) {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
	}
}
