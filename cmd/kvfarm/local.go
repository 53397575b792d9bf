package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/executor/journal"
	"github.com/kvfarm/kvfarm/executor/livelog"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/worker"
	inputcache "github.com/kvfarm/kvfarm/executor/worker/inputs"
	"github.com/kvfarm/kvfarm/frontend/lease"
	"github.com/kvfarm/kvfarm/frontend/rev2"
	kvfarmpb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// localFarm is a whole farm in this process: store, queue, server and workers.
// The embedded farm and `kvfarm serve` are the same but for who may connect.
type localFarm struct {
	store   *badgerstore.Store
	results cas.ActionCache // complete ones
	queue   *queue.Queue
	logs    *livelog.Logs
	server  *grpc.Server
	group   *errgroup.Group
	crew    sync.WaitGroup // of workers
	roots   worker.Roots   // of its workers
	grace   time.Duration  // that actions have to finish when the farm closes
	keep    io.Closer      // what the queue is kept in
	closers []func() error // of what else serves
	stop    context.CancelFunc
	ctx     context.Context
	log     *slog.Logger
}

// farmConfig says what a localFarm is. Only dir and log have no default.
type farmConfig struct {
	dir     string
	log     *slog.Logger
	options []grpc.ServerOption
	kept    bool          // operations go on in the next process
	known   []string      // platform properties beside those of plain workers
	grace   time.Duration // that actions have to finish when the farm closes
	fresh   time.Duration // rev2.Config.Fresh
	lazy    bool          // badgerstore.Config.Lazy
	timeout time.Duration // rev2.Config.Timeout
	longest time.Duration // rev2.Config.MaxTimeout
	// mayUpdate is rev2.Config.MayUpdate.
	mayUpdate func(ctx context.Context, instance string) bool
}

// openLocal opens the farm in dir for one command.
func openLocal(ctx context.Context, dir string, log *slog.Logger, options ...grpc.ServerOption) (*localFarm, error) {
	return openFarm(ctx, farmConfig{dir: dir, log: log, options: options})
}

func openFarm(ctx context.Context, cfg farmConfig) (_ *localFarm, err error) {
	f := &localFarm{log: cfg.log, grace: cfg.grace}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.release())
		}
	}()
	if f.store, err = openStoreAs(ctx, cfg.dir, badgerstore.Config{Lazy: cfg.lazy, Log: cfg.log}); err != nil {
		return nil, err
	}
	if err = f.openQueue(cfg); err != nil {
		return nil, err
	}
	f.ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	f.group, f.ctx = errgroup.WithContext(f.ctx)
	f.server = grpc.NewServer(slices.Concat(rev2.Options(), traceServe(), cfg.options)...)
	f.results = complete.New(f.store, f.store)
	f.logs = livelog.New(f.queue)
	rev2.New(rev2.Config{Store: f.store, Cache: f.results, Queue: f.queue, Logs: f.logs, Fresh: cfg.fresh,
		MayUpdate: cfg.mayUpdate, Timeout: cfg.timeout, MaxTimeout: cfg.longest, Log: f.log}).Register(f.server)
	kvfarmpb.RegisterLeaseServer(f.server, lease.NewServer(f.queue, f.results, f.logs))
	return f, nil
}

// openQueue makes a queue, or goes on with that of the process that had the
// folder before.
func (f *localFarm) openQueue(cfg farmConfig) error {
	qc := queue.Config{Properties: append(propertyNames(), cfg.known...)}
	if !cfg.kept {
		f.queue = queue.New(qc)
		return nil
	}
	j, err := journal.Open(filepath.Join(cfg.dir, "queue"), cfg.log)
	if err != nil {
		return err
	}
	f.keep = j
	f.queue, err = queue.Restore(qc, j)
	return err
}

// release gives up what is open.
func (f *localFarm) release() error {
	var errs []error
	if f.keep != nil {
		errs = append(errs, f.keep.Close())
	}
	if f.store != nil {
		errs = append(errs, f.store.Close())
	}
	return errors.Join(errs...)
}

// openStore opens the store in dir, waiting for a process that has it open.
func openStore(ctx context.Context, dir string, log *slog.Logger) (*badgerstore.Store, error) {
	return openStoreAs(ctx, dir, badgerstore.Config{Log: log})
}

// storeDir is where the store of a state folder lies.
func storeDir(dir string) string { return filepath.Join(dir, "store") }

// openStoreAs is openStore with settings. For a server nobody waits: it does
// not come to an end.
func openStoreAs(ctx context.Context, dir string, cfg badgerstore.Config) (*badgerstore.Store, error) {
	say := sync.OnceFunc(func() { fmt.Fprintf(os.Stderr, "kvfarm: another kvfarm uses %s; waiting for it to end\n", dir) })
	return openWhenFree(ctx, dir, cfg, func(error) error {
		if k, who, err := askHolder(dir); err == nil {
			k.Close()
			if who.Listens != "" {
				return fmt.Errorf("open the store in %s: kvfarm serve, process %d, which listens on %s, has it open: end it first, or name another folder with --state; submits can use it by --remote_executor", dir, who.Process, who.Listens)
			}
		}
		say()
		return nil
	})
}

// openWhenFree opens the store in dir when no other process has it open. As long
// as one has, it asks wait again and again, whose error ends that.
func openWhenFree(ctx context.Context, dir string, cfg badgerstore.Config, wait func(locked error) error) (*badgerstore.Store, error) {
	cfg.Dir = storeDir(dir)
	for {
		store, err := badgerstore.Open(ctx, cfg)
		if err == nil {
			return store, nil
		}
		if !errors.Is(err, badgerstore.ErrLocked) {
			return nil, storeError(dir, err)
		}
		if err := wait(err); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("open the store in %s: %w: %w", dir, err, ctx.Err())
		case <-time.After(lookAgain):
		}
	}
}

// storeError says of an error of Open what to do.
func storeError(dir string, err error) error {
	err = fmt.Errorf("open the store in %s: %w", dir, err)
	switch {
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; run kvfarm as the user whose folder it is, where it may write, or name another folder with --state", err)
	case errors.Is(err, badgerstore.ErrFormat):
		return fmt.Errorf("%w; open it with the kvfarm that wrote it, or name another folder with --state: what is there is not lost", err)
	}
	return (&state{dir: dir}).advise(err)
}

// lookAgain is how often who waits for a store looks whether it is free.
const lookAgain = 100 * time.Millisecond

// startsWithin is how long a process that holds a store may be about to answer,
// or to end.
const startsWithin = 5 * time.Second

// errAnswers is no trouble: who has a store open does what is asked for.
var errAnswers = errors.New("the process that has the store open answers")

// openKeeper opens the store in dir, or asks the process that has it open.
func openKeeper(ctx context.Context, dir string) (keeper, error) {
	begin := time.Now()
	var holder keeper
	store, err := openWhenFree(ctx, dir, badgerstore.Config{}, func(locked error) error {
		if k, who, err := askHolder(dir); err == nil {
			fmt.Fprintf(os.Stderr, "kvfarm: process %d uses %s and does it; what was used in the last %v stays\n", who.Process, dir, who.Spare)
			holder = k
			return errAnswers
		}
		if time.Since(begin) > startsWithin {
			return fmt.Errorf("open the store in %s: %w, and that does not answer; try again when it has ended", dir, locked)
		}
		return nil
	})
	switch {
	case holder != nil:
		return holder, nil
	case err != nil:
		return nil, err
	}
	return store, nil
}

// serve answers on l until Close.
func (f *localFarm) serve(l net.Listener) {
	f.group.Go(func() error { return f.server.Serve(l) })
}

// work adds a worker with slots slots, whose trees stand in dir.
func (f *localFarm) work(dir, name string, slots int) error {
	w, done, err := newWorker(worker.Config{
		Name: name, Slots: slots, Queue: f.queue, Store: f.store, Results: f.store, Logs: f.logs, Roots: f.roots, Grace: f.grace, Log: f.log,
	}, dir)
	if err != nil {
		return err
	}
	f.crew.Add(1)
	f.group.Go(func() error {
		defer f.crew.Done()
		defer done()
		if err := w.Run(f.ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, queue.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

// newWorker completes cfg with a sandbox and a cache of trees in dir. done
// gives both up.
func newWorker(cfg worker.Config, dir string) (w *worker.Worker, done func(), err error) {
	if cfg.Host, err = sandbox.Open(sandbox.Config{Dir: dir}); err != nil {
		return nil, nil, err
	}
	for _, note := range cfg.Host.Notes() {
		cfg.Log.Warn(note)
	}
	uid, gid, give := cfg.Host.Owner()
	cfg.Inputs, err = inputcache.Open(inputcache.Config{Dir: dir, UID: uid, GID: gid, Give: give, Whole: !cfg.Host.Stacks()}, cfg.Store)
	if errors.Is(err, inputcache.ErrInUse) {
		err = fmt.Errorf("%w: another worker has it; give this one a folder of its own with --state", err)
	}
	if err != nil {
		return nil, nil, errors.Join(err, cfg.Host.Close())
	}
	return worker.New(cfg), func() { cfg.Inputs.Close(); cfg.Host.Close() }, nil
}

// hangUp is how long calls have to end when the farm closes.
const hangUp = 5 * time.Second

// Close ends everything: first the workers, who finish their actions or hand
// them back, then waiting clients, who are told that the farm is not available,
// then the calls of others. What is acknowledged is on disk.
func (f *localFarm) Close() error {
	f.stop()
	f.crew.Wait()
	f.queue.Close()
	enough := time.AfterFunc(hangUp, f.server.Stop)
	f.server.GracefulStop()
	enough.Stop()
	for _, close := range f.closers {
		_ = close() // only its connections end
	}
	return errors.Join(f.group.Wait(), f.release())
}

// embed listens on a socket that only this user can reach, and returns the
// endpoint. The client talks to the embedded farm as to any other.
func (f *localFarm) embed() (endpoint string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "kvfarm")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the embedded farm's socket: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	l, err := net.Listen("unix", filepath.Join(dir, "farm"))
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("listen for the embedded farm: %w", err)
	}
	f.serve(l)
	return "unix:" + l.Addr().String(), remove, nil
}

// propertyNames are the platform properties that workers know; an action that
// asks for another one is refused at once instead of queueing for ever.
func propertyNames() []string {
	var names []string
	for _, p := range worker.Properties() {
		names = append(names, p.Name)
	}
	return names
}
