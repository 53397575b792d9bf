package farm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/kbuild"
)

func run(t *testing.T, c *farm.Client, a *kbuild.Action) *kbuild.Result {
	t.Helper()
	r, err := c.Run(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun(t *testing.T) {
	r := start(t)
	c := r.dial()
	files, content := inputsOf(map[string]string{"a": "one ", "d/b": "two"})
	a := &kbuild.Action{Kind: "test", Name: "concat", Argv: []string{"concat", "a", "d/b"}, Inputs: files, Content: content,
		Outputs: []string{"out", "link", "lost"}}
	first := run(t, c, a)
	want := tree.Files{
		"out":  {Kind: tree.File, Digest: digest.Of([]byte("one two")), Exec: true},
		"link": {Kind: tree.Symlink, Target: "out"},
	}
	if diff := cmp.Diff(want, first.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if first.Cached || first.Worker != "w" || first.Wall != 5*time.Second || first.CPU != 3*time.Second {
		t.Errorf("result %+v", first)
	}
	for name, other := range map[string]*farm.Client{"the same client": c, "another client": r.dial()} {
		second := run(t, other, a)
		if !second.Cached || r.ran.Load() != 1 {
			t.Errorf("%s: cached %t, %d runs", name, second.Cached, r.ran.Load())
		}
		second.Cached = false
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s: cached result differs (-first +second):\n%s", name, diff)
		}
	}
	run(t, r.dial(func(c *farm.Config) { c.NoCache = func(kind string) bool { return kind == a.Kind } }), a)
	if r.ran.Load() != 2 {
		t.Errorf("with NoCache: %d runs, want 2", r.ran.Load())
	}
}

// An exit code is the action's answer, not an error, and is not cached.
func TestExitCode(t *testing.T) {
	r := start(t)
	c := r.dial()
	a := &kbuild.Action{Argv: []string{"exit", "3"}}
	for range 2 {
		got := run(t, c, a)
		if got.ExitCode != 3 || string(got.Stdout) != "out" || len(got.Stderr) != 1<<20 || got.Cached {
			t.Errorf("exit %d, stdout %q, %d bytes of stderr, cached %t", got.ExitCode, got.Stdout, len(got.Stderr), got.Cached)
		}
	}
	if r.ran.Load() != 2 {
		t.Errorf("%d runs", r.ran.Load())
	}
}

func TestDirectories(t *testing.T) {
	r := start(t)
	c := r.dial()
	files, content := inputsOf(map[string]string{"x/y/z": "deep", "x/a": "a"})
	m, err := tree.Build(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"tree"}, {"tree", "only"}} {
		got := run(t, c, &kbuild.Action{Argv: args, Inputs: files, Content: content, Outputs: []string{"dir"}})
		if diff := cmp.Diff(tree.Files{"dir": {Kind: tree.Dir, Digest: m.Root}}, got.Outputs); diff != "" {
			t.Errorf("%v (-want +got):\n%s", args, diff)
		}
		next := run(t, c, &kbuild.Action{Argv: []string{"concat", "in/x/y/z"}, Inputs: tree.Files{"in": got.Outputs["dir"]}})
		if next.Outputs["out"].Digest != digest.Of([]byte("deep")) {
			t.Errorf("%v: the output as an input gives %v", args, next.Outputs)
		}
	}
}

// A toolchain is sent once, and asked for once in a session.
func TestRoot(t *testing.T) {
	r := start(t)
	local := memstore.New()
	files, content := inputsOf(map[string]string{"bin/tool": "tool", "lib/a": "a"})
	root, err := tree.Upload(t.Context(), local, files)
	if err != nil {
		t.Fatal(err)
	}
	for d, b := range content {
		if err := local.Put(t.Context(), d, strings.NewReader(string(b))); err != nil {
			t.Fatal(err)
		}
	}
	c := r.dial(func(c *farm.Config) { c.Local = local })
	act := func(c *farm.Client, name string) *kbuild.Result {
		return run(t, c, &kbuild.Action{Name: name, Argv: []string{"concat", "root/bin/tool"}, Env: map[string]string{"N": name}, Root: root})
	}
	if got := act(c, "1"); got.Outputs["out"].Digest != digest.Of([]byte("tool")) {
		t.Errorf("outputs %v", got.Outputs)
	}
	// The farm loses one of its files: it is noticed and sent again.
	r.store.Delete(digest.Of([]byte("tool")))
	act(c, "2")
	fresh := r.dial(func(c *farm.Config) { c.Local = local })
	r.store.Delete(digest.Of([]byte("tool")))
	act(fresh, "3")
	if _, err := r.dial().Run(t.Context(), &kbuild.Action{Argv: []string{"usage"}, Root: digest.Of([]byte("nowhere"))}); err == nil {
		t.Error("a root that nobody has is no error")
	}
}

func TestInputsThatNobodyHas(t *testing.T) {
	r := start(t)
	files, _ := inputsOf(map[string]string{"a": "lost"})
	_, err := r.dial().Run(t.Context(), &kbuild.Action{Kind: "rustc", Name: "kernel", Argv: []string{"concat", "a"}, Inputs: files})
	for _, part := range []string{"rustc kernel", digest.Of([]byte("lost")).String()} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not tell of %s", err, part)
		}
	}
}

func TestFailures(t *testing.T) {
	r := start(t)
	c := r.dial(func(c *farm.Config) { c.Retries = 1 })
	for _, k := range []queue.Kind{queue.Fault, queue.Timeout, queue.Invalid, queue.Missing} {
		before := r.ran.Load()
		_, err := c.Run(t.Context(), &kbuild.Action{Argv: []string{"fail", fmt.Sprint(int(k))}})
		if err == nil {
			t.Errorf("%v: no error", k)
		}
		if errors.Is(err, farm.ErrTimeout) != (k == queue.Timeout) {
			t.Errorf("%v: %v", k, err)
		}
		if n := r.ran.Load() - before; k != queue.Fault && n != 1 {
			t.Errorf("%v: tried %d times", k, n)
		}
	}
}

// A farm that goes away for a moment costs a wait, not the action.
func TestRestart(t *testing.T) {
	r := start(t)
	c := r.dial()
	run(t, c, &kbuild.Action{Argv: []string{"usage"}})
	r.server.Stop()
	done := make(chan error, 1)
	go func() {
		_, err := c.Run(context.WithoutCancel(t.Context()), &kbuild.Action{Argv: []string{"usage", "again"}})
		done <- err
	}()
	time.Sleep(100 * time.Millisecond)
	r.serve()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Actions that share inputs send them once, also at the same time.
func TestConcurrentRuns(t *testing.T) {
	r := start(t)
	c := r.dial()
	byName := map[string]string{}
	for i := range 300 {
		byName[fmt.Sprintf("dir%d/file%d", i%7, i)] = fmt.Sprint(i)
	}
	files, content := inputsOf(byName)
	var g errgroup.Group
	for i := range 20 {
		g.Go(func() error {
			a := &kbuild.Action{Argv: []string{"concat", "dir0/file0"}, Env: map[string]string{"I": fmt.Sprint(i)}, Inputs: files, Content: content}
			got, err := c.Run(t.Context(), a)
			if err == nil && got.Outputs["out"].Digest != digest.Of([]byte("0")) {
				err = fmt.Errorf("outputs %v", got.Outputs)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	// Per action: a look-up, at most one FindMissing and one batch.
	if n := r.calls.Load(); n > 20*3+5 {
		t.Errorf("%d calls", n)
	}
}

func TestProgress(t *testing.T) {
	r := start(t)
	var mu sync.Mutex
	var got []string
	c := r.dial(func(c *farm.Config) {
		c.Progress = func(e farm.Event) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprint(e.Kind, " ", e.Name, " ", e.Stage, " ", e.Cached, " ", e.Err != nil))
		}
	})
	a := &kbuild.Action{Kind: "k", Name: "n", Argv: []string{"usage"}}
	run(t, c, a)
	run(t, c, a)
	var first []string
	for len(got) > 0 && !strings.Contains(got[0], "done") {
		first, got = append(first, got[0]), got[1:]
	}
	if first[0] != "k n checking false false" || first[1] != "k n uploading false false" {
		t.Errorf("events %q", first)
	}
	want := []string{"k n done false false", "k n checking false false", "k n done true false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// The priority reaches the queue and is no part of what the action is.
func TestPriority(t *testing.T) {
	r := start(t)
	c := r.dial()
	first := run(t, c, &kbuild.Action{Argv: []string{"exit", "1"}, Priority: 7})
	if got := r.last.Load().Priority; got != 7 {
		t.Errorf("the queue was told priority %d, want 7", got)
	}
	second := run(t, c, &kbuild.Action{Argv: []string{"exit", "1"}})
	if got := r.last.Load().Priority; got != 0 || first.Action != second.Action {
		t.Errorf("priority %d, actions %v and %v: want 0 and the same", got, first.Action, second.Action)
	}
}

// A farm is told who asks for what, unless a header says otherwise.
func TestSaysWhatIsAsked(t *testing.T) {
	r := start(t)
	a := &kbuild.Action{Kind: "rustc", Name: "rust/kernel/lib.rs", Argv: []string{"exit", "1"}}
	run(t, r.dial(), a)
	if got := r.last.Load().Origin; got.Tool != "kvfarm" || got.Invocation == "" || got.What != "rustc rust/kernel/lib.rs" {
		t.Errorf("the queue was told %+v", got)
	}
	own, err := proto.Marshal(&repb.RequestMetadata{ToolInvocationId: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, r.dial(func(c *farm.Config) {
		c.Headers = map[string]string{"build.bazel.remote.execution.v2.requestmetadata-bin": string(own)}
	}), a)
	if got := r.last.Load().Origin; got.Invocation != "mine" || got.What != "" {
		t.Errorf("with a header of its own the queue was told %+v", got)
	}
}

// Equal actions have equal digests, whatever the order of maps.
func TestActionDigestIsStable(t *testing.T) {
	r := start(t)
	var digests []digest.Digest
	for range 5 {
		files, content := inputsOf(map[string]string{"a": "1", "b": "2", "c/d": "3"})
		got := run(t, r.dial(func(c *farm.Config) { c.DefaultExecProperties = map[string]string{"color": "red"} }),
			&kbuild.Action{Argv: []string{"usage"}, Env: map[string]string{"A": "1", "B": "2", "C": "3"}, Inputs: files, Content: content,
				Outputs: []string{"z", "y"}, Dir: "c", Memory: 1 << 30, Timeout: time.Minute})
		digests = append(digests, got.Action)
	}
	for _, d := range digests {
		if d != digests[0] {
			t.Fatalf("digests %v", digests)
		}
	}
	if r.ran.Load() != 1 {
		t.Errorf("%d runs", r.ran.Load())
	}
}

// Where a farm looks for the targets of links among its blobs, those of the
// inputs and of the root are there before an action runs.
func TestLinkTargets(t *testing.T) {
	local := memstore.New()
	m, err := tree.Build(tree.Files{"bin": {Kind: tree.Symlink, Target: "usr/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	for d, b := range m.Dirs {
		if err := local.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	a := &kbuild.Action{Argv: []string{"usage"}, Root: m.Root, Inputs: tree.Files{"a": {Kind: tree.Symlink, Target: "b"}}}
	targets := []digest.Digest{digest.Of([]byte("usr/bin")), digest.Of([]byte("b"))}
	for wanted, absent := range map[bool]int{false: 2, true: 0} {
		r := start(t)
		run(t, r.dial(func(c *farm.Config) { c.Local, c.LinkTargets = local, wanted }), a)
		got, err := r.store.Missing(t.Context(), targets)
		if err != nil || len(got) != absent {
			t.Errorf("LinkTargets %t: the farm lacks %v, %v", wanted, got, err)
		}
	}
}
