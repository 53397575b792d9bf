package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/lease"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A client can stand where a queue and an action cache do.
var (
	_ worker.Queue    = (*lease.Client)(nil)
	_ cas.ActionCache = (*lease.Client)(nil)
)

var action = digest.Of([]byte("action"))

type rig struct {
	queue  *queue.Queue
	cache  *memstore.ActionCache
	server *grpc.Server
	client *lease.Client
}

func start(t *testing.T, cfg queue.Config) *rig {
	t.Helper()
	r := &rig{queue: queue.New(cfg), cache: memstore.NewActionCache()}
	t.Cleanup(r.queue.Close)
	r.server = grpc.NewServer()
	kvfarmpb.RegisterLeaseServer(r.server, lease.NewServer(r.queue, r.cache, nil))
	conn := grpctest.Connect(t, r.server, grpctest.Buffer)
	r.client = lease.NewClient(conn, r.cache, slog.Default())
	return r
}

func (r *rig) submit(t *testing.T, task queue.Task) *queue.Waiter {
	t.Helper()
	w, err := r.queue.Submit(task)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (r *rig) lease(t *testing.T) *queue.Lease {
	t.Helper()
	l, err := r.client.Lease(t.Context(), queue.Worker{Name: "far", Properties: []queue.Property{{Name: "color", Value: queue.Any}}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// end waits for a task's outcome.
func end(t *testing.T, w *queue.Waiter) *queue.Outcome {
	t.Helper()
	for {
		s, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Outcome != nil {
			return s.Outcome
		}
	}
}

func TestLeaseCarriesTheTask(t *testing.T) {
	r := start(t, queue.Config{})
	task := queue.Task{Instance: "i", Action: digest.BLAKE3.Of([]byte("action")), Platform: []queue.Property{{Name: "color", Value: "red"}},
		Priority: -3, Timeout: time.Minute, DoNotCache: true, Origin: queue.Origin{Tool: "bazel 7", Invocation: "i", What: "Genrule //a:b", Trace: "t"}}
	w := r.submit(t, task)
	l := r.lease(t)
	if diff := cmp.Diff(task, l.Task); diff != "" {
		t.Errorf("task (-want +got):\n%s", diff)
	}
	if l.Name != w.Name() || l.Attempt != 1 || l.TTL != 5*time.Second || time.Since(l.Queued) > time.Minute {
		t.Errorf("lease %+v", l)
	}
}

func TestLeaseWaitsForWork(t *testing.T) {
	r := start(t, queue.Config{})
	got := make(chan *queue.Lease)
	go func() {
		l, _ := r.client.Lease(context.WithoutCancel(t.Context()), queue.Worker{Name: "far"})
		got <- l
	}()
	time.Sleep(20 * time.Millisecond)
	r.submit(t, queue.Task{Action: action})
	if l := <-got; l == nil || l.Task.Action != action {
		t.Errorf("lease %+v", l)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.client.Lease(ctx, queue.Worker{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no work: %v", err)
	}
}

func TestStagesReachTheWaiter(t *testing.T) {
	r := start(t, queue.Config{})
	w := r.submit(t, queue.Task{Action: action})
	l := r.lease(t)
	for _, stage := range []queue.Stage{queue.Fetching, queue.Running, queue.Uploading} {
		if err := r.client.Heartbeat(t.Context(), l.ID, stage); err != nil {
			t.Fatal(err)
		}
		if s, err := w.Next(t.Context()); err != nil || s.Stage != stage {
			t.Errorf("stage %v, %v, want %v", s.Stage, err, stage)
		}
	}
}

func TestOutcomes(t *testing.T) {
	result := &repb.ActionResult{ExitCode: 4, StdoutRaw: []byte("x")}
	for name, want := range map[string]*queue.Outcome{
		"result":  {Result: result, Message: "m"},
		"timeout": {Result: result, Failure: &queue.Failure{Kind: queue.Timeout, Reason: "slow"}},
		"missing": {Failure: &queue.Failure{Kind: queue.Missing, Reason: "gone", Missing: []digest.Digest{action, digest.BLAKE3.Of([]byte("x"))}}},
		"invalid": {Failure: &queue.Failure{Kind: queue.Invalid, Reason: "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, queue.Config{})
			w := r.submit(t, queue.Task{Action: action})
			l := r.lease(t)
			if err := r.client.Complete(t.Context(), l.ID, want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, end(t, w), protocmp.Transform()); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if err := r.client.Complete(t.Context(), l.ID, want); !errors.Is(err, queue.ErrLost) {
				t.Errorf("again: %v, want ErrLost", err)
			}
		})
	}
}

func TestFaultGoesToAnotherWorker(t *testing.T) {
	r := start(t, queue.Config{})
	w := r.submit(t, queue.Task{Action: action})
	if err := r.client.Complete(t.Context(), r.lease(t).ID, &queue.Outcome{Failure: &queue.Failure{Reason: "disk on fire"}}); err != nil {
		t.Fatal(err)
	}
	l := r.lease(t)
	if l.Attempt != 2 {
		t.Errorf("attempt %d", l.Attempt)
	}
	if err := r.client.Complete(t.Context(), l.ID, &queue.Outcome{Result: &repb.ActionResult{}}); err != nil {
		t.Fatal(err)
	}
	if o := end(t, w); o.Failure != nil {
		t.Errorf("outcome %+v", o)
	}
}

// A worker writes the cache by its leases and for their actions alone.
func TestOnlyLeasesWriteTheCache(t *testing.T) {
	r := start(t, queue.Config{})
	want := &repb.ActionResult{ExitCode: 0, StdoutRaw: []byte("x")}
	if err := r.client.SetResult(t.Context(), action, want); err == nil {
		t.Error("written without a lease")
	}
	r.submit(t, queue.Task{Action: action})
	l := r.lease(t)
	if err := r.client.SetResult(t.Context(), digest.Of([]byte("other")), want); err == nil {
		t.Error("written for another action")
	}
	if err := r.client.SetResult(t.Context(), action, want); err != nil {
		t.Fatal(err)
	}
	got, err := r.client.Result(t.Context(), action)
	if diff := cmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := r.client.Complete(t.Context(), l.ID, &queue.Outcome{Result: want}); err != nil {
		t.Fatal(err)
	}
	if err := r.client.SetResult(t.Context(), action, want); err == nil {
		t.Error("written after the lease's end")
	}
	r.submit(t, queue.Task{Action: action, DoNotCache: true})
	r.lease(t)
	if err := r.client.SetResult(t.Context(), action, want); err == nil {
		t.Error("written though the action is not to be cached")
	}
}

func TestLostLease(t *testing.T) {
	r := start(t, queue.Config{TTL: 10 * time.Millisecond, Attempts: 1})
	w := r.submit(t, queue.Task{Action: action})
	l := r.lease(t)
	if o := end(t, w); o.Failure == nil || o.Failure.Kind != queue.Lost {
		t.Errorf("outcome %+v", o)
	}
	if err := r.client.Heartbeat(t.Context(), l.ID, queue.Running); !errors.Is(err, queue.ErrLost) {
		t.Errorf("heartbeat: %v, want ErrLost", err)
	}
	if err := r.client.Heartbeat(t.Context(), "none", queue.Running); !errors.Is(err, queue.ErrLost) {
		t.Errorf("heartbeat of no lease: %v, want ErrLost", err)
	}
}
