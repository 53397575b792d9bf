package farm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/frontend/lease"
	"github.com/kvfarm/kvfarm/frontend/rev2"
	"github.com/kvfarm/kvfarm/kbuild"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// startReal starts a farm with a store on disk and a worker that is connected
// to it as a process elsewhere would be. It returns a client and the digest of
// a root with the actor in it.
func startReal(t testing.TB) (*farm.Client, digest.Digest) {
	t.Helper()
	host := sandboxtest.Open(t, sandbox.Config{})
	store, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	q := queue.New(queue.Config{})
	server := grpc.NewServer(rev2.Options()...)
	results := complete.New(store, store)
	rev2.New(rev2.Config{Store: store, Cache: results, Queue: q}).Register(server)
	kvfarmpb.RegisterLeaseServer(server, lease.NewServer(q, results, nil))
	addr := filepath.Join(t.TempDir(), "farm")
	l, err := net.Listen("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	t.Cleanup(q.Close)
	dial := func(local cas.Store) *farm.Client {
		c, err := farm.Dial(t.Context(), farm.Config{Executor: "unix:" + addr, Local: local})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	work(t, dial(nil), host)
	program, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	c := dial(nil)
	d, err := cas.PutBlob(t.Context(), c.Store(), program)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tree.Upload(t.Context(), c.Store(), tree.Files{"bin/actor": {Digest: d, Exec: true}})
	if err != nil {
		t.Fatal(err)
	}
	return c, root
}

// work runs a worker that knows the farm by c alone.
func work(t testing.TB, c *farm.Client, host *sandbox.Host) {
	t.Helper()
	uid, gid, give := host.Owner()
	cache, err := inputs.Open(inputs.Config{Dir: t.TempDir(), UID: uid, GID: gid, Give: give, Whole: !host.Stacks()}, c.Store())
	if err != nil {
		t.Fatal(err)
	}
	leases := c.Leases()
	w := worker.New(worker.Config{Name: "far", Slots: 2, Queue: leases, Store: c.Store(), Results: leases, Host: host, Inputs: cache})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, cache.Close()); err != nil {
			t.Error(err)
		}
	})
}

// The whole way: client, server, lease, worker, sandbox and back.
func TestRealFarm(t *testing.T) {
	c, root := startReal(t)
	files, content := inputsOf(map[string]string{"src/a.txt": "content"})
	a := &kbuild.Action{Kind: "test", Name: "copy", Argv: []string{"/bin/actor", "sequence", "cat", "a.txt", ",", "mkdir", "out/deep", ",",
		"write", "out/deep/f", "made", ",", "symlink", "f", "out/deep/l", ",", "write", "single", "s"},
		Inputs: files, Content: content, Dir: "src", Outputs: []string{"out", "single", "lost"}, Root: root, Timeout: time.Minute, Memory: 1 << 30}
	first := run(t, c, a)
	if first.ExitCode != 0 || strings.TrimSpace(string(first.Stdout)) != "content" || first.Cached || first.Worker != "far" {
		t.Fatalf("first: %+v, stdout %q, stderr %q", first, first.Stdout, first.Stderr)
	}
	if first.CPU <= 0 || first.Wall <= 0 {
		t.Errorf("took %v, %v of CPU", first.Wall, first.CPU)
	}
	if len(first.Outputs) != 2 || first.Outputs["single"].Digest != digest.Of([]byte("s")) {
		t.Errorf("outputs %v", first.Outputs)
	}
	made, err := tree.Load(t.Context(), c.Store(), first.Outputs["out"].Digest, tree.Limits{})
	if err != nil || made["deep/f"].Digest != digest.Of([]byte("made")) || made["deep/l"].Target != "f" {
		t.Errorf("output directory %v, %v", made, err)
	}
	if second := run(t, c, a); !second.Cached {
		t.Error("second run is not from the cache")
	}
	failed := run(t, c, &kbuild.Action{Argv: []string{"/bin/actor", "exit", "7"}, Root: root})
	if failed.ExitCode != 7 {
		t.Errorf("exit code %d", failed.ExitCode)
	}
	_, err = c.Run(t.Context(), &kbuild.Action{Argv: []string{"/bin/actor", "sleep", "60s"}, Root: root, Timeout: 100 * time.Millisecond})
	if !errors.Is(err, farm.ErrTimeout) {
		t.Errorf("out of time: %v", err)
	}
}

// One operation is one action that does nothing, in a sandbox of its own.
func BenchmarkNothing(b *testing.B) {
	c, root := startReal(b)
	for i := 0; b.Loop(); i++ {
		if _, err := c.Run(b.Context(), &kbuild.Action{Argv: []string{"/bin/actor", "nothing"}, Env: map[string]string{"I": fmt.Sprint(i)}, Root: root}); err != nil {
			b.Fatal(err)
		}
	}
}
