package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// cacheFlags bound a server's store.
type cacheFlags struct {
	limit string
	grace time.Duration
}

func (c *cacheFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&c.limit, "cache_limit", "", "`SIZE` that content may take: bytes, or with K, M, G, T; what was not used for longest goes (default: the disk)")
	f.DurationVar(&c.grace, "cache_grace", 10*time.Minute, "`DURATION` for which what was used stays, limit or not")
}

// collector keeps a store below a limit while others use it.
type collector struct {
	store *badgerstore.Store
	limit int64
	grace time.Duration
	// needed are the actions that are yet to end.
	needed func() []digest.Digest
	log    *slog.Logger
}

// fresh is for how long the server may take inputs to be there without another
// look: less than they surely stay.
func (c *cacheFlags) fresh() time.Duration {
	if c.limit == "" {
		return 0 // the default
	}
	return max(c.grace/2, 1)
}

// spare is what collections by hand spare: what the server takes to be there
// without another look must not go.
func (c *cacheFlags) spare() time.Duration {
	if c.limit == "" {
		return max(c.grace, spareWhileUsed)
	}
	return c.grace
}

// spareWhileUsed is spared of a store that is in use by who was told no grace.
const spareWhileUsed = 10 * time.Minute

// leastLimit in bytes is what a store is worth having for. Who says 20 means 20G.
const leastLimit = 1 << 20

// bytes is the limit, 0 for none.
func (c *cacheFlags) bytes() (int64, error) {
	if c.limit == "" {
		return 0, nil
	}
	n, err := parseSize(c.limit)
	if err != nil {
		return 0, fmt.Errorf("--cache_limit: %w", err)
	}
	if n < leastLimit {
		return 0, fmt.Errorf("--cache_limit %s: %s is no store; a number without K, M, G or T is bytes", c.limit, size(n))
	}
	return n, nil
}

// start has f collected, if there is a limit.
func (c *cacheFlags) start(f *localFarm) error {
	if c.limit == "" {
		return nil
	}
	limit, err := c.bytes()
	if err != nil {
		return err
	}
	g := &collector{store: f.store, limit: limit, grace: c.grace, needed: f.queue.Actions, log: f.log}
	f.group.Go(func() error { return g.run(f.ctx) })
	return nil
}

// Times of a collector. What the grace protects may be more than the limit:
// then looking again at once would be of no use.
const (
	lookEvery = time.Second
	restLeast = time.Minute
	restRatio = 10 // times what the last collection took
)

// run collects whenever the store is above its limit, until ctx ends.
func (c *collector) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var rest time.Time // until when a collection would be of no use
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if size, err := c.store.Content(); err != nil || size <= c.limit || now.Before(rest) {
				c.report(err)
				continue
			}
			freed, err := c.collect(ctx)
			c.report(err)
			if freed < c.limit/20 {
				rest = time.Now().Add(max(restLeast, restRatio*time.Since(now)))
			}
		}
	}
}

// collect makes room for a while: to a tenth below the limit. It returns the
// bytes freed.
func (c *collector) collect(ctx context.Context) (int64, error) {
	begin := time.Now()
	r, err := c.store.GC(ctx, badgerstore.GCConfig{
		Limit: c.limit - c.limit/10,
		Grace: c.grace,
		Keep:  badgerstore.Roots{Actions: c.needed()},
	})
	if err == nil {
		c.log.Info("collected", "blobs", r.Before.Blobs-r.After.Blobs, "results", r.Before.Results-r.After.Results,
			"freed", size(r.Freed), "holds", size(r.After.Bytes), "took", time.Since(begin))
	}
	return r.Freed, err
}

func (c *collector) report(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		c.log.Error("collect", "error", err)
	}
}
