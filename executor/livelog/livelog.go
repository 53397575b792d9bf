// Package livelog keeps what actions have written to stdout and stderr so far,
// for those who watch them run.
package livelog

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// Limits of what is kept. What is beyond them stands in the action's result.
const (
	streamBytes   = 1 << 20 // of one stream
	totalBytes    = 1 << 28 // of all; then the operation that began first goes
	maxOperations = 1 << 16
)

// Logs holds the streams of operations of a queue.
type Logs struct {
	queue *queue.Queue

	mu    sync.Mutex
	ops   map[string]*operation
	order []string // of ops, oldest first
	total int      // bytes
}

// operation is the streams of all leases of one operation, one after the other.
type operation struct {
	lease   string // the newest
	out     stream
	err     stream
	changed chan struct{} // closed when there is more
}

type stream struct {
	bytes []byte
	base  int64 // where the newest lease's output begins
}

// New returns empty logs of q's operations.
func New(q *queue.Queue) *Logs { return &Logs{queue: q, ops: map[string]*operation{}} }

// Append takes p, which the action of a lease has written from offset off on.
// What came before is left out; what does not follow on it is refused. Errors:
// queue.ErrLost, queue.ErrClosed.
func (l *Logs) Append(_ context.Context, lease string, stderr bool, off int64, p []byte) error {
	if _, err := l.queue.Task(lease); err != nil {
		return fmt.Errorf("append to log: %w", err)
	}
	name, _, _ := strings.Cut(lease, ".")
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.operation(name, lease)
	st := o.stream(stderr)
	skip := int64(len(st.bytes)) - st.base - off
	if skip < 0 || skip > int64(len(p)) {
		return nil // a gap, or nothing new
	}
	p = p[skip:]
	p = p[:min(len(p), streamBytes-len(st.bytes))]
	st.bytes = append(st.bytes, p...)
	l.total += len(p)
	close(o.changed)
	o.changed = make(chan struct{})
	l.trim(name)
	return nil
}

// operation returns the log of that name as the lease goes on with it.
func (l *Logs) operation(name, lease string) *operation {
	o, ok := l.ops[name]
	if !ok {
		o = &operation{changed: make(chan struct{})}
		l.ops[name] = o
		l.order = append(l.order, name)
	}
	if o.lease != lease {
		o.lease = lease
		o.out.base, o.err.base = int64(len(o.out.bytes)), int64(len(o.err.bytes))
	}
	return o
}

func (o *operation) stream(stderr bool) *stream {
	if stderr {
		return &o.err
	}
	return &o.out
}

// trim drops the oldest operations, but not that one.
func (l *Logs) trim(name string) {
	for (l.total > totalBytes || len(l.order) > maxOperations) && l.order[0] != name {
		o := l.ops[l.order[0]]
		l.total -= len(o.out.bytes) + len(o.err.bytes)
		delete(l.ops, l.order[0])
		l.order = l.order[1:]
	}
}

// Read returns what there is of a stream from offset off on, and a channel that
// is closed when there may be more.
func (l *Logs) Read(name string, stderr bool, off int64) (p []byte, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.ops[name]
	if !ok {
		o = l.operation(name, "")
	}
	b := o.stream(stderr).bytes
	return b[min(off, int64(len(b))):], o.changed
}
