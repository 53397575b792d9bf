package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// op is one operation, the i-th of a turn. It returns how long it took without
// what it had to prepare.
type op func(ctx context.Context, i int) (time.Duration, error)

// row is one line of the table: a load that every farm gets in turn.
type row struct {
	name    string
	unit    string
	clients int     // that do operations at a time
	most    int     // operations of one turn; 0: only the time is limited
	once    bool    // one round is enough
	writes  bool    // it matters who flushes
	goal    string  // as the issue has it
	figure  figure  // what is shown
	amount  float64 // of the unit in one operation
	needs   func(*target) bool
	// load makes what the farms' turns of one round have in common, and
	// returns how a farm is prepared for its turn. Neither is measured.
	load func(ctx context.Context, round int) (func(ctx context.Context, t *target) (op, error), error)
}

// turn is what one farm did in one round.
type turn struct {
	ops  int
	wall time.Duration   // of all clients together
	each []time.Duration // sorted
	cpu  time.Duration   // of the server
	peak int64           // bytes
}

// figure makes a number of a turn.
type figure struct {
	of   func(r *row, t *turn) float64
	less bool // is better
}

var (
	perSecond = figure{of: func(r *row, t *turn) float64 { return float64(t.ops) * r.amount / t.wall.Seconds() }}
	median    = figure{less: true, of: func(_ *row, t *turn) float64 { return float64(t.each[len(t.each)/2].Microseconds()) / 1e3 }}
	memory    = figure{less: true, of: func(_ *row, t *turn) float64 { return float64(t.peak) / (1 << 20) }}
)

// line is a row with what the farms did, by target and round.
type line struct {
	*row
	turns map[*target][]*turn
	// failed says why a farm of others has no figure. Ours must not fail.
	failed map[*target]error
}

// measured returns what a farm did, nothing if it failed in a round.
func (l *line) measured(t *target) []*turn {
	if l.failed[t] != nil {
		return nil
	}
	return l.turns[t]
}

// measure gives every farm its turn in every round. Who goes first changes, so
// that nobody always follows the same neighbour.
func (r *row) measure(ctx context.Context, s *settings, targets []*target) (*line, error) {
	l := &line{row: r, turns: map[*target][]*turn{}, failed: map[*target]error{}}
	targets = slices.DeleteFunc(slices.Clone(targets), func(t *target) bool { return !r.needs(t) })
	rounds := s.rounds
	if r.once {
		rounds = 1
	}
	for round := range rounds {
		prepare, err := r.load(ctx, round)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for k := range targets {
			t := targets[(k+round)%len(targets)]
			got, err := r.turn(ctx, s, t, prepare)
			switch {
			case err == nil:
				l.turns[t] = append(l.turns[t], got)
			case t.name == ours || ctx.Err() != nil:
				return nil, fmt.Errorf("%s: %s: %w", r.name, t.name, err)
			case l.failed[t] == nil:
				l.failed[t] = err
			}
		}
	}
	return l, nil
}

func (r *row) turn(ctx context.Context, s *settings, t *target, prepare func(context.Context, *target) (op, error)) (*turn, error) {
	do, err := prepare(ctx, t)
	if err != nil {
		return nil, err
	}
	stop, err := t.startProfile(ctx, s, r)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := t.forgetPeak(); err != nil {
		return nil, err
	}
	before, err := t.cpu()
	if err != nil {
		return nil, err
	}
	got, err := r.run(ctx, s.limit, do)
	if err != nil {
		return nil, err
	}
	after, err := t.cpu()
	if err != nil {
		return nil, err
	}
	got.cpu = after - before
	got.peak, err = t.peak()
	return got, err
}

// run has the clients do operations until there were enough or time is up. Each
// ends what it has begun.
func (r *row) run(ctx context.Context, limit time.Duration, do op) (*turn, error) {
	if r.once {
		limit = time.Minute
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := &turn{}
	var next atomic.Int64
	var mu sync.Mutex
	var errs []error
	var clients sync.WaitGroup
	begin := time.Now()
	for range r.clients {
		clients.Go(func() {
			for time.Since(begin) < limit && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if r.most > 0 && i >= r.most {
					return
				}
				took, err := do(ctx, i)
				mu.Lock()
				got.each = append(got.each, took)
				if err != nil {
					errs = append(errs, err)
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	got.wall, got.ops = time.Since(begin), len(got.each)
	slices.Sort(got.each)
	if err := ctx.Err(); err != nil && len(errs) == 0 {
		return nil, err
	}
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if got.ops == 0 {
		return nil, errors.New("no operation in its time")
	}
	return got, nil
}

// timed is an op all of whose time counts.
func timed(do func(ctx context.Context, i int) error) op {
	return func(ctx context.Context, i int) (time.Duration, error) {
		begin := time.Now()
		err := do(ctx, i)
		return time.Since(begin), err
	}
}

func storing(t *target) bool   { return t.stores }
func executing(t *target) bool { return t.executes }
func caching(t *target) bool   { return t.stores && (t.updates || t.executes) }

// rows are the lines of the table, in its order.
func rows() []*row {
	const mib = 1 << 20
	return []*row{
		{name: "blobs of 1 MiB up", unit: "MiB/s", clients: 8, most: 128, goal: "1.2", figure: perSecond, amount: 1, writes: true, needs: storing, load: uploads(mib, 128)},
		{name: "blobs of 1 MiB down", unit: "MiB/s", clients: 8, most: 1024, goal: "1.2", figure: perSecond, amount: 1, needs: storing, load: downloads(mib, 64)},
		{name: "blobs of 4 KiB up, 500 in a batch", unit: "blobs/s", clients: 4, most: 32, goal: "1.2", figure: perSecond, amount: inBatch, writes: true, needs: storing, load: batchesUp(32)},
		{name: "blobs of 4 KiB down, 500 in a batch", unit: "blobs/s", clients: 4, most: 400, goal: "1.0", figure: perSecond, amount: inBatch, needs: storing, load: batchesDown(8)},
		{name: "FindMissing of 10,000, all present", unit: "ms", clients: 1, most: 100, goal: "3", figure: median, needs: storing, load: findMissing(true)},
		{name: "FindMissing of 10,000, all absent", unit: "ms", clients: 1, most: 100, goal: "3", figure: median, needs: storing, load: findMissing(false)},
		{name: "ActionCache hits, 1 client", unit: "/s", clients: 1, goal: "1.2", figure: perSecond, amount: 1, needs: caching, load: repeated(known, ask)},
		{name: "ActionCache hits, 32 clients", unit: "/s", clients: 32, goal: "1.2", figure: perSecond, amount: 1, needs: caching, load: repeated(known, ask)},
		{name: "Execute on a cached action, 1 client", unit: "/s", clients: 1, goal: "1.2", figure: perSecond, amount: 1, needs: executing, load: repeated(known, executeCached)},
		{name: "Execute on a cached action, 32 clients", unit: "/s", clients: 32, goal: "1.2", figure: perSecond, amount: 1, needs: executing, load: repeated(known, executeCached)},
		{name: "action that does nothing, 1 client", unit: "/s", clients: 1, goal: "1.5 x Buildbarn", figure: perSecond, amount: 1, needs: executing, load: repeated(unknown, executeAnew)},
		{name: "action that does nothing, 8 clients", unit: "/s", clients: 8, goal: "1.5 x Buildbarn", figure: perSecond, amount: 1, needs: executing, load: repeated(unknown, executeAnew)},
		{name: "warm action over 5,000 files, 10 new", unit: "ms", clients: 1, most: 20, goal: "15 ms", figure: median, needs: executing, load: warmActions(5_000, 4<<10)},
		{name: "warm action over 30,000 files (1 GB), 10 new", unit: "ms", clients: 1, most: 20, goal: "20 ms", figure: median, needs: executing, load: warmActions(30_000, 34<<10)},
		{name: "peak memory while 1 GiB goes up and down", unit: "MiB", clients: 8, most: 1024, once: true, goal: "300 MiB", figure: memory, needs: storing, load: upAndDown(mib)},
	}
}
