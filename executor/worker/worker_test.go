package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// TestCached says which results enter the action cache.
func TestCached(t *testing.T) {
	f := newFarm(t)
	for _, c := range []struct {
		name   string
		action *action
		cached bool
	}{
		{"success", act("echo", "1"), true},
		{"exit code", act("exit", "1"), false},
		{"do not cache", &action{Command: act("echo", "2").Command, doNotCache: true}, false},
		{"timeout", &action{Command: act("sleep", "1h").Command, timeout: 100 * time.Millisecond}, false},
		{"killed", act("die"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := f.run(t, c.action)
			cached, err := f.results.Result(t.Context(), f.action(t, c.action))
			if !c.cached {
				if !errors.Is(err, cas.ErrNotFound) {
					t.Errorf("cached %v, %v", cached, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(o.Result.String(), cached.String()); diff != "" {
				t.Errorf("(-told +cached)\n%s", diff)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	f := newFarm(t)
	a := act("sequence", "echo", "begun", ",", "sleep", "1h")
	a.timeout = 300 * time.Millisecond
	o := f.run(t, a)
	if o.Failure == nil || o.Failure.Kind != queue.Timeout || string(o.Result.StdoutRaw) != "begun\n" {
		t.Errorf("%v, %v", o.Failure, o.Result)
	}
}

func TestMemory(t *testing.T) {
	f := newFarm(t)
	a := act("allocate", "2000")
	a.platform = map[string]string{worker.PropertyMemory: "100000000"}
	o := f.run(t, a)
	if o.Failure != nil || o.Result.ExitCode == 0 {
		t.Errorf("%v, %v, %q", o.Failure, o.Result, o.Message)
	}
}

// TestRefused has actions that can never run, and those whose inputs are not
// there: failures of the farm, told apart.
func TestRefused(t *testing.T) {
	f := newFarm(t)
	absent := digest.Of([]byte("absent"))
	for _, c := range []struct {
		name    string
		action  *action
		kind    queue.Kind
		missing []digest.Digest
		reason  string
	}{
		{name: "no program", action: &action{Command: &repb.Command{}}, kind: queue.Invalid, reason: "no program"},
		{name: "no command", action: &action{Command: &repb.Command{}, change: func(a *repb.Action) { a.CommandDigest = absent.Proto() }}, kind: queue.Missing, missing: []digest.Digest{absent}},
		{name: "no digest of a command", action: &action{Command: &repb.Command{}, change: func(a *repb.Action) { a.CommandDigest = nil }}, kind: queue.Invalid, reason: "digest is missing"},
		{name: "no input root", action: &action{Command: act("nothing").Command, change: func(a *repb.Action) { a.InputRootDigest = absent.Proto() }}, kind: queue.Missing, missing: []digest.Digest{absent}},
		{name: "no root", action: &action{Command: act("nothing").Command, root: absent}, kind: queue.Missing, missing: []digest.Digest{absent}},
		{name: "root is not in the input root", action: &action{Command: act("nothing").Command, change: func(a *repb.Action) { a.Platform.Properties[0].Value = "elsewhere" }}, kind: queue.Invalid, reason: "elsewhere"},
		{name: "working directory outside", action: &action{Command: &repb.Command{Arguments: []string{"x"}, WorkingDirectory: "../y"}}, kind: queue.Invalid, reason: "leads out"},
		{name: "too long a timeout", action: &action{Command: act("nothing").Command, timeout: 1000 * time.Hour}, kind: queue.Invalid, reason: "timeout"},
		{name: "negative timeout", action: &action{Command: act("nothing").Command, timeout: -time.Second}, kind: queue.Invalid, reason: "timeout"},
		{name: "senseless memory", action: &action{Command: act("nothing").Command, platform: map[string]string{worker.PropertyMemory: "much"}}, kind: queue.Invalid, reason: "much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := f.run(t, c.action)
			if o.Failure == nil || o.Failure.Kind != c.kind || !strings.Contains(o.Failure.Reason, c.reason) {
				t.Fatalf("failure is %v, want %v: %s", o.Failure, c.kind, c.reason)
			}
			if diff := cmp.Diff(c.missing, o.Failure.Missing); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	o := f.submit(t, queue.Task{Action: absent})
	if o.Failure == nil || o.Failure.Kind != queue.Missing {
		t.Errorf("absent action: %v", o.Failure)
	}
}

func TestMissingProgramIsAResult(t *testing.T) {
	f := newFarm(t)
	o := f.run(t, &action{Command: &repb.Command{Arguments: []string{"/no/such"}}})
	if o.Failure != nil || o.Result.ExitCode != 127 || !strings.Contains(string(o.Result.StderrRaw), "/no/such") {
		t.Errorf("%v, %v", o.Failure, o.Result)
	}
}

func TestRootOfItsOwn(t *testing.T) {
	f := newFarm(t)
	o := f.run(t, &action{
		Command: &repb.Command{Arguments: []string{"tool/actor", "ls", "/x"}},
		change: func(a *repb.Action) {
			a.Platform = nil // no property: an empty root, and all of the input root at /x
			a.InputRootDigest = f.inputRoot(t).Proto()
		},
	})
	want := "/x\n/x/tool\n/x/tool/actor\n"
	if o.Failure != nil || string(o.Result.StdoutRaw) != want {
		t.Errorf("%v, %v", o.Failure, o.Result)
	}
}

// TestRootsForOtherClients has actions without a root of their own run in the
// worker's: their programs are there, and the input root is their folder.
func TestRootsForOtherClients(t *testing.T) {
	f := newFarm(t)
	marked := func(mark string) digest.Digest {
		return f.tree(t, tree.Files{"bin/actor": f.actor(t), "etc/mark": {Digest: f.put(t, []byte(mark))}})
	}
	other := newFarmWith(t, queue.Config{}, func(g *farm) {
		g.store, g.roots = f.store, worker.Roots{Default: marked("default"), Named: map[string]digest.Digest{"docker://debian": marked("debian")}}
	})
	for image, want := range map[string]string{"": "default", "docker://debian": "debian"} {
		f.by = otherThan(f.by) // the roots stay what they are
		other.by, other.root = f.by, f.actorRoot(t)
		o := other.run(t, &action{
			Command: &repb.Command{Arguments: []string{"actor", "cat", "in/file", "/etc/mark"}, OutputPaths: []string{"out"},
				EnvironmentVariables: []*repb.Command_EnvironmentVariable{{Name: "PATH", Value: "/usr/bin:/bin"}}},
			change: func(a *repb.Action) {
				a.Platform = nil
				if image != "" {
					a.Platform = &repb.Platform{Properties: []*repb.Platform_Property{{Name: worker.PropertyImage, Value: image}}}
				}
				a.InputRootDigest = f.tree(t, tree.Files{"in/file": {Digest: f.put(t, []byte("input "))}}).Proto()
			},
		})
		if o.Failure != nil || string(o.Result.StdoutRaw) != "input "+want {
			t.Errorf("image %q: %v, %v", image, o.Failure, o.Result)
		}
	}
	o := other.run(t, &action{
		Command: &repb.Command{Arguments: []string{"/bin/actor", "write", "/etc/mark", "x"}},
		change:  func(a *repb.Action) { a.Platform = nil; a.InputRootDigest = digest.Empty.Proto() },
	})
	if o.Failure != nil || !strings.Contains(string(o.Result.StderrRaw), "read-only") {
		t.Errorf("a write to the default root: %v, %v", o.Failure, o.Result)
	}
}

func otherThan(f digest.Function) digest.Function {
	if f == digest.SHA256 {
		return digest.BLAKE3
	}
	return digest.SHA256
}

// TestRootThatIsNotThere stops a worker before it takes a lease.
func TestRootThatIsNotThere(t *testing.T) {
	host := sandboxtest.Open(t, sandbox.Config{})
	cache, err := inputs.Open(inputs.Config{Dir: t.TempDir()}, memstore.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	w := worker.New(worker.Config{Host: host, Inputs: cache, Queue: queue.New(queue.Config{}), Roots: worker.Roots{Default: digest.Of([]byte("x"))}})
	var missing *inputs.MissingError
	if err := w.Run(t.Context()); !errors.As(err, &missing) || !strings.Contains(err.Error(), "make default root") {
		t.Errorf("%v", err)
	}
}

func TestMetadata(t *testing.T) {
	f := newFarm(t)
	m := f.run(t, act("burn", "50ms")).Result.ExecutionMetadata
	times := []*timestamppb.Timestamp{
		m.QueuedTimestamp, m.WorkerStartTimestamp, m.InputFetchStartTimestamp, m.InputFetchCompletedTimestamp,
		m.ExecutionStartTimestamp, m.ExecutionCompletedTimestamp, m.OutputUploadStartTimestamp,
		m.OutputUploadCompletedTimestamp, m.WorkerCompletedTimestamp,
	}
	for i, ts := range times {
		if ts == nil || (i > 0 && ts.AsTime().Before(times[i-1].AsTime())) {
			t.Errorf("time stamp %d is %v after %v", i, ts, times[max(i-1, 0)])
		}
	}
	usage := &kvfarmpb.ResourceUsage{}
	if m.Worker != "w" || len(m.AuxiliaryMetadata) != 1 || m.AuxiliaryMetadata[0].UnmarshalTo(usage) != nil {
		t.Fatalf("metadata is %v", m)
	}
	if cpu := usage.UserTime.AsDuration() + usage.SystemTime.AsDuration(); cpu < 45*time.Millisecond || usage.PeakMemoryBytes == 0 {
		t.Errorf("usage is %v", usage)
	}
}

// TestAbandonedActionIsStopped loses the lease of a running command.
func TestAbandonedActionIsStopped(t *testing.T) {
	f := newFarmWith(t, queue.Config{TTL: 300 * time.Millisecond, Abandon: 10 * time.Millisecond})
	a := act("sleep", "1h")
	w, err := f.queue.Submit(queue.Task{Action: f.action(t, a)})
	if err != nil {
		t.Fatal(err)
	}
	for stage := queue.Queued; stage != queue.Running; {
		s, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stage = s.Stage
	}
	w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for f.queue.Counts().Idle < slots {
		if ctx.Err() != nil {
			t.Fatalf("%+v", f.queue.Counts())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// fullStore takes nothing more.
type fullStore struct{ cas.Store }

func (fullStore) Put(context.Context, digest.Digest, io.Reader) error {
	return fmt.Errorf("put: %w", cas.ErrFull)
}

// TestFullStore: no other worker could store the outputs either, and running
// the action again for that takes long.
func TestFullStore(t *testing.T) {
	f := newFarm(t)
	a := act("write", "out", "x")
	a.OutputPaths = []string{"out"}
	task := queue.Task{Action: f.action(t, a)}
	f.store.Store = fullStore{f.store.Store}
	o := f.submit(t, task)
	if o.Failure == nil || o.Failure.Kind != queue.Lost || !strings.Contains(o.Failure.Reason, cas.ErrFull.Error()) {
		t.Errorf("failure is %v, want lost: %v", o.Failure, cas.ErrFull)
	}
}

// generous is a queue that always has something to do.
type generous struct {
	leases int
	stop   func()
}

func (q *generous) Lease(context.Context, queue.Worker) (*queue.Lease, error) {
	q.stop()
	if q.leases++; q.leases > 100 {
		return nil, queue.ErrClosed
	}
	return &queue.Lease{ID: "l", Task: queue.Task{}, TTL: time.Minute}, nil
}
func (*generous) Heartbeat(context.Context, string, queue.Stage) error   { return nil }
func (*generous) Complete(context.Context, string, *queue.Outcome) error { return nil }

// TestEndedWorkerTakesNoMore: each action that it took would be handed back, and
// taken again.
func TestEndedWorkerTakesNoMore(t *testing.T) {
	store := memstore.New()
	cache, err := inputs.Open(inputs.Config{Dir: t.TempDir(), UID: os.Getuid(), GID: os.Getgid(), Whole: true}, store)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	ctx, stop := context.WithCancel(t.Context())
	q := &generous{stop: stop}
	w := worker.New(worker.Config{Slots: 1, Queue: q, Store: store, Results: memstore.NewActionCache(), Inputs: cache})
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
	if q.leases != 1 {
		t.Errorf("%d leases were taken after the end", q.leases-1)
	}
}
