package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/executor/worker"
	"github.com/kvfarm/kvfarm/frontend/farm"
)

func newWorkerCommand() *cobra.Command {
	var s state
	var r remoteFlags
	var slots int
	var name string
	c := &cobra.Command{
		Use:   "worker --farm ADDR [flags]",
		Short: "run actions for a farm",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if r.cfg.Executor == "" {
				return errors.New("--farm is missing: which farm should the worker work for?")
			}
			if err := s.resolve(); err != nil {
				return err
			}
			return runWorker(c.Context(), &r, s.path("worker", "remote"), name, slots)
		},
	}
	s.flag(c.Flags())
	r.connectionFlags(c.Flags())
	c.Flags().StringVar(&r.cfg.Executor, "farm", "", "`ADDR` of the farm, as for --remote_executor")
	c.Flags().IntVar(&slots, "slots", 0, "actions at a time (default: one per processor)")
	c.Flags().StringVar(&name, "name", "", "`NAME` in results and logs (default: the host's, and the process)")
	return c
}

func runWorker(ctx context.Context, r *remoteFlags, dir, name string, slots int) error {
	cfg, err := r.config()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg.Log = log
	client, err := farm.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	if name == "" {
		name = fmt.Sprintf("%s-%d", hostname(), os.Getpid())
	}
	leases := client.Leases()
	w, done, err := newWorker(worker.Config{
		Name: name, Slots: slots, Queue: leases, Store: client.Store(), Results: leases, Log: log,
	}, dir)
	if err != nil {
		return err
	}
	defer done()
	fmt.Fprintf(os.Stderr, "kvfarm: worker %s works for %s\n", name, cfg.Executor)
	if err := w.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}
