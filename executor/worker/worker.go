// Package worker takes leases from a queue, runs their actions in sandboxes and
// stores what they leave.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

// Platform properties that workers understand.
const (
	PropertyRoot   = "kvfarm-root"     // folder of the input root that becomes "/"
	PropertyMemory = "kvfarm-memory"   // limit in bytes
	PropertyImage  = "container-image" // one of the worker's named roots
	PropertyOS     = "OSFamily"        // "linux"
	PropertyISA    = "ISA"             // of runtime.GOARCH's architecture, as in "x86-64"
)

// Properties is what every worker of this machine offers.
func Properties() []queue.Property {
	isa := runtime.GOARCH
	if isa == "amd64" {
		isa = "x86-64"
	}
	return []queue.Property{
		{Name: PropertyRoot, Value: queue.Any},
		{Name: PropertyMemory, Value: queue.Any},
		{Name: PropertyOS, Value: "linux"},
		{Name: PropertyOS, Value: "Linux"},
		{Name: PropertyISA, Value: isa},
	}
}

// Queue is where leases come from: a queue.Queue, or a connection to one.
type Queue interface {
	Lease(ctx context.Context, w queue.Worker) (*queue.Lease, error)
	Heartbeat(ctx context.Context, id string, s queue.Stage) error
	Complete(ctx context.Context, id string, o *queue.Outcome) error
}

// Config is what a worker works with and its limits.
type Config struct {
	Name    string           // in results and logs
	Slots   int              // commands at a time; zero: one per processor
	Offers  []queue.Property // beside Properties: what this worker's pool has
	Queue   Queue
	Store   cas.Store
	Results cas.ActionCache
	Logs    Logs // nil: nobody watches actions run
	Host    *sandbox.Host
	Inputs  *inputs.Cache

	// Roots are for actions that bring none along.
	Roots Roots
	// Timeout is for actions that have none, MaxTimeout the most that one may
	// ask for, where their leases say nothing of it. Zero: one hour, one day.
	Timeout, MaxTimeout time.Duration
	// Memory in bytes is for actions that ask for no limit. Zero: none.
	Memory int64
	// Scratch is how many bytes an action may write. Zero: the sandbox's default.
	Scratch int64
	// Outputs is how many bytes all outputs of an action may have, each counted
	// at each place. Zero: 16 GiB.
	Outputs int64
	// Grace is for how long after Run's context has ended actions may go on.
	Grace time.Duration
	Log   *slog.Logger
}

// Worker runs actions.
type Worker struct {
	cfg   Config
	offer []queue.Property
	slots chan struct{} // holds one for each slot that is taken
}

// New returns a worker; it does nothing before Run.
func New(cfg Config) *Worker {
	if cfg.Slots == 0 {
		cfg.Slots = runtime.NumCPU()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Hour
	}
	if cfg.MaxTimeout == 0 {
		cfg.MaxTimeout = 24 * time.Hour
	}
	if cfg.Outputs == 0 {
		cfg.Outputs = 16 << 30
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{cfg: cfg, offer: slices.Concat(Properties(), cfg.Roots.offers(), cfg.Offers), slots: make(chan struct{}, cfg.Slots)}
}

// Run works until ctx ends or the queue is closed, which is no error. Actions
// that run then have Config.Grace to finish; after it they are ended and handed
// back to the queue.
func (w *Worker) Run(ctx context.Context) error {
	release, err := w.pin(ctx)
	if err != nil {
		return err
	}
	defer release()
	working, stop := outlast(ctx, w.cfg.Grace)
	defer stop()
	eg, ctx := errgroup.WithContext(ctx)
	for range 2 * w.cfg.Slots { // half of them may be storing what commands have left
		eg.Go(func() error { return w.work(ctx, working) })
	}
	err = eg.Wait()
	if errors.Is(err, queue.ErrClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// outlast returns a context that ends some time after ctx does.
func outlast(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, cancel
}

const (
	retryLease = time.Second     // that a slot waits after the queue could not be reached
	faultPause = time.Second     // that it holds a lease after a fault, for each attempt so far
	handBack   = 2 * time.Second // that handing a lease back may take
)

// work takes leases until ctx ends and serves them until working does. A lease is
// asked for only when there is a slot for its command: another worker may have one.
func (w *Worker) work(ctx, working context.Context) error {
	for {
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		leave := sync.OnceFunc(func() { <-w.slots })
		err := w.lease(ctx, working, leave)
		leave()
		if err != nil {
			return err
		}
	}
}

// lease takes one lease and serves it. It calls leave when the command has ended,
// if it ever ran.
func (w *Worker) lease(ctx, working context.Context, leave func()) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l, err := w.cfg.Queue.Lease(ctx, queue.Worker{Name: w.cfg.Name, Properties: w.offer})
	switch {
	case err == nil:
		w.serve(working, l, leave)
	case ctx.Err() != nil || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrDenied):
		return err
	default:
		w.cfg.Log.Warn("no lease", "error", err)
		sleep(ctx, retryLease)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// serve runs one lease to its end. It calls leave as lease does.
func (w *Worker) serve(ctx context.Context, l *queue.Lease, leave func()) {
	log := w.cfg.Log.With("action", l.Task.Action.String(), "operation", l.Name, "attempt", l.Attempt,
		"tool", l.Task.Origin.Tool, "invocation", l.Task.Origin.Invocation, "what", l.Task.Origin.What)
	ctx, span := attempt(ctx, l, w.cfg.Name)
	defer span.End()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	pulse := newPulse(w.cfg.Queue, l)
	go pulse.beat(running, stop)
	j := &job{cfg: &w.cfg, lease: l, stage: pulse.stage, leave: leave}
	defer j.tidy()
	outcome := j.run(running)
	if running.Err() != nil {
		log.Info("lease dropped", "cause", context.Cause(running))
		span.SetStatus(codes.Error, "lease dropped")
		w.handBack(ctx, l)
		return
	}
	conclude(span, outcome)
	if f := outcome.Failure; f != nil {
		log.Warn("no result", "failure", f)
		if f.Kind == queue.Fault { // the next attempt is not to come too soon
			sleep(running, faultPause*time.Duration(l.Attempt))
		}
	}
	if err := w.cfg.Queue.Complete(ctx, l.ID, outcome); err != nil {
		log.Warn("result not accepted", "error", err)
	}
}

// handBack gives a lease to others, if it still is ours to give. If that does
// not get through it runs out.
func (w *Worker) handBack(ctx context.Context, l *queue.Lease) {
	if ctx.Err() == nil {
		return // the queue took it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBack)
	defer cancel()
	_ = w.cfg.Queue.Complete(ctx, l.ID, &queue.Outcome{Failure: &queue.Failure{Kind: queue.Returned, Reason: "the worker ends"}})
}

// pulse keeps a lease alive.
type pulse struct {
	queue  Queue
	lease  *queue.Lease
	stages chan queue.Stage
}

func newPulse(q Queue, l *queue.Lease) *pulse {
	return &pulse{queue: q, lease: l, stages: make(chan queue.Stage, int(queue.Done))}
}

// stage has the queue told how far the action is. It does not wait.
func (p *pulse) stage(s queue.Stage) { p.stages <- s }

// beat sends heartbeats until ctx ends, and ends it when the lease is lost.
func (p *pulse) beat(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(max(p.lease.TTL/3, time.Millisecond))
	defer tick.Stop()
	now := queue.Fetching
	for {
		select {
		case <-ctx.Done():
			return
		case now = <-p.stages:
		case <-tick.C:
		}
		if err := p.heartbeat(ctx, now); errors.Is(err, queue.ErrLost) {
			stop(fmt.Errorf("heartbeat: %w", err))
			return
		}
	}
}

// heartbeat takes no longer than the lease lasts: one that is stuck in a dead
// connection must not keep the next from trying another.
func (p *pulse) heartbeat(ctx context.Context, s queue.Stage) error {
	ctx, cancel := context.WithTimeout(ctx, p.lease.TTL)
	defer cancel()
	return p.queue.Heartbeat(ctx, p.lease.ID, s)
}
