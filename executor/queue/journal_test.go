package queue_test

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/journal"
	"github.com/kvfarm/kvfarm/executor/queue"
)

// restore returns a queue that knows no more than j does by now: the one that
// was before has crashed, whatever it goes on to do.
func restore(t *testing.T, cfg queue.Config, j *journal.Memory) (*queue.Queue, *journal.Memory) {
	t.Helper()
	kept, err := j.Load()
	after := &journal.Memory{}
	if err := errors.Join(err, after.Write(kept)); err != nil {
		t.Fatal(err)
	}
	q, err := queue.Restore(cfg, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q, after
}

func again(t *testing.T, q *queue.Queue, name string) *queue.Waiter {
	t.Helper()
	w, err := q.Wait(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestRestoreOfAQueuedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := restore(t, queue.Config{}, &journal.Memory{})
		task := queue.Task{Instance: "i", Action: digest.BLAKE3.Of([]byte("a")), Platform: []queue.Property{{Name: "os", Value: "x"}}, Priority: 3,
			Timeout: time.Minute, Origin: queue.Origin{Tool: "t", Invocation: "n"}}
		w := submit(t, q, task)
		q, _ = restore(t, queue.Config{}, j)
		waiter := again(t, q, w.Name())
		if joined := submit(t, q, task); joined.Name() != w.Name() {
			t.Error("an identical action is not merged any more")
		}
		l := lease(t, q, queue.Worker{Properties: task.Platform})
		if diff := cmp.Diff(task, l.Task); diff != "" {
			t.Errorf("task (-want +got):\n%s", diff)
		}
		complete(t, q, l, exit(3), nil)
		if s := wait(t, waiter); s.Outcome.Result.ExitCode != 3 {
			t.Errorf("outcome %+v", s.Outcome)
		}
	})
}

// A lease goes on: nobody else runs the action meanwhile, whoever held it may
// renew it and deliver. If nobody does it goes to another, under another name.
func TestRestoreOfALease(t *testing.T) {
	for _, alive := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := queue.Config{TTL: 5 * time.Second}
			q, j := restore(t, cfg, &journal.Memory{})
			w := submit(t, q, queue.Task{Action: action("a")})
			l := lease(t, q, queue.Worker{Name: "first"})
			q, _ = restore(t, cfg, j)
			waiter := again(t, q, w.Name())
			idle(t, q, queue.Worker{})
			if alive {
				for range 3 {
					time.Sleep(4 * time.Second)
					if err := q.Heartbeat(t.Context(), l.ID, queue.Running); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				other := lease(t, q, queue.Worker{Name: "second"})
				if other.ID == l.ID || other.Attempt != 2 {
					t.Errorf("lease %q, attempt %d after %q", other.ID, other.Attempt, l.ID)
				}
			}
			complete(t, q, l, exit(4), nil) // late or not, it is the first
			complete(t, q, l, exit(5), queue.ErrLost)
			if s := wait(t, waiter); s.Outcome.Result.ExitCode != 4 {
				t.Errorf("outcome %+v", s.Outcome)
			}
		})
	}
}

func TestRestoreOfOutcomes(t *testing.T) {
	for name, o := range map[string]*queue.Outcome{
		"result":  {Result: &repb.ActionResult{ExitCode: 7, StdoutRaw: []byte("x")}, Message: "m"},
		"empty":   {Result: &repb.ActionResult{}},
		"failure": {Failure: &queue.Failure{Kind: queue.Missing, Reason: "gone", Missing: nil}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, j := restore(t, queue.Config{Keep: time.Minute}, &journal.Memory{})
				w := submit(t, q, queue.Task{Action: action("a")})
				l := lease(t, q, queue.Worker{Name: "w"})
				complete(t, q, l, o, nil)
				q, j = restore(t, queue.Config{Keep: time.Minute}, j)
				s := wait(t, again(t, q, w.Name()))
				if s.Worker != "w" || (s.Outcome.Result == nil) != (o.Result == nil) || s.Outcome.Result.GetExitCode() != o.Result.GetExitCode() {
					t.Errorf("state %+v", s)
				}
				if diff := cmp.Diff(o.Failure, s.Outcome.Failure); diff != "" {
					t.Errorf("failure (-want +got):\n%s", diff)
				}
				complete(t, q, l, exit(0), queue.ErrLost)
				time.Sleep(time.Minute + time.Second)
				submit(t, q, queue.Task{Action: action("b")}).Close()
				if kept, err := j.Load(); err != nil || len(kept) != 1 {
					t.Errorf("%d operations are kept, %v: the first should be forgotten", len(kept), err)
				}
			})
		})
	}
}

// What kills workers kills no more than Attempts of them, restarts or not.
func TestRestoreCountsSetbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := queue.Config{TTL: 5 * time.Second, Attempts: 3}
		q, j := restore(t, cfg, &journal.Memory{})
		w := submit(t, q, queue.Task{Action: action("poison")})
		for i := range 3 {
			lease(t, q, queue.Worker{Name: strconv.Itoa(i)})
			time.Sleep(6 * time.Second)
			submit(t, q, queue.Task{Action: action(strconv.Itoa(i)), Platform: []queue.Property{{Name: "none"}}}) // others' work goes on
			q, j = restore(t, cfg, j)
		}
		s := wait(t, again(t, q, w.Name()))
		if f := s.Outcome.Failure; f == nil || f.Kind != queue.Lost {
			t.Errorf("outcome %+v", s.Outcome)
		}
	})
}

// A lease that is handed back is no setback.
func TestReturnedLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Attempts: 1})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		for range 5 {
			l := lease(t, q, queue.Worker{})
			complete(t, q, l, &queue.Outcome{Failure: &queue.Failure{Kind: queue.Returned}}, nil)
			if err := q.Heartbeat(t.Context(), l.ID, queue.Running); !errors.Is(err, queue.ErrLost) {
				t.Errorf("heartbeat of a lease that was handed back: %v", err)
			}
		}
		complete(t, q, lease(t, q, queue.Worker{}), exit(1), nil)
		if s := wait(t, w); s.Outcome.Result.GetExitCode() != 1 {
			t.Errorf("outcome %+v", s.Outcome)
		}
	})
}

// A journal that takes nothing stops what is new and spoils nothing; when it
// does again, all goes on.
func TestBrokenJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := restore(t, queue.Config{}, &journal.Memory{})
		w := submit(t, q, queue.Task{Action: action("a")})
		waiting := submit(t, q, queue.Task{Action: action("b")})
		l := lease(t, q, queue.Worker{})
		full := errors.New("disk full")
		j.Break(full)
		if _, err := q.Submit(queue.Task{Action: action("c")}); !errors.Is(err, queue.ErrJournal) || !errors.Is(err, full) {
			t.Errorf("submit: %v", err)
		}
		complete(t, q, l, exit(2), queue.ErrJournal)
		for range 5 {
			if _, err := q.Lease(t.Context(), queue.Worker{}); !errors.Is(err, queue.ErrJournal) {
				t.Errorf("lease: %v", err)
			}
		}
		if s, err := w.Next(t.Context()); !errors.Is(err, queue.ErrJournal) {
			t.Errorf("an outcome that could be lost is told: %+v, %v", s, err)
		}
		j.Break(nil)
		if s := wait(t, w); s.Outcome.Result.GetExitCode() != 2 {
			t.Errorf("outcome %+v", s.Outcome)
		}
		complete(t, q, lease(t, q, queue.Worker{}), exit(3), nil)
		if s := wait(t, waiting); s.Outcome.Result.GetExitCode() != 3 || s.Attempt != 1 {
			t.Errorf("outcome of what waited %+v", s)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		l := lease(t, q, queue.Worker{})
		for range 2 { // it is no error to come late
			if err := q.Cancel(w.Name()); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Heartbeat(t.Context(), l.ID, queue.Running); !errors.Is(err, queue.ErrLost) {
			t.Errorf("heartbeat: %v", err)
		}
		if s := wait(t, w); s.Outcome.Failure == nil || s.Outcome.Failure.Kind != queue.Cancelled {
			t.Errorf("outcome %+v", s.Outcome)
		}
		if err := q.Cancel("none"); !errors.Is(err, queue.ErrUnknown) {
			t.Errorf("cancel of nothing: %v", err)
		}
	})
}

// Who asks for little does not wait for who asks for much; priority comes first.
func TestInvocationsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		ask := func(who string, n int, priority int32) {
			for i := range n {
				submit(t, q, queue.Task{Action: action(who + strconv.Itoa(i)), Priority: priority, Origin: queue.Origin{Invocation: who}})
			}
		}
		next := func(n int) (order string) {
			for range n {
				order += lease(t, q, queue.Worker{}).Task.Origin.Invocation
			}
			return order
		}
		ask("a", 100, 0)
		got := next(3)
		ask("b", 3, 0)
		ask("c", 2, 0)
		got += next(9)
		ask("d", 2, -1)
		got += next(3)
		if want := "aaa" + "abcabcaba" + "dda"; got != want && got != "aaa"+"bcabcabaa"+"dda" {
			t.Errorf("order %s, want %s", got, want)
		}
	})
}
