package lease

import (
	"log/slog"
	"sync"
	"time"
)

// reach tells, once for all that wait for it, when a farm is out of reach and
// when it is there again.
type reach struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time // of the first call that did not get there; zero: all do
	told  bool
}

// restarts is how long a farm may be away that nobody needs to hear of.
const restarts = 2 * time.Second

func (r *reach) lost(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since.IsZero() {
		r.since = time.Now()
	}
	if !r.told && time.Since(r.since) >= restarts {
		r.told = true
		r.log.Warn("the farm does not answer; the worker waits for it", "error", err)
	}
}

func (r *reach) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told {
		r.log.Info("the farm answers again", "after", time.Since(r.since).Round(time.Second))
	}
	r.since, r.told = time.Time{}, false
}

func (r *reach) isLost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.since.IsZero()
}
