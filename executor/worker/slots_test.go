package worker_test

import (
	"context"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// slowResults says when a result comes and keeps it waiting.
type slowResults struct {
	cas.ActionCache
	came, may chan struct{}
}

func (r *slowResults) SetResult(ctx context.Context, d digest.Digest, result *repb.ActionResult) error {
	r.came <- struct{}{}
	<-r.may
	return r.ActionCache.SetResult(ctx, d, result)
}

// TestStoringLeavesTheSlot: while results are being stored as many commands run
// as ever, and no more leases are taken than can be stored.
func TestStoringLeavesTheSlot(t *testing.T) {
	slow := &slowResults{came: make(chan struct{}), may: make(chan struct{})}
	f := newFarmWith(t, queue.Config{}, func(f *farm) {
		slow.ActionCache = f.results
		f.results = slow
	})
	var waiters []*queue.Waiter
	for _, text := range []string{"a", "b", "c", "d", "e"} {
		w, err := f.queue.Submit(queue.Task{Action: f.action(t, act("echo", text))})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		waiters = append(waiters, w)
	}
	for range 2 * slots {
		select {
		case <-slow.came:
		case <-time.After(time.Minute):
			t.Fatalf("commands wait for results to be stored: %+v", f.queue.Counts())
		}
	}
	select {
	case <-slow.came:
		t.Error("more commands have run than their results can be stored")
	case <-time.After(100 * time.Millisecond):
	}
	if c := f.queue.Counts(); c.Stages[queue.Queued] != len(waiters)-2*slots {
		t.Errorf("%+v", c)
	}
	close(slow.may)
	<-slow.came
	for _, w := range waiters {
		for {
			s, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Stage == queue.Done {
				if s.Outcome.Failure != nil {
					t.Error(s.Outcome.Failure)
				}
				break
			}
		}
	}
}
