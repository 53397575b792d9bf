package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	rpcstatus "google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

// A server above its limit drops what was not used for longest, while it
// serves: results go whole or stay whole, and what a queued action needs stays
// though nothing is older.
func TestServeCollects(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	const limit = 40 << 20
	state, addr := t.TempDir(), socket(t)
	serve := []string{"serve", "--listen", addr, "--state", state, "--cache_limit", fmt.Sprint(limit), "--cache_grace", "0"}
	p := spawn(t, append(serve, "--workers", "1")...)
	c := connect(t, addr)
	var made []digest.Digest
	for i := range 20 {
		d := c.act([]string{"sequence", "fill", "out/zeros", fmt.Sprint(i%3 + 1), ",", "write", "out/name", fmt.Sprint(i), ",", "spam", "10000"},
			func(_ *repb.Action, cmd *repb.Command) { cmd.OutputPaths = []string{"out"} })
		c.run(d)
		made = append(made, d)
	}
	p.kill()
	p = spawn(t, serve...) // no worker: what is queued waits
	input := castest.Bytes(77, 1<<20)
	if _, err := c.upload("uploads/"+uploadID+"/blobs/"+digest.Of(input).String(), input); err != nil {
		t.Fatal(err)
	}
	queued := c.start(c.act([]string{"echo", "its input is here"}, func(a *repb.Action, _ *repb.Command) {
		a.InputRootDigest = c.root(tree.Files{"in": {Digest: digest.Of(input)}}).Proto()
	}))
	op, err := queued.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2000 && strings.Count(p.log.String(), "msg=collected") < 3; i++ {
		b := castest.Bytes(uint64(1000+i), 1<<20)
		if _, err := c.upload("uploads/"+uploadID+"/blobs/"+digest.Of(b).String(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(p.log.String(), "msg=collected"); n < 3 {
		t.Errorf("%d collections while ten times the limit was written", n)
	}
	for _, d := range made {
		r, err := result(c, d)
		if rpcstatus.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c.whole(r)
	}
	startWorker(t, addr)
	if got := c.stdout(c.wait(op.Name)); got != "its input is here\n" {
		t.Errorf("queued action says %q", got)
	}
}

// whole reads all that a result names.
func (c *client) whole(r *repb.ActionResult) {
	c.t.Helper()
	for _, d := range r.OutputDirectories {
		m := &repb.Tree{}
		c.message(d.TreeDigest, m)
		for _, f := range m.Root.Files {
			c.blob(f.Digest)
		}
	}
	if r.StdoutDigest != nil {
		c.blob(r.StdoutDigest)
	}
}

// fsck finds what is damaged and drops it; then all is well, and what was
// dropped can be made again.
func TestFsckMends(t *testing.T) {
	state := t.TempDir()
	p := spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", state)
	c := connect(t, p.addr)
	good, bad := c.put(castest.Bytes(1, 3000)), bytes.Repeat([]byte("bad to be "), 300)
	c.put(bad)
	p.kill()
	overwrite(t, state, string(bad))
	fsck := func() (string, int) {
		cmd := exec.Command("kvfarm", "cache", "fsck", "--state", state)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
		out, _ := cmd.CombinedOutput() // the exit status tells
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := fsck(); code != 1 || !strings.Contains(out, "corrupt blob "+digest.Of(bad).String()) {
		t.Errorf("first: exit status %d: %s", code, out)
	}
	if out, code := fsck(); code != 0 || !strings.Contains(out, "clean") {
		t.Errorf("second: exit status %d: %s", code, out)
	}
	c = connect(t, spawn(t, "serve", "--listen", "127.0.0.1:0", "--state", state).addr)
	if m := c.missing(good.Proto(), digest.Of(bad).Proto()); len(m) != 1 || m[0].Hash != digest.Of(bad).Hash {
		t.Errorf("missing %v", m)
	}
	if got := c.blob(c.put(bad).Proto()); !bytes.Equal(got, bad) {
		t.Error("put again, it reads otherwise")
	}
}
