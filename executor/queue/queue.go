// Package queue decides which worker runs which action next. It knows leases,
// not connections: frontends translate it to the wire.
package queue

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
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
	mu     sync.Mutex
	closed chan struct{}
	seq    uint64
	tasks  map[string]*task // by operation name
	shared map[identity]*task
	ready  map[string]*class // by platform
	idle   map[string]*crew  // by offer
}

// New returns an empty queue.
func New(cfg Config) *Queue {
	return &Queue{
		cfg:    cfg.withDefaults(),
		closed: make(chan struct{}),
		tasks:  make(map[string]*task),
		shared: make(map[identity]*task),
		ready:  make(map[string]*class),
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
// Errors: ErrFull, ErrPlatform, ErrClosed.
func (q *Queue) Submit(t Task) (*Waiter, error) {
	if err := q.known(t.Platform); err != nil {
		return nil, fmt.Errorf("submit %v: %w", t.Action, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return nil, fmt.Errorf("submit %v: %w", t.Action, ErrClosed)
	}
	if k, ok := q.shared[t.identity()]; ok && !t.DoNotCache {
		q.promote(k, t.Priority)
		return q.attach(k), nil
	}
	if len(q.tasks) >= q.cfg.Backlog {
		return nil, fmt.Errorf("submit %v: %w", t.Action, ErrFull)
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
