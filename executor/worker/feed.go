package worker

import (
	"context"
	"sync"
	"time"
)

// Logs takes what actions write while they run: bytes of stdout or stderr from
// an offset on. An error says that nobody wants more of that lease.
type Logs interface {
	Append(ctx context.Context, lease string, stderr bool, offset int64, p []byte) error
}

const (
	feedEvery = 250 * time.Millisecond // so actions that are quick cost no call
	feedBytes = 1 << 20                // of a stream that wait to be sent; more waits for the result
)

// feed sends what a command writes on its way. The command never waits for it.
type feed struct {
	logs  Logs
	lease string

	mu      sync.Mutex
	streams [2]pending
}

// pending is what is not sent yet of a stream.
type pending struct {
	bytes []byte
	sent  int64
	full  bool // what came later is left out
}

// writer takes one of the streams.
type writer struct {
	*feed
	stderr int
}

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.streams[w.stderr]
	if s.full = s.full || len(s.bytes)+len(p) > feedBytes; !s.full {
		s.bytes = append(s.bytes, p...)
	}
	return len(p), nil
}

// run sends until stop is closed or nobody wants more. What comes last is sent
// if anything was before.
func (f *feed) run(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for begun, last := false, false; !last; begun = true {
		select {
		case <-stop:
			last = true
		case <-tick.C:
		}
		if last && !begun {
			return
		}
		for stderr := range f.streams {
			if f.send(ctx, stderr) != nil {
				return
			}
		}
	}
}

func (f *feed) send(ctx context.Context, stderr int) error {
	f.mu.Lock()
	s := &f.streams[stderr]
	p, off := s.bytes, s.sent
	s.bytes, s.sent = nil, off+int64(len(p))
	f.mu.Unlock()
	if len(p) == 0 {
		return nil
	}
	return f.logs.Append(ctx, f.lease, stderr == 1, off, p)
}
