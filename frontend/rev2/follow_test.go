package rev2

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// TestBriefStates: of an action that is quick clients hear the beginning and the
// end, of others what they are at.
func TestBriefStates(t *testing.T) {
	for _, c := range []struct {
		name   string
		stages map[queue.Stage]time.Duration // how long they last
		want   []queue.Stage
	}{
		{"quick", nil, []queue.Stage{queue.Queued, queue.Done}},
		{"long", map[queue.Stage]time.Duration{queue.Running: time.Minute}, []queue.Stage{queue.Queued, queue.Running, queue.Done}},
		{"long at first", map[queue.Stage]time.Duration{queue.Fetching: time.Minute, queue.Uploading: time.Minute},
			[]queue.Stage{queue.Queued, queue.Fetching, queue.Uploading, queue.Done}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config{TTL: time.Hour})
				defer q.Close()
				w, err := q.Submit(queue.Task{})
				if err != nil {
					t.Fatal(err)
				}
				go pass(t, q, c.stages)
				var got []queue.Stage
				var p progress
				state, err := w.Next(t.Context())
				for ; err == nil; state, err = lasting(t.Context(), w, &p) {
					got = append(got, state.Stage)
				}
				if diff := cmp.Diff(c.want, got); err != io.EOF || diff != "" {
					t.Errorf("%v (-want +got)\n%s", err, diff)
				}
				if p.meta.GetExecutionStartTimestamp() == nil {
					t.Error("what was not sent was not noted")
				}
			})
		})
	}
}

// pass takes the one task through all stages.
func pass(t *testing.T, q *queue.Queue, stages map[queue.Stage]time.Duration) {
	time.Sleep(time.Second)
	l, err := q.Lease(context.Background(), queue.Worker{})
	if err != nil {
		t.Error(err)
		return
	}
	for s := queue.Fetching; s < queue.Done; s++ {
		if err := q.Heartbeat(context.Background(), l.ID, s); err != nil {
			t.Error(err)
		}
		time.Sleep(max(stages[s], time.Millisecond))
	}
	if err := q.Complete(context.Background(), l.ID, &queue.Outcome{}); err != nil {
		t.Error(err)
	}
}
