package queue

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// task is a Task on its way. Its stage goes
//
//	Queued -> Fetching -> Running -> Uploading -> Done
//
// and from a lease back to Queued. Each arrow is a method below; a journal
// would record admit, grant, retry and finish, all else follows.
type task struct {
	Task
	name     string
	platform string // key of Task.Platform
	seq      uint64
	stage    Stage
	attempt  int
	worker   string
	setbacks []string // why earlier leases ended
	queued   time.Time
	outcome  *Outcome
	index    int // in its class while Queued

	waiters int
	version uint64
	changed chan struct{} // closed at the next change

	expiry *time.Timer // of the lease
	idle   *time.Timer // until an abandoned or finished task is forgotten
	epoch  int         // which setting of idle is in force: a stopped timer may fire yet
}

// identity is what tasks that may be merged have in common.
type identity struct {
	instance string
	action   digest.Digest
}

func (t *Task) identity() identity { return identity{t.Instance, t.Action} }

func (t *task) state() State {
	return State{Name: t.name, Action: t.Action, Stage: t.stage, Worker: t.worker,
		Attempt: t.attempt, Queued: t.queued, Outcome: t.outcome}
}

func (t *task) touch() {
	t.version++
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *task) stopTimers() {
	for _, timer := range []*time.Timer{t.expiry, t.idle} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// admit takes in a new task.
func (q *Queue) admit(tk Task, name string) *task {
	q.seq++
	t := &task{Task: tk, name: name, platform: platformKey(tk.Platform), seq: q.seq,
		queued: time.Now(), version: 1, changed: make(chan struct{})}
	q.tasks[name] = t
	if !t.DoNotCache {
		q.shared[t.identity()] = t
	}
	q.offer(t)
	return t
}

// offer gives t to an idle worker, or lets it wait for one.
func (q *Queue) offer(t *task) {
	t.stage = Queued
	q.pushReady(t)
	if p := q.idleFor(t); p != nil {
		q.unpark(p)
		p.got <- q.grant(t, p.worker.Name)
	}
}

// grant leases a ready task.
func (q *Queue) grant(t *task, worker string) *Lease {
	q.dropReady(t)
	t.stage = Fetching
	t.attempt++
	t.worker = worker
	id, attempt := t.leaseID(), t.attempt
	t.expiry = time.AfterFunc(q.cfg.TTL, func() { q.expire(t, attempt) })
	t.touch()
	return &Lease{ID: id, Name: t.name, Task: t.Task, Attempt: attempt, Queued: t.queued, TTL: q.cfg.TTL}
}

func (q *Queue) progress(t *task, s Stage) {
	t.stage = s
	t.touch()
}

// expire ends the lease of that attempt, if it still is in force.
func (q *Queue) expire(t *task, attempt int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() || t.attempt != attempt || t.stage == Queued || t.stage == Done {
		return
	}
	q.retry(t, fmt.Sprintf("no heartbeat for %v", q.cfg.TTL))
}

// retry puts a leased task back, or gives it up after too many leases.
func (q *Queue) retry(t *task, why string) {
	t.expiry.Stop()
	t.setbacks = append(t.setbacks, fmt.Sprintf("worker %q: %s", t.worker, why))
	if t.attempt < q.cfg.Attempts {
		q.offer(t)
		t.touch()
		return
	}
	q.finish(t, &Outcome{Failure: &Failure{Kind: Lost, Reason: fmt.Sprintf(
		"action %v given up after %d attempts: %s", t.Action, t.attempt, strings.Join(t.setbacks, "; "))}})
}

// finish ends t. It stays to be asked for until nobody has for Config.Keep.
func (q *Queue) finish(t *task, o *Outcome) {
	if t.stage == Queued {
		q.dropReady(t)
	} else {
		t.expiry.Stop()
	}
	t.stage = Done
	t.outcome = o
	if q.shared[t.identity()] == t {
		delete(q.shared, t.identity())
	}
	t.touch()
	q.linger(t)
}

func (q *Queue) attach(t *task) *Waiter {
	t.waiters++
	t.epoch++
	if t.idle != nil {
		t.idle.Stop()
	}
	return &Waiter{q: q, t: t}
}

func (q *Queue) detach(t *task) {
	t.waiters--
	q.linger(t)
}

// linger starts the clock of a task that nobody waits for.
func (q *Queue) linger(t *task) {
	if t.waiters > 0 || q.isClosed() {
		return
	}
	if t.idle != nil {
		t.idle.Stop()
	}
	after := q.cfg.Abandon
	if t.stage == Done {
		after = q.cfg.Keep
	}
	t.epoch++
	epoch := t.epoch
	t.idle = time.AfterFunc(after, func() { q.abandon(t, epoch) })
}

// abandon cancels or forgets a task that still nobody waits for.
func (q *Queue) abandon(t *task, epoch int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.isClosed() || t.epoch != epoch:
	case t.stage == Done:
		delete(q.tasks, t.name)
	default:
		q.finish(t, &Outcome{Failure: &Failure{Kind: Cancelled, Reason: "nobody waited for " + t.Action.String()}})
	}
}
