package livelog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/executor/livelog"
	"github.com/kvfarm/kvfarm/executor/queue"
)

type rig struct {
	t    *testing.T
	q    *queue.Queue
	logs *livelog.Logs
}

func (r *rig) append(lease string, off int64, p string) {
	r.t.Helper()
	if err := r.logs.Append(r.t.Context(), lease, false, off, []byte(p)); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) want(op string, off int64, want string) {
	r.t.Helper()
	if got, _ := r.logs.Read(op, false, off); string(got) != want {
		r.t.Errorf("from %d: %q, want %q", off, got, want)
	}
}

func (r *rig) lease() *queue.Lease {
	r.t.Helper()
	l, err := r.q.Lease(r.t.Context(), queue.Worker{})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func start(t *testing.T) (*rig, string) {
	q := queue.New(queue.Config{})
	t.Cleanup(q.Close)
	w, err := q.Submit(queue.Task{Action: digest.Of([]byte("a"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &rig{t: t, q: q, logs: livelog.New(q)}, w.Name()
}

func TestAppend(t *testing.T) {
	r, op := start(t)
	_, changed := r.logs.Read(op, false, 0) // before there is anything
	l := r.lease()
	r.append(l.ID, 0, "one ")
	<-changed
	r.append(l.ID, 0, "one ") // said twice
	r.append(l.ID, 2, "e two")
	r.append(l.ID, 100, "after a gap")
	r.want(op, 0, "one two")
	r.want(op, 4, "two")
	r.want(op, 7, "")
	r.want(op, 70, "")
	if p, _ := r.logs.Read(op, true, 0); len(p) > 0 {
		t.Errorf("stderr has %q", p)
	}
}

// What the next lease writes follows on what the first wrote; the first may say
// no more once there is a result.
func TestLeases(t *testing.T) {
	r, op := start(t)
	first := r.lease()
	r.append(first.ID, 0, "first ")
	if err := r.q.Complete(t.Context(), first.ID, &queue.Outcome{Failure: &queue.Failure{Kind: queue.Returned}}); err != nil {
		t.Fatal(err)
	}
	second := r.lease()
	r.append(second.ID, 0, "second")
	r.want(op, 0, "first second")
	if err := r.q.Cancel(op); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{second.ID, "none.1"} {
		if err := r.logs.Append(t.Context(), id, false, 6, []byte("more")); !errors.Is(err, queue.ErrLost) {
			t.Errorf("append to %s: %v", id, err)
		}
	}
	r.want(op, 0, "first second")
}

func TestStreamLimit(t *testing.T) {
	r, op := start(t)
	l := r.lease()
	part := strings.Repeat("x", 300<<10)
	for i := range 5 {
		r.append(l.ID, int64(i*len(part)), part)
	}
	if p, _ := r.logs.Read(op, false, 0); len(p) != 1<<20 {
		t.Errorf("%d bytes are kept", len(p))
	}
}
