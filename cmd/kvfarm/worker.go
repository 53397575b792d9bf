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

// workerFlags is what `kvfarm worker` is told.
type workerFlags struct {
	state
	remote remoteFlags
	slots  int
	name   string
	grace  time.Duration
	offer  []string // platform properties beside those of plain actions
	roots  rootFlags
	log    logFlags
}

func newWorkerCommand() *cobra.Command {
	var w workerFlags
	c := &cobra.Command{
		Use:   "worker --farm ADDR [flags]",
		Short: "run actions for a farm",
		Long: `Run actions for a farm, that of a kvfarm serve, each in a sandbox of its own.

What actions read is kept in the state folder for others that read the same.
SIGTERM lets actions finish, for so long as --grace says, and hands the others
back to the queue.`,
		Example: `  kvfarm worker --farm grpc://127.0.0.1:8980 --slots 8 --state /var/tmp/worker
  kvfarm worker --farm grpcs://farm.example:8980 --config worker.toml`,
		Args:        none,
		Annotations: map[string]string{endless: "true"},
		RunE:        func(c *cobra.Command, _ []string) error { return w.run(c.Context()) },
	}
	f := c.Flags()
	w.flag(f)
	w.remote.connectionFlags(f, 10*time.Second) // our own servers do not mind
	f.StringVar(&w.remote.cfg.Executor, "farm", "", "`ADDR` of the farm, as for --remote_executor")
	f.IntVar(&w.slots, "slots", 0, "`N` actions at a time (default: one per processor)")
	f.StringVar(&w.name, "name", "", "`NAME` in results and logs (default: the host's, and the process)")
	f.StringArrayVar(&w.offer, "offer", nil, "platform property `NAME=VALUE` of actions that this worker can run beside plain ones; * is any value; repeatable")
	graceFlag(f, &w.grace)
	w.roots.flags(f)
	w.log.flags(f)
	return withConfig(c)
}

// config is what the worker needs to know that no farm tells it.
func (w *workerFlags) config() (worker.Config, error) {
	if w.remote.cfg.Executor == "" {
		return worker.Config{}, errors.New("--farm is missing: which farm should the worker work for?")
	}
	if err := errors.Join(checkSlots(w.slots), checkGrace("--grace", w.grace), w.resolve()); err != nil {
		return worker.Config{}, err
	}
	cfg := worker.Config{Name: w.name, Slots: w.slots, Grace: w.grace}
	if cfg.Name == "" {
		cfg.Name = fmt.Sprintf("%s-%d", hostname(), os.Getpid())
	}
	offers, err := pairs("--offer", w.offer)
	if err != nil {
		return cfg, err
	}
	for k, v := range offers {
		cfg.Offers = append(cfg.Offers, queue.Property{Name: k, Value: v})
	}
	cfg.Log, err = w.log.logger(os.Stderr)
	return cfg, err
}

// run works until ctx ends.
func (w *workerFlags) run(ctx context.Context) error {
	wc, err := w.config()
	if err != nil {
		return err
	}
	if !signal.Ignored(syscall.SIGHUP) { // its terminal is gone: actions go back to the queue, and are not lost for a while
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	cfg, err := w.remote.config()
	if err != nil {
		return err
	}
	cfg.Log = wc.Log
	client, err := farm.Dial(ctx, cfg)
	if err != nil {
		return whereIsTheFarm(err)
	}
	defer client.Close()
	leases := client.Leases()
	wc.Queue, wc.Store, wc.Results, wc.Logs = leases, client.Store(), leases, leases
	if wc.Roots, err = w.roots.resolve(ctx, wc.Store, func(text string) { wc.Log.Info(text) }); err != nil {
		return err
	}
	works, done, err := newWorker(wc, w.path("worker", "remote"))
	if err != nil {
		return err
	}
	defer done()
	fmt.Fprintf(os.Stderr, "kvfarm: worker %s works for %s\n", wc.Name, cfg.Executor)
	if err := works.Run(ctx); ctx.Err() == nil {
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
