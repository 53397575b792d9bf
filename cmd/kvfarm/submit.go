package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/frontend/terminal"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// submitFlags is what `kvfarm submit` is told.
type submitFlags struct {
	work
	tree    string
	config  string
	arch    archFlag
	checks  []string
	waivers string
	targets []string
}

func newSubmit() *cobra.Command {
	var s submitFlags
	c := &cobra.Command{
		Use:   "submit [flags] [TARGET...]",
		Short: "build, prove and report the Rust of a kernel tree",
		Long: `Build, prove and report the Rust of a kernel tree.

A TARGET is a .rs file or a folder of the tree, or the name of a written check.
None means every crate that the configuration enables, libraries and core too,
and every check. A file or folder of a library means the functions that it
declares.

Exit status: 0 all is decided and nothing refuted that is not waived, 1
something is refuted, 2 the farm or the input failed, 3 something is undecided.
With --against only what is worse than in that report counts, and is shown.`,
		Example: `  kvfarm submit                                   # the tree in this folder
  kvfarm submit drivers/gpu/drm/drm_panic_qr.rs   # one driver
  kvfarm submit --arch arm64 rust/kernel
  kvfarm submit --against base/report.json
  kvfarm submit --remote_executor grpc://127.0.0.1:8980`,
		RunE: func(c *cobra.Command, args []string) error {
			s.targets, s.out, s.err = args, c.OutOrStdout(), c.ErrOrStderr()
			return s.advised(s.run(c.Context()))
		},
	}
	s.flags(c.Flags(), ".")
	s.proofFlags(c.Flags())
	c.Flags().StringVar(&s.waivers, "waivers", "", "`FILE` of known failures (default: kvfarm.waivers in the tree, if it is there)")
	s.compares(c.Flags())
	return c
}

// flags are those of all commands that look at a kernel tree.
func (s *submitFlags) flags(f *pflag.FlagSet, tree string) {
	s.work.flags(f)
	f.StringVar(&s.tree, "tree", tree, "kernel tree `DIR`")
	f.StringVar(&s.config, "config", "", "`FILE` with lines of configuration on top of defconfig (default: all of the tree's Rust)")
	f.Var(&s.arch, "arch", "`ARCH` to build and verify for, as the kernel's Makefile takes it: "+graph.ArchNames()+" (default: of the environment, or the first)")
	f.StringArrayVar(&s.checks, "checks", nil, "`FILE` of written checks of your own; repeatable")
}

// check looks for mistakes that need no farm to be told.
func (s *submitFlags) check() error {
	if info, err := os.Stat(s.tree); err != nil || !info.IsDir() {
		return fmt.Errorf("--tree %s: no such folder", s.tree)
	}
	if err := s.arch.check(); err != nil {
		return err
	}
	if s.fuzz != nil && s.arch.foreign() {
		return fmt.Errorf("fuzzing runs code natively, and code for %s does not run on this machine (%s): leave out --arch and ARCH, or submit to have it proved",
			s.arch.Name, runtime.GOARCH)
	}
	return s.work.check()
}

func (s *submitFlags) run(ctx context.Context) error {
	start := time.Now()
	if err := s.check(); err != nil {
		return err
	}
	in, err := s.inputs()
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx, in.toolchain)
	if err != nil {
		return err
	}
	defer conn.close()
	r, err := s.submit(ctx, conn, in, start)
	if err != nil {
		return err
	}
	return s.tell(r)
}

// costsFile is where the state folder keeps what proofs took.
const costsFile = "costs"

// submit does the work and returns the finished report, which is written.
func (s *submitFlags) submit(ctx context.Context, conn *connection, in *inputs, start time.Time) (*pb.Report, error) {
	display := terminal.New(os.Stderr, s.report, s.known())
	defer display.Close()
	runner := job.Observe(conn.client, display)
	g, err := graph.Open(ctx, graph.Config{
		Tree: s.tree, Arch: s.arch.Arch, Fragment: in.fragment, Root: in.toolchain.Root, Env: in.toolchain.Env,
		Runner: runner, Store: conn.client.Store(), Jobs: s.jobs,
	})
	if err != nil {
		return nil, err
	}
	about := &pb.Tree{
		Path: s.tree, Version: in.version, Arch: s.arch.Name, Targets: s.targets,
		Toolchain: in.toolchain.Root.String(), Engine: in.spec.Engine.Entry.Digest.String(),
	}
	source := report.NewDir(s.tree, in.toolchain.Dir, in.sources)
	build := func() *report.Builder { return report.NewBuilder(about, source, in.waivers) }
	if in.spec.Costs, err = job.ReadCosts(s.path(costsFile)); err != nil {
		return nil, err
	}
	in.spec.Source = source
	j := job.New(in.spec, newKernel(g, s.arch, in.toolchain), runner, conn.client.Store(), display, build())
	if err := j.Run(ctx); err != nil {
		return nil, err
	}
	if err := in.spec.Costs.Write(s.path(costsFile)); err != nil {
		return nil, err
	}
	return s.finish(ctx, j, build(), runner, start)
}
