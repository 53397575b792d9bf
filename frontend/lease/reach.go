package lease

import (
	"log/slog"
	"sync"
	"time"
)

// reach tells, once for all that wait for it, when a farm is out of reach, or
// gives nothing, and when that is over.
type reach struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time // of the first call that did not get there; zero: all do
	told  bool
	once  bool // a call got there
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
		r.log.Warn("the farm gives no leases; the worker waits until it does", "error", err)
	}
}

func (r *reach) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told {
		r.log.Info("the farm gives leases again", "after", time.Since(r.since).Round(time.Second))
	}
	r.since, r.told, r.once = time.Time{}, false, true
}

func (r *reach) isLost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.since.IsZero()
}

func (r *reach) everFound() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.once
}
