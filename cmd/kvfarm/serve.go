package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/frontend/asset"
)

// serveFlags is what `kvfarm serve` is told.
type serveFlags struct {
	state
	listen  string
	workers int
	slots   int
	grace   time.Duration
	timeout time.Duration // of actions that do not say
	longest time.Duration // that actions may ask for
	known   []string      // platform properties beside those of plain workers
	http    string        // address for metrics and health; empty: none
	pprof   bool          // profiles there, too
	assets  []string      // where assets may be fetched from
	outlive string        // what acknowledged content does: disk or process
	roots   rootFlags
	cache   cacheFlags
	door    door
	log     logFlags
}

func newServe() *cobra.Command {
	var s serveFlags
	c := &cobra.Command{
		Use:   "serve [flags]",
		Short: "serve a store, an action cache and a queue by the Remote Execution API",
		Long: `Serve a store, an action cache and a queue by the Remote Execution API.

On a loopback address or a unix socket everyone on this machine who can reach
it may use it. Any other address needs to know who calls: by --tls_certificate,
--tls_key and --tls_client_ca, and then whoever holds a certificate of that
authority may do everything, or by --auth, a file that grants permissions to
holders of tokens, JSON Web Tokens and certificates:

  tokens = "tokens"   # a file of lines: NAME TOKEN
  [jwt]
  keys = "jwks.json"
  issuer = "https://login.example"
  audience = "kvfarm"
  [[grant]]
  who = ["group:kernel", "token:ci"]
  may = ["read", "write", "execute"]
  [[grant]]
  who = ["cert:*"]
  may = ["read", "write", "work"]

SIGHUP has it, the files that it names and the certificates read again.`,
		Example: `  kvfarm serve --state /srv/kvfarm --cache_limit 200G
  kvfarm serve --workers 1 --http 127.0.0.1:8981
  kvfarm serve --config serve.toml --listen 0.0.0.0:8980`,
		Args:        none,
		Annotations: map[string]string{endless: "true"},
		RunE:        func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	s.flag(c.Flags())
	c.Flags().StringVar(&s.listen, "listen", "127.0.0.1:8980", "`ADDR` to listen on: HOST:PORT or unix:PATH")
	c.Flags().IntVar(&s.workers, "workers", 0, "`N` workers in this process")
	c.Flags().IntVar(&s.slots, "slots", 0, "`N` actions at a time per worker (default: one per processor)")
	c.Flags().StringArrayVar(&s.known, "property", nil, "`NAME` of a platform property that some workers offer; actions that want one of other names are refused; repeatable")
	c.Flags().StringVar(&s.outlive, "durability", toDisk, "`WHAT` acknowledged content outlives: disk, a power failure, too; or process, the server's death alone, and then uploads do not wait for the disk")
	graceFlag(c.Flags(), &s.grace)
	c.Flags().DurationVar(&s.timeout, "action_timeout", time.Hour, "`DURATION` that an action may run which does not say so itself")
	c.Flags().DurationVar(&s.longest, "max_action_timeout", 24*time.Hour, "`DURATION` that an action may ask to run")
	c.Flags().StringVar(&s.http, "http", "", "`HOST:PORT` for Prometheus (/metrics), liveness (/healthz), readiness (/readyz) and a page for people (/) (default: none)")
	c.Flags().BoolVar(&s.pprof, "pprof", false, "serve profiles of this process on --http too (/debug/pprof/)")
	c.Flags().StringArrayVar(&s.assets, "asset_origin", nil, "`URI` below which the Remote Asset API may fetch: https://HOST/PATH, http://HOST/PATH or file:///PATH; repeatable (default: none, assets are what was pushed)")
	s.roots.flags(c.Flags())
	s.cache.flags(c.Flags())
	s.door.flags(c.Flags())
	s.log.flags(c.Flags())
	return withConfig(c)
}

// What --durability may be.
const (
	toDisk    = "disk"
	toProcess = "process"
)

// check looks for mistakes in the flags that nothing else would tell.
func (s *serveFlags) check() error {
	if s.outlive != toDisk && s.outlive != toProcess {
		return fmt.Errorf("--durability %s: want %s or %s", s.outlive, toDisk, toProcess)
	}
	if s.workers < 0 {
		return fmt.Errorf("--workers %d: want a number, 0 for none", s.workers)
	}
	if s.timeout <= 0 || s.timeout > s.longest {
		return fmt.Errorf("--action_timeout %v: want a positive duration of at most --max_action_timeout, %v", s.timeout, s.longest)
	}
	if _, err := s.cache.bytes(); err != nil {
		return err
	}
	return errors.Join(checkSlots(s.slots), checkGrace("--cache_grace", s.cache.grace), checkGrace("--grace", s.grace))
}

func checkGrace(flag string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s %v: want a duration, 0 for none", flag, d)
	}
	return nil
}

func checkSlots(n int) error {
	if n < 0 {
		return fmt.Errorf("--slots %d: want a number, 0 for one per processor", n)
	}
	return nil
}

func (s *serveFlags) run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := s.resolve(); err != nil {
		return err
	}
	options, err := s.door.open()
	if err != nil {
		return err
	}
	l, err := s.door.listen(s.listen)
	if err != nil {
		return err
	}
	defer l.Close()
	f, err := s.open(ctx, options)
	if err != nil {
		return err
	}
	f.serve(l)
	f.maintain(s.dir, l.Addr().String(), s.cache.spare())
	defer s.door.reloads(f.log)()
	fmt.Fprintf(os.Stderr, "kvfarm: serving on %s, state in %s, %d workers\n", l.Addr(), s.dir, s.workers)
	if free, err := f.store.Free(); err == nil && free < littleRoom {
		f.log.Warn("little room: uploads are refused before the disk is full; make room, bound the store by --cache_limit, or name another folder with --state", "state", s.dir, "free", size(free))
	}
	context.AfterFunc(ctx, func() {
		f.log.Info("asked to end", "actions", len(f.queue.Held()), "grace", s.grace)
		f.stop()
	})
	<-f.ctx.Done()
	return f.Close()
}

func (s *serveFlags) open(ctx context.Context, options []grpc.ServerOption) (*localFarm, error) {
	log, err := s.log.logger(os.Stderr)
	if err != nil {
		return nil, err
	}
	m := newMonitor()
	f, err := openFarm(ctx, farmConfig{dir: s.dir, log: log, options: append(m.figures.Options(), options...),
		mayUpdate: s.door.mayUpdate(), kept: true, known: append(s.known, s.roots.known()...), grace: s.grace, fresh: s.cache.fresh(), lazy: s.outlive == toProcess,
		timeout: s.timeout, longest: s.longest})
	if err != nil {
		return nil, err
	}
	m.watch(f)
	if err := s.serveAssets(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(s.cache.start(f), m.serve(f, s.http, s.pprof)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.roots, err = s.roots.resolve(ctx, f.store, func(text string) { log.Info(text) }); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for i := range s.workers {
		if err := f.work(s.path("worker", fmt.Sprint(i)), fmt.Sprintf("%s-%d", hostname(), i), s.slots); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// serveAssets adds the Remote Asset API.
func (s *serveFlags) serveAssets(f *localFarm) error {
	origins, err := asset.NewOrigins(s.assets)
	if err != nil {
		return err
	}
	asset.New(asset.Config{Store: f.store, Results: f.results, Origins: origins, MayPush: s.door.mayUpdate(), MayFetch: s.door.mayFetch(),
		Dir: s.dir, Log: f.log}).Register(f.server)
	return nil
}

// littleRoom in bytes is where a server is told to be short of disk: it keeps
// some 110 MiB of it to itself.
const littleRoom = 1 << 30

// graceFlag is for how long actions may go on after a signal.
func graceFlag(f *pflag.FlagSet, grace *time.Duration) {
	f.DurationVar(grace, "grace", 30*time.Second, "`DURATION` that actions have to finish after SIGTERM, before they are handed back to the queue")
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "worker"
	}
	return name
}
