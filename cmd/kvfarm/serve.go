package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc"
)

// serveFlags is what `kvfarm serve` is told.
type serveFlags struct {
	state
	listen  string
	workers int
	slots   int
	grace   time.Duration
	known   []string // platform properties beside those of plain workers
	http    string   // address for metrics and health; empty: none
	cache   cacheFlags
	tls     serverTLS
	log     logFlags
}

func newServe() *cobra.Command {
	var s serveFlags
	c := &cobra.Command{
		Use:   "serve [flags]",
		Short: "serve a store, an action cache and a queue by the Remote Execution API",
		Long: `Serve a store, an action cache and a queue by the Remote Execution API.

On a loopback address or a unix socket everyone on this machine who can reach
it may use it. Any other address needs --tls_certificate, --tls_key and
--tls_client_ca: whoever holds a certificate of that authority may use the farm.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	s.flag(c.Flags())
	c.Flags().StringVar(&s.listen, "listen", "127.0.0.1:8980", "`ADDR` to listen on: HOST:PORT or unix:PATH")
	c.Flags().IntVar(&s.workers, "workers", 0, "workers in this process")
	c.Flags().IntVar(&s.slots, "slots", 0, "actions at a time per worker (default: one per processor)")
	c.Flags().StringArrayVar(&s.known, "property", nil, "`NAME` of a platform property that some workers offer; actions that want one of other names are refused; repeatable")
	graceFlag(c.Flags(), &s.grace)
	c.Flags().StringVar(&s.http, "http", "", "`HOST:PORT` for Prometheus (/metrics), liveness (/healthz) and readiness (/readyz) (default: none)")
	s.cache.flags(c.Flags())
	s.tls.flags(c.Flags())
	s.log.flags(c.Flags())
	return withConfig(c)
}

func (s *serveFlags) run(ctx context.Context) error {
	if err := s.resolve(); err != nil {
		return err
	}
	options, err := s.tls.options()
	if err != nil {
		return err
	}
	l, err := listen(s.listen, len(options) > 0)
	if err != nil {
		return err
	}
	defer l.Close()
	f, err := s.open(ctx, options)
	if err != nil {
		return err
	}
	f.serve(l)
	fmt.Fprintf(os.Stderr, "kvfarm: serving on %s, state in %s, %d workers\n", l.Addr(), s.dir, s.workers)
	context.AfterFunc(ctx, f.stop)
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
		kept: true, known: s.known, grace: s.grace, fresh: s.cache.fresh()})
	if err != nil {
		return nil, err
	}
	m.watch(f)
	if err := errors.Join(s.cache.start(f), m.serve(f, s.http)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for i := range s.workers {
		if err := f.work(s.path("worker", fmt.Sprint(i)), fmt.Sprintf("%s-%d", hostname(), i), s.slots); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// graceFlag is for how long actions may go on after a signal.
func graceFlag(f *pflag.FlagSet, grace *time.Duration) {
	f.DurationVar(grace, "grace", 30*time.Second, "how long actions have to finish after SIGTERM, before they are handed back to the queue")
}

// listen listens on addr. Without authentication only this machine may reach it.
func listen(addr string, authenticated bool) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		l, err := net.Listen("unix", path)
		if errors.Is(err, syscall.EADDRINUSE) && forsaken(path) {
			l, err = net.Listen("unix", path)
		}
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		return l, os.Chmod(path, 0o600)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if !authenticated && !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("listen on %s: whoever reaches this address could run programs here; give --tls_certificate, --tls_key and --tls_client_ca, or listen on 127.0.0.1", addr)
	}
	return l, nil
}

// forsaken removes a socket that a process that was killed has left. One that
// somebody listens on stays.
func forsaken(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "worker"
	}
	return name
}
