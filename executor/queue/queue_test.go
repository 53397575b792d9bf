package queue_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/queue"
)

func action(name string) digest.Digest { return digest.Of([]byte(name)) }

func submit(t *testing.T, q *queue.Queue, task queue.Task) *queue.Waiter {
	t.Helper()
	w, err := q.Submit(task)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func lease(t *testing.T, q *queue.Queue, w queue.Worker) *queue.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := q.Lease(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// idle checks that there is nothing for w.
func idle(t *testing.T, q *queue.Queue, w queue.Worker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if l, err := q.Lease(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("lease is %v, %v; want none", l, err)
	}
}

func exit(code int32) *queue.Outcome {
	return &queue.Outcome{Result: &repb.ActionResult{ExitCode: code}}
}

func complete(t *testing.T, q *queue.Queue, l *queue.Lease, o *queue.Outcome, want error) {
	t.Helper()
	if err := q.Complete(t.Context(), l.ID, o); !errors.Is(err, want) {
		t.Errorf("complete %s: %v, want %v", l.ID, err, want)
	}
}

// wait returns the state that w ends in.
func wait(t *testing.T, w *queue.Waiter) queue.State {
	t.Helper()
	defer w.Close()
	for {
		s, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Stage == queue.Done {
			if _, err := w.Next(t.Context()); err != io.EOF {
				t.Errorf("after the end: %v, want EOF", err)
			}
			return s
		}
	}
}

func TestStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		defer w.Close()
		var got []string
		next := func() {
			s, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Stage.String()+" "+s.Worker)
		}
		next()
		l := lease(t, q, queue.Worker{Name: "w"})
		next()
		for _, s := range []queue.Stage{queue.Running, queue.Running, queue.Uploading} {
			if err := q.Heartbeat(t.Context(), l.ID, s); err != nil {
				t.Fatal(err)
			}
			if s != queue.Running || len(got) == 2 {
				next()
			}
		}
		complete(t, q, l, exit(3), nil)
		next()
		want := []string{"queued ", "fetching w", "running w", "uploading w", "done w"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name   string
		a, b   queue.Task
		merged bool
	}{
		{"same action", queue.Task{Action: action("a")}, queue.Task{Action: action("a")}, true},
		{"other action", queue.Task{Action: action("a")}, queue.Task{Action: action("b")}, false},
		{"other instance", queue.Task{Action: action("a")}, queue.Task{Action: action("a"), Instance: "i"}, false},
		{"do not cache", queue.Task{Action: action("a"), DoNotCache: true}, queue.Task{Action: action("a"), DoNotCache: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config{})
				defer q.Close()
				a, b := submit(t, q, c.a), submit(t, q, c.b)
				defer a.Close()
				defer b.Close()
				if got := a.Name() == b.Name(); got != c.merged {
					t.Errorf("merged is %v, want %v", got, c.merged)
				}
			})
		})
	}
}

func TestMergeEndsWithTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		first := submit(t, q, queue.Task{Action: action("a")})
		complete(t, q, lease(t, q, queue.Worker{}), exit(0), nil)
		second := submit(t, q, queue.Task{Action: action("a")})
		if first.Name() == second.Name() {
			t.Error("joined a task that had ended")
		}
		first.Close()
		second.Close()
	})
}

func TestPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		for _, task := range []queue.Task{
			{Action: action("first")},
			{Action: action("second")},
			{Action: action("urgent"), Priority: -1},
			{Action: action("promoted"), Priority: 5},
			{Action: action("other platform"), Priority: -2, Platform: []queue.Property{{Name: "gpu", Value: "1"}}},
			{Action: action("promoted"), Priority: -3},
			{Action: action("promoted"), Priority: 9},
		} {
			defer submit(t, q, task).Close()
		}
		for _, want := range []string{"promoted", "urgent", "first", "second"} {
			if got := lease(t, q, queue.Worker{}).Task.Action; got != action(want) {
				t.Errorf("leased %v, want %s", got, want)
			}
		}
		idle(t, q, queue.Worker{})
	})
}

func TestPlatform(t *testing.T) {
	wants := []queue.Property{{Name: "os", Value: "linux"}, {Name: "root", Value: "r"}}
	for _, c := range []struct {
		name  string
		offer []queue.Property
		match bool
	}{
		{"all", []queue.Property{{Name: "root", Value: "r"}, {Name: "os", Value: "linux"}, {Name: "x", Value: "y"}}, true},
		{"any value", []queue.Property{{Name: "root", Value: queue.Any}, {Name: "os", Value: "linux"}}, true},
		{"one of two values", []queue.Property{{Name: "root", Value: "r"}, {Name: "os", Value: "Linux"}, {Name: "os", Value: "linux"}}, true},
		{"other value", []queue.Property{{Name: "root", Value: "s"}, {Name: "os", Value: "linux"}}, false},
		{"none", nil, false},
	} {
		for _, order := range []string{"task first", "worker first"} {
			t.Run(c.name+", "+order, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := queue.New(queue.Config{Properties: []string{"os", "root"}})
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					task := queue.Task{Action: action("a"), Platform: wants}
					got := make(chan bool, 1)
					take := func() {
						_, err := q.Lease(ctx, queue.Worker{Properties: c.offer})
						got <- err == nil
					}
					if order == "worker first" {
						go take()
						synctest.Wait()
						defer submit(t, q, task).Close()
					} else {
						defer submit(t, q, task).Close()
						take()
					}
					if match := <-got; match != c.match {
						t.Errorf("match is %v, want %v", match, c.match)
					}
					q.Close()
				})
			})
		}
	}
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Backlog: 1, Properties: []string{"os"}})
		if _, err := q.Submit(queue.Task{Platform: []queue.Property{{Name: "gpu"}}}); !errors.Is(err, queue.ErrPlatform) {
			t.Errorf("unknown property: %v", err)
		}
		defer submit(t, q, queue.Task{Action: action("a")}).Close()
		if _, err := q.Submit(queue.Task{Action: action("b")}); !errors.Is(err, queue.ErrFull) {
			t.Errorf("second task: %v", err)
		}
		defer submit(t, q, queue.Task{Action: action("a")}).Close() // joins
		if _, err := q.Wait("nonsense"); !errors.Is(err, queue.ErrUnknown) {
			t.Errorf("wait: %v", err)
		}
		for _, id := range []string{"", "x", ".", "x.1", "x.-1"} {
			if err := q.Heartbeat(t.Context(), id, queue.Running); !errors.Is(err, queue.ErrLost) {
				t.Errorf("heartbeat %q: %v", id, err)
			}
		}
		q.Close()
		if _, err := q.Submit(queue.Task{Action: action("b")}); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestCloseEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		w := submit(t, q, queue.Task{Action: action("a"), Platform: []queue.Property{{Name: "p"}}})
		if _, err := w.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 2)
		go func() { _, err := w.Next(t.Context()); errs <- err }()
		go func() { _, err := q.Lease(t.Context(), queue.Worker{}); errs <- err }()
		synctest.Wait()
		q.Close()
		q.Close()
		for range 2 {
			if err := <-errs; !errors.Is(err, queue.ErrClosed) {
				t.Error(err)
			}
		}
		w.Close()
	})
}

func TestHeartbeatKeepsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{TTL: 5 * time.Second})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		l := lease(t, q, queue.Worker{Name: "w"})
		for range 100 {
			time.Sleep(4 * time.Second)
			if err := q.Heartbeat(t.Context(), l.ID, queue.Running); err != nil {
				t.Fatal(err)
			}
		}
		complete(t, q, l, exit(0), nil)
		if s := wait(t, w); s.Attempt != 1 {
			t.Errorf("%d attempts", s.Attempt)
		}
	})
}

func TestLostWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{TTL: 5 * time.Second, Attempts: 2})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		begin := time.Now()
		first := lease(t, q, queue.Worker{Name: "w1"})
		second := lease(t, q, queue.Worker{Name: "w2"})
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("noticed after %v", d)
		}
		if err := q.Heartbeat(t.Context(), first.ID, queue.Running); !errors.Is(err, queue.ErrLost) {
			t.Errorf("heartbeat of a lost lease: %v", err)
		}
		s := wait(t, w)
		if f := s.Outcome.Failure; f == nil || f.Kind != queue.Lost || !strings.Contains(f.Reason, action("a").String()) ||
			!strings.Contains(f.Reason, "w1") || !strings.Contains(f.Reason, "w2") {
			t.Errorf("failure is %v", f)
		}
		complete(t, q, second, exit(0), queue.ErrLost)
	})
}

func TestFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		fault := &queue.Outcome{Failure: &queue.Failure{Reason: "disk is full"}}
		complete(t, q, lease(t, q, queue.Worker{}), fault, nil)
		complete(t, q, lease(t, q, queue.Worker{}), exit(7), nil)
		if s := wait(t, w); s.Attempt != 2 || s.Outcome.Result.ExitCode != 7 {
			t.Errorf("state is %+v", s)
		}
	})
}

func TestLateResult(t *testing.T) {
	timeout := &queue.Outcome{Failure: &queue.Failure{Kind: queue.Timeout}}
	for _, c := range []struct {
		name string
		late *queue.Outcome
		want error
		exit int32
	}{
		{"result", exit(1), nil, 1},
		{"failure", timeout, queue.ErrLost, 2},
	} {
		for _, again := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := queue.New(queue.Config{})
					defer q.Close()
					w := submit(t, q, queue.Task{Action: action("a")})
					first := lease(t, q, queue.Worker{Name: "slow"})
					time.Sleep(6 * time.Second)
					var second *queue.Lease
					if again {
						second = lease(t, q, queue.Worker{Name: "next"})
					}
					complete(t, q, first, c.late, c.want)
					if c.want == nil && again {
						complete(t, q, second, exit(2), queue.ErrLost)
					}
					if c.want != nil {
						if !again {
							second = lease(t, q, queue.Worker{Name: "next"})
						}
						complete(t, q, second, exit(2), nil)
					}
					if got := wait(t, w).Outcome.Result.ExitCode; got != c.exit {
						t.Errorf("exit code %d, want %d", got, c.exit)
					}
					idle(t, q, queue.Worker{})
				})
			})
		}
	}
}

func TestAbandon(t *testing.T) {
	for _, c := range []struct {
		name      string
		leased    bool
		away      time.Duration // that nobody waits
		cancelled bool
	}{
		{"queued", false, 31 * time.Second, true},
		{"leased", true, 31 * time.Second, true},
		{"back in time", true, 29 * time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue.New(queue.Config{TTL: time.Hour, Abandon: 30 * time.Second, Keep: time.Minute})
				defer q.Close()
				w := submit(t, q, queue.Task{Action: action("a")})
				w.Close()
				w.Close()
				var l *queue.Lease
				if c.leased {
					l = lease(t, q, queue.Worker{})
				}
				time.Sleep(c.away)
				w, err := q.Wait(w.Name())
				if err != nil {
					t.Fatal(err)
				}
				s, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := s.Stage == queue.Done && s.Outcome.Failure.Kind == queue.Cancelled; got != c.cancelled {
					t.Errorf("cancelled is %v, want %v", got, c.cancelled)
				}
				if l != nil {
					err := q.Heartbeat(t.Context(), l.ID, queue.Running)
					if errors.Is(err, queue.ErrLost) != c.cancelled {
						t.Errorf("heartbeat: %v", err)
					}
				}
				w.Close()
			})
		})
	}
}

func TestOutcomeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Keep: time.Minute})
		defer q.Close()
		w := submit(t, q, queue.Task{Action: action("a")})
		complete(t, q, lease(t, q, queue.Worker{}), exit(4), nil)
		wait(t, w)
		time.Sleep(59 * time.Second)
		again, err := q.Wait(w.Name())
		if err != nil {
			t.Fatal(err)
		}
		if got := wait(t, again).Outcome.Result.ExitCode; got != 4 {
			t.Errorf("exit code %d", got)
		}
		time.Sleep(61 * time.Second)
		if _, err := q.Wait(w.Name()); !errors.Is(err, queue.ErrUnknown) {
			t.Errorf("after its time: %v", err)
		}
	})
}
