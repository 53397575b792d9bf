package queue

import (
	"context"
	"io"
	"sync"
)

// Waiter follows one task. It is for one goroutine at a time.
type Waiter struct {
	q     *Queue
	t     *task
	seen  uint64 // the version of t that Next returned last
	close sync.Once
}

// Name returns the operation's name.
func (w *Waiter) Name() string { return w.t.name }

// Next returns the task's present state at the first call, and at later ones
// waits until it is another. States in between may be skipped, Done never is;
// after it Next returns io.EOF. Errors: ctx's, ErrClosed, ErrJournal.
func (w *Waiter) Next(ctx context.Context) (State, error) {
	for {
		w.q.mu.Lock()
		state, version, changed := w.t.state(), w.t.version, w.t.changed
		w.q.mu.Unlock()
		switch {
		case version != w.seen:
			if state.Stage == Done { // nobody may hear what a crash would undo
				if err := w.kept(); err != nil {
					return State{}, err
				}
			}
			w.seen = version
			return state, nil
		case state.Stage == Done:
			return State{}, io.EOF
		}
		select {
		case <-changed:
		case <-w.q.closed:
			return State{}, ErrClosed
		case <-ctx.Done():
			return State{}, ctx.Err()
		}
	}
}

// kept returns when what is said of the task outlives the process.
func (w *Waiter) kept() error {
	w.q.mu.Lock()
	n := w.t.recorded
	w.q.mu.Unlock()
	return w.q.log.wait(n)
}

// Close says that the caller waits no more. A task that nobody waits for is
// cancelled after Config.Abandon.
func (w *Waiter) Close() {
	w.close.Do(func() {
		w.q.mu.Lock()
		defer w.q.mu.Unlock()
		w.q.detach(w.t)
	})
}
