// Package queue decides which worker runs which action next. It knows leases,
// not connections: frontends translate it to the wire.
package queue

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Config sets a queue's limits. The zero value is useful.
type Config struct {
	// TTL is how long a lease lasts without a heartbeat. Zero: 5 s.
	TTL time.Duration
	// Attempts is how many leases a task gets before it is given up. Zero: 3.
	Attempts int
	// Abandon is how long a task lives with nobody waiting for it. Zero: 30 s.
	Abandon time.Duration
	// Keep is how long a finished task's outcome can be asked for. Zero: 60 s.
	Keep time.Duration
	// Backlog is the most tasks that are held at a time. Zero: 1,000,000.
	Backlog int
	// Properties names the platform properties that are understood. A task
	// with another one is refused. Nil: all names are allowed.
	Properties []string
}

func (c Config) withDefaults() Config {
	defaultTo(&c.TTL, 5*time.Second)
	defaultTo(&c.Attempts, 3)
	defaultTo(&c.Abandon, 30*time.Second)
	defaultTo(&c.Keep, 60*time.Second)
	defaultTo(&c.Backlog, 1_000_000)
	return c
}

func defaultTo[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Queue holds tasks from Submit until some time after their end. All its
// state is behind one mutex, and changes in transition.go only.
type Queue struct {
	cfg    Config
	log    *recorder
	mu     sync.Mutex
	closed chan struct{}
	seq    uint64
	tasks  map[string]*task // by operation name
	shared map[identity]*task
	ready  map[string]*class // by platform
	turns  turns
	idle   map[string]*crew // by offer
}

// New returns an empty queue, whose tasks end with it.
func New(cfg Config) *Queue { return newQueue(cfg, nil) }

// Restore returns a queue that goes on from j and keeps its tasks there:
// Submit, Lease and Complete return when what they say is kept. Operations and
// leases keep their names; who holds a lease has the TTL from now on to renew it.
func Restore(cfg Config, j Journal) (*Queue, error) {
	records, err := j.Load()
	if err != nil {
		return nil, fmt.Errorf("restore queue: %w", err)
	}
	q := newQueue(cfg, j)
	q.mu.Lock()
	defer q.mu.Unlock()
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, r := range records {
		q.readmit(r)
	}
	return q, nil
}

func newQueue(cfg Config, j Journal) *Queue {
	return &Queue{
		cfg:    cfg.withDefaults(),
		log:    newRecorder(j),
		closed: make(chan struct{}),
		tasks:  make(map[string]*task),
		shared: make(map[identity]*task),
		ready:  make(map[string]*class),
		turns:  turns{last: make(map[string]uint64)},
		idle:   make(map[string]*crew),
	}
}

// Close makes every call that waits, and every later one, return ErrClosed.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return
	}
	close(q.closed)
	for _, t := range q.tasks {
		t.stopTimers()
	}
	_ = q.log.all() // what callers wait for they are told; the rest is news of no weight
}

func (q *Queue) isClosed() bool {
	select {
	case <-q.closed:
		return true
	default:
		return false
	}
}

// Submit asks for t to be run and returns a waiter for it, which the caller
// closes. A task that is already in flight is joined, unless DoNotCache is set.
// Errors: ErrFull, ErrPlatform, ErrClosed, ErrJournal.
func (q *Queue) Submit(t Task) (*Waiter, error) {
	w, err := q.submit(t)
	if err == nil {
		if err = w.kept(); err != nil {
			w.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("submit %v: %w", t.Action, err)
	}
	return w, nil
}

func (q *Queue) submit(t Task) (*Waiter, error) {
	if err := cmp.Or(q.known(t.Platform), q.log.ready()); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return nil, ErrClosed
	}
	if k, ok := q.shared[t.identity()]; ok && !t.DoNotCache {
		q.promote(k, t.Priority)
		return q.attach(k), nil
	}
	if len(q.tasks) >= q.cfg.Backlog {
		return nil, ErrFull
	}
	return q.attach(q.admit(t, rand.Text())), nil
}

func (q *Queue) known(platform []Property) error {
	for _, p := range platform {
		if q.cfg.Properties != nil && !slices.Contains(q.cfg.Properties, p.Name) {
			return fmt.Errorf("%w %q", ErrPlatform, p.Name)
		}
	}
	return nil
}

// Wait returns a waiter for the operation of that name. Error: ErrUnknown, also
// when it ended long ago.
func (q *Queue) Wait(name string) (*Waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return nil, fmt.Errorf("wait for %q: %w", name, ErrClosed)
	}
	t, ok := q.tasks[name]
	if !ok {
		return nil, fmt.Errorf("wait for %q: %w", name, ErrUnknown)
	}
	return q.attach(t), nil
}

// Cancel ends the operation of that name, if it has not ended yet. Who runs it
// learns that at the next heartbeat. Errors: ErrUnknown, ErrClosed, ErrJournal.
func (q *Queue) Cancel(name string) error {
	w, err := q.Wait(name)
	if err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	defer w.Close()
	q.mu.Lock()
	if w.t.stage != Done {
		q.finish(w.t, &Outcome{Failure: &Failure{Kind: Cancelled, Reason: "a client cancelled " + w.t.Action.String()}})
	}
	q.mu.Unlock()
	return w.kept()
}

// Actions returns the actions that are yet to end: what they need must stay.
func (q *Queue) Actions() []digest.Digest {
	q.mu.Lock()
	defer q.mu.Unlock()
	var ds []digest.Digest
	for _, t := range q.tasks {
		if t.stage != Done {
			ds = append(ds, t.Action)
		}
	}
	return ds
}

// Counts is how many tasks there are by stage, and workers waiting for one.
type Counts struct {
	Stages [Done + 1]int
	Idle   int
}

// Counts returns the present counts.
func (q *Queue) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	var c Counts
	for _, t := range q.tasks {
		c.Stages[t.stage]++
	}
	for _, w := range q.idle {
		c.Idle += len(w.parked)
	}
	return c
}

// Held is a task that a worker has, and who asked for it.
type Held struct {
	State
	Origin Origin
}

// Held returns the tasks that workers have, the oldest first.
func (q *Queue) Held() []Held {
	q.mu.Lock()
	defer q.mu.Unlock()
	var held []*task
	for _, t := range q.tasks {
		if t.stage != Queued && t.stage != Done {
			held = append(held, t)
		}
	}
	slices.SortFunc(held, func(a, b *task) int { return cmp.Compare(a.seq, b.seq) })
	out := make([]Held, len(held))
	for i, t := range held {
		out[i] = Held{t.state(), t.Origin}
	}
	return out
}
