package queue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Lease is the right to run a task until the TTL passes without a heartbeat.
type Lease struct {
	ID      string
	Name    string // of the operation
	Task    Task
	Attempt int // 1 for the first
	Queued  time.Time
	TTL     time.Duration // heartbeats should come three times as often

	recorded uint64
}

// parked is a worker that waits in Lease.
type parked struct {
	worker Worker
	got    chan *Lease // takes one
}

// Lease waits for a task that w can run. Errors: ctx's, ErrClosed, ErrJournal.
func (q *Queue) Lease(ctx context.Context, w Worker) (*Lease, error) {
	if err := q.log.ready(); err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	l, err := q.lease(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := q.log.wait(l.recorded); err != nil { // it runs out
		return nil, fmt.Errorf("lease: %w", err)
	}
	return l, nil
}

func (q *Queue) lease(ctx context.Context, w Worker) (*Lease, error) {
	q.mu.Lock()
	if q.isClosed() {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	if t := q.next(w.Properties); t != nil {
		defer q.mu.Unlock()
		return q.grant(t, w.Name), nil
	}
	p := &parked{worker: w, got: make(chan *Lease, 1)}
	q.park(p)
	q.mu.Unlock()

	select {
	case l := <-p.got:
		return l, nil
	case <-q.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return q.leave(p, ctx.Err())
	}
}

// leave takes p out of the idle. What was granted to it meanwhile is returned
// all the same: the caller may drop it and the lease runs out.
func (q *Queue) leave(p *parked, cause error) (*Lease, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unpark(p)
	select {
	case l := <-p.got:
		return l, nil
	default:
		return nil, cause
	}
}

// Heartbeat extends a lease and says how far its holder is. On ErrLost, also
// when the task was cancelled, the holder must stop working on it.
func (q *Queue) Heartbeat(_ context.Context, id string, s Stage) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	t, attempt, err := q.leased(id)
	if err != nil {
		return err
	}
	if attempt != t.attempt || t.stage == Queued || t.stage == Done {
		return fmt.Errorf("heartbeat of lease %q: %w", id, ErrLost)
	}
	t.expiry.Reset(q.cfg.TTL)
	if s > Queued && s < Done && s != t.stage {
		q.progress(t, s)
	}
	return nil
}

// Complete ends a lease. It is accepted once per task: a result counts even
// if the lease has run out, as long as no other was accepted; a Failure counts
// only under a lease in force. Errors: ErrLost, ErrClosed, ErrJournal.
func (q *Queue) Complete(_ context.Context, id string, o *Outcome) error {
	recorded, err := q.complete(id, o)
	if err == nil {
		err = q.log.wait(recorded)
	}
	if err != nil {
		return fmt.Errorf("complete lease %q: %w", id, err)
	}
	return nil
}

func (q *Queue) complete(id string, o *Outcome) (recorded uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t, attempt, err := q.leased(id)
	if err != nil {
		return 0, err
	}
	inForce := attempt == t.attempt && t.stage != Queued
	if t.stage == Done || (o.Failure != nil && !inForce) {
		return 0, ErrLost
	}
	switch {
	case o.Failure != nil && o.Failure.Kind == Returned:
		q.putBack(t)
	case o.Failure != nil && o.Failure.Kind == Fault:
		q.retry(t, o.Failure.Reason)
	default:
		q.finish(t, o)
	}
	return t.recorded, nil
}

// Task returns what a lease is for, in force or run out, as long as a result
// would be accepted. Errors: ErrLost, ErrClosed.
func (q *Queue) Task(id string) (Task, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t, _, err := q.leased(id)
	if err == nil && t.stage == Done {
		err = fmt.Errorf("lease %q: %w", id, ErrLost)
	}
	if err != nil {
		return Task{}, err
	}
	return t.Task, nil
}

func (q *Queue) leased(id string) (*task, int, error) {
	if q.isClosed() {
		return nil, 0, ErrClosed
	}
	name, n, _ := strings.Cut(id, ".")
	attempt, err := strconv.Atoi(n)
	t, ok := q.tasks[name]
	if !ok || err != nil || attempt < 1 || attempt > t.attempt {
		return nil, 0, fmt.Errorf("lease %q: %w", id, ErrLost)
	}
	return t, attempt, nil
}

func (t *task) leaseID() string { return t.name + "." + strconv.Itoa(t.attempt) }
