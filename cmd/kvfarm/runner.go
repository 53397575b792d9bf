package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/executor/inplace"
	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/frontend/runner"
	runnerpb "github.com/kvfarm/kvfarm/proto/buildbarn/runner"
)

// runnerFlags is what `kvfarm runner` is told.
type runnerFlags struct {
	listen string
	cfg    inplace.Config
	log    logFlags
}

func newRunner() *cobra.Command {
	var r runnerFlags
	c := &cobra.Command{
		Use:   "runner --listen unix:PATH --build_directory DIR [flags]",
		Short: "run commands for a Buildbarn worker, in the sandbox of our own",
		Long: `Run commands for a Buildbarn worker, in the sandbox of our own.

It speaks the protocol of bb_runner, and takes its place: bb_worker lays out
input roots in DIR and asks it to run commands there. bb_worker's configuration
has one runner for each value of the platform property kvfarm-root; that value
is --action_root here. See deploy/buildbarn.`,
		Example: `  kvfarm runner --listen unix:/w/runner --build_directory /w/build`,
		Args:    none,
		RunE:    func(c *cobra.Command, _ []string) error { return r.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&r.listen, "listen", "", "`ADDR` to listen on: unix:PATH, or HOST:PORT of this machine")
	f.StringVar(&r.cfg.Dir, "build_directory", "", "`DIR` where bb_worker lays out input roots")
	f.StringVar(&r.cfg.Root, "action_root", "", "`FOLDER` of each input root that becomes / (default: / is empty)")
	limitFlags(f, &r.cfg)
	r.log.flags(f)
	return withConfig(c)
}

func (r *runnerFlags) run(ctx context.Context) (err error) {
	if r.listen == "" || r.cfg.Dir == "" {
		return errors.New("--listen or --build_directory is missing: where does bb_worker call, and where does it lay out input roots?")
	}
	if r.cfg.Dir, err = filepath.Abs(r.cfg.Dir); err != nil {
		return fmt.Errorf("--build_directory: %w", err)
	}
	log, err := r.log.logger(os.Stderr)
	if err != nil {
		return err
	}
	if r.cfg.Host, err = sandbox.Open(sandbox.Config{Dir: r.cfg.Dir}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.cfg.Host.Close()) }()
	for _, note := range r.cfg.Host.Notes() {
		log.Warn(note)
	}
	in, err := inplace.New(r.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return r.serve(ctx, runner.New(in, log))
}

// maxCommand is the largest message to accept, in bytes: what the kernel takes
// of arguments, and more.
const maxCommand = 16 << 20

// serve answers until ctx ends; commands are ended then.
func (r *runnerFlags) serve(ctx context.Context, s *runner.Server) error {
	l, err := new(door).listen(r.listen)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxCommand))
	runnerpb.RegisterRunnerServer(server, s)
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	fmt.Fprintf(os.Stderr, "kvfarm: runner serving on %s, input roots in %s\n", l.Addr(), r.cfg.Dir)
	return server.Serve(l)
}
