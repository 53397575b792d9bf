package worker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

// farm is a queue with one worker and a store in memory.
type farm struct {
	store   *folderStore
	roots   worker.Roots
	results cas.ActionCache
	queue   *queue.Queue
	root    digest.Digest // of a tree with the actor in it
	by      digest.Function
}

// slots is how many actions the worker runs at a time.
const slots = 2

func newFarm(t testing.TB) *farm {
	t.Helper()
	return newFarmWith(t, queue.Config{})
}

func newFarmWith(t testing.TB, cfg queue.Config, change ...func(*farm)) *farm {
	t.Helper()
	f := &farm{store: &folderStore{Store: memstore.New()}, results: memstore.NewActionCache(), queue: queue.New(cfg)}
	for _, c := range change {
		c(f)
	}
	f.root = f.actorRoot(t)
	f.work(t, t.TempDir())
	return f
}

// work starts a worker that keeps its inputs in dir.
func (f *farm) work(t testing.TB, dir string) {
	t.Helper()
	host := sandboxtest.Open(t, sandbox.Config{})
	uid, gid, give := host.Owner()
	cache, err := inputs.Open(inputs.Config{Dir: dir, UID: uid, GID: gid, Give: give, Whole: !host.Stacks()}, f.store)
	if err != nil {
		t.Fatal(err)
	}
	w := worker.New(worker.Config{Name: "w", Slots: slots, Queue: f.queue, Store: f.store, Results: f.results,
		Host: host, Inputs: cache, Roots: f.roots, Outputs: 100 << 20, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (f *farm) actor(t testing.TB) tree.Entry {
	t.Helper()
	program, err := sandboxtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	return tree.Entry{Kind: tree.File, Digest: f.put(t, program), Exec: true}
}

func (f *farm) actorRoot(t testing.TB) digest.Digest {
	t.Helper()
	return f.tree(t, tree.Files{"bin/actor": f.actor(t)})
}

// inputRoot is one that brings its program along.
func (f *farm) inputRoot(t testing.TB) digest.Digest {
	t.Helper()
	return f.tree(t, tree.Files{"tool/actor": f.actor(t)})
}

func (f *farm) put(t testing.TB, b []byte) digest.Digest {
	t.Helper()
	d := f.by.Of(b)
	if err := f.store.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *farm) message(t testing.TB, m proto.Message) digest.Digest {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return f.put(t, b)
}

func (f *farm) tree(t testing.TB, files tree.Files) digest.Digest {
	t.Helper()
	m, err := tree.BuildBy(f.by, files)
	if err == nil {
		err = m.Upload(t.Context(), f.store)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.Root
}

// action is a command with its inputs; the root is the farm's.
type action struct {
	*repb.Command
	inputs     map[string]string
	root       digest.Digest
	doNotCache bool
	timeout    time.Duration
	platform   map[string]string // besides the root
	change     func(*repb.Action)
}

// action puts a into the store and returns its digest.
func (f *farm) action(t testing.TB, a *action) digest.Digest {
	t.Helper()
	if a.root.IsZero() {
		a.root = f.root
	}
	files := tree.Files{"root": {Kind: tree.Dir, Digest: a.root}}
	for name, content := range a.inputs {
		files[name] = tree.Entry{Kind: tree.File, Digest: f.put(t, []byte(content))}
	}
	m := &repb.Action{
		CommandDigest:   f.message(t, a.Command).Proto(),
		InputRootDigest: f.tree(t, files).Proto(),
		DoNotCache:      a.doNotCache,
		Platform:        &repb.Platform{Properties: []*repb.Platform_Property{{Name: worker.PropertyRoot, Value: "root"}}},
	}
	if a.timeout != 0 {
		m.Timeout = durationpb.New(a.timeout)
	}
	for name, value := range a.platform {
		m.Platform.Properties = append(m.Platform.Properties, &repb.Platform_Property{Name: name, Value: value})
	}
	if a.change != nil {
		a.change(m)
	}
	return f.message(t, m)
}

// run has a run and returns its outcome.
func (f *farm) run(t testing.TB, a *action) *queue.Outcome {
	t.Helper()
	return f.submit(t, queue.Task{Action: f.action(t, a), DoNotCache: a.doNotCache})
}

// submit waits for the task's outcome.
func (f *farm) submit(t testing.TB, task queue.Task) *queue.Outcome {
	t.Helper()
	w, err := f.queue.Submit(task)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		s, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Stage == queue.Done {
			return s.Outcome
		}
	}
}

func act(args ...string) *action {
	return &action{Command: &repb.Command{Arguments: append([]string{sandboxtest.Actor}, args...)}}
}

// folderStore serves files of folders besides what was put.
type folderStore struct {
	cas.Store
	mu    sync.Mutex
	files map[digest.Digest]string
}

func (s *folderStore) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	s.mu.Lock()
	name, ok := s.files[d]
	s.mu.Unlock()
	if !ok {
		return s.Store.Get(ctx, d, offset)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// scan makes a tree of the folder dir.
func (f *farm) scan(t testing.TB, dir string) digest.Digest {
	t.Helper()
	files, err := tree.Scan(t.Context(), dir, tree.ScanOptions{SkipSpecial: true})
	if err != nil {
		t.Fatal(err)
	}
	f.store.mu.Lock()
	f.store.files = make(map[digest.Digest]string)
	for name, e := range files {
		if e.Kind == tree.File {
			f.store.files[e.Digest] = filepath.Join(dir, name)
		}
	}
	f.store.mu.Unlock()
	return f.tree(t, files)
}
