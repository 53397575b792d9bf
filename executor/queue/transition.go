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
// and from a lease back to Queued. Each arrow is a method below. The journal
// records admit, grant, retry, putBack and finish; all else follows.
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
	turn     uint64 // when it is its invocation's turn
	index    int    // in its class while Queued
	recorded uint64 // its newest record

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
	return State{Name: t.name, Instance: t.Instance, Action: t.Action, Stage: t.stage, Worker: t.worker,
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
	t := newTask(Record{Name: name, Task: tk, Seq: q.seq, Queued: time.Now()})
	q.enter(t)
	q.offer(t)
	if t.recorded == 0 { // else the lease's record says it all
		q.record(t)
	}
	return t
}

func newTask(r Record) *task {
	return &task{Task: r.Task, name: r.Name, platform: platformKey(r.Task.Platform), seq: r.Seq, queued: r.Queued,
		attempt: r.Attempt, worker: r.Worker, setbacks: r.Setbacks, outcome: r.Outcome, version: 1, changed: make(chan struct{})}
}

func (q *Queue) enter(t *task) {
	q.tasks[t.name] = t
	if !t.DoNotCache && t.outcome == nil {
		q.shared[t.identity()] = t
	}
}

// readmit takes in a task of a queue that was before.
func (q *Queue) readmit(r Record) {
	q.seq = max(q.seq, r.Seq)
	t := newTask(r)
	q.enter(t)
	switch {
	case r.Outcome != nil:
		t.stage = Done
	case r.Leased:
		t.stage = Fetching
		q.watch(t)
	default:
		t.attempt++ // a lease whose record the machine lost has that number
		q.offer(t)
	}
	q.linger(t)
}

// record has the journal keep what t is now.
func (q *Queue) record(t *task) {
	t.recorded = q.log.add(Record{Name: t.name, Seq: t.seq, Task: t.Task, Queued: t.queued, Attempt: t.attempt,
		Leased: t.stage > Queued && t.stage < Done, Worker: t.worker, Setbacks: t.setbacks, Outcome: t.outcome})
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
	q.turns.now = max(q.turns.now, t.turn)
	t.stage = Fetching
	t.attempt++
	t.worker = worker
	q.watch(t)
	q.record(t)
	t.touch()
	return &Lease{ID: t.leaseID(), Name: t.name, Task: t.Task, Attempt: t.attempt, Queued: t.queued, TTL: q.cfg.TTL, recorded: t.recorded}
}

// watch starts the clock of t's lease.
func (q *Queue) watch(t *task) {
	attempt := t.attempt
	t.expiry = time.AfterFunc(q.cfg.TTL, func() { q.expire(t, attempt) })
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
	t.setbacks = append(t.setbacks, fmt.Sprintf("worker %q: %s", t.worker, why))
	if len(t.setbacks) < q.cfg.Attempts {
		q.putBack(t)
		return
	}
	q.finish(t, &Outcome{Failure: &Failure{Kind: Lost, Reason: fmt.Sprintf(
		"action %v given up after %d attempts: %s", t.Action, len(t.setbacks), strings.Join(t.setbacks, "; "))}})
}

// putBack makes a leased task wait for another worker.
func (q *Queue) putBack(t *task) {
	t.expiry.Stop()
	t.stage = Queued
	q.record(t)
	q.offer(t)
	t.touch()
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
	q.record(t)
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
		q.log.add(Record{Name: t.name, Gone: true})
	default:
		q.finish(t, &Outcome{Failure: &Failure{Kind: Cancelled, Reason: "nobody waited for " + t.Action.String()}})
	}
}
