package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	rpcstatus "google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/frontend/farm"
)

func newWorkerCommand() *cobra.Command {
	var s state
	var r remoteFlags
	var slots int
	var name string
	var grace time.Duration
	var offer []string
	var log logFlags
	var roots rootFlags
	c := &cobra.Command{
		Use:         "worker --farm ADDR [flags]",
		Short:       "run actions for a farm",
		Args:        none,
		Annotations: map[string]string{endless: "true"},
		RunE: func(c *cobra.Command, _ []string) error {
			if r.cfg.Executor == "" {
				return errors.New("--farm is missing: which farm should the worker work for?")
			}
			if err := errors.Join(checkSlots(slots), checkGrace("--grace", grace), s.resolve()); err != nil {
				return err
			}
			offers, err := pairs("--offer", offer)
			if err != nil {
				return err
			}
			cfg := worker.Config{Name: name, Slots: slots, Grace: grace}
			for k, v := range offers {
				cfg.Offers = append(cfg.Offers, queue.Property{Name: k, Value: v})
			}
			if cfg.Log, err = log.logger(os.Stderr); err != nil {
				return err
			}
			ctx := c.Context()
			if !signal.Ignored(syscall.SIGHUP) { // its terminal is gone: actions go back to the queue, and are not lost for a while
				var stop context.CancelFunc
				ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
				defer stop()
			}
			return runWorker(ctx, &r, &roots, s.path("worker", "remote"), cfg)
		},
	}
	s.flag(c.Flags())
	r.connectionFlags(c.Flags())
	r.cfg.Keepalive = 10 * time.Second // our own servers do not mind
	c.Flags().Lookup("grpc_keepalive_time").DefValue = "10s"
	c.Flags().StringVar(&r.cfg.Executor, "farm", "", "`ADDR` of the farm, as for --remote_executor")
	c.Flags().IntVar(&slots, "slots", 0, "actions at a time (default: one per processor)")
	c.Flags().StringVar(&name, "name", "", "`NAME` in results and logs (default: the host's, and the process)")
	c.Flags().StringArrayVar(&offer, "offer", nil, "platform property `NAME=VALUE` of actions that this worker can run beside plain ones; * is any value; repeatable")
	graceFlag(c.Flags(), &grace)
	roots.flags(c.Flags())
	log.flags(c.Flags())
	return withConfig(c)
}

// runWorker completes what the worker is told, and has it work until ctx ends.
func runWorker(ctx context.Context, r *remoteFlags, roots *rootFlags, dir string, wc worker.Config) error {
	cfg, err := r.config()
	if err != nil {
		return err
	}
	cfg.Log = wc.Log
	client, err := farm.Dial(ctx, cfg)
	if err != nil {
		return whereIsTheFarm(err)
	}
	defer client.Close()
	if wc.Name == "" {
		wc.Name = fmt.Sprintf("%s-%d", hostname(), os.Getpid())
	}
	leases := client.Leases()
	wc.Queue, wc.Store, wc.Results, wc.Logs = leases, client.Store(), leases, leases
	if wc.Roots, err = roots.resolve(ctx, wc.Store, func(text string) { wc.Log.Info(text) }); err != nil {
		return err
	}
	w, done, err := newWorker(wc, dir)
	if err != nil {
		return err
	}
	defer done()
	fmt.Fprintf(os.Stderr, "kvfarm: worker %s works for %s\n", wc.Name, cfg.Executor)
	if err := w.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// whereIsTheFarm adds what to look at to an error of connecting, unless the farm
// has answered.
func whereIsTheFarm(err error) error {
	if answer := rpcstatus.Code(err); answer == codes.PermissionDenied || answer == codes.Unauthenticated {
		return err
	}
	return fmt.Errorf("%w; does kvfarm serve run there, and does --farm name its --listen address?", err)
}
