package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/frontend/terminal"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// submitFlags is what `kvfarm submit` is told.
type submitFlags struct {
	state
	remote   remoteFlags
	tree     string
	config   string
	arch     string
	checks   []string
	waivers  string
	report   string
	jobs     int
	budget   int64
	json     bool
	noCache  bool
	tools    string
	targets  []string
	out, err io.Writer
}

func newSubmit() *cobra.Command {
	var s submitFlags
	c := &cobra.Command{
		Use:   "submit [flags] [TARGET...]",
		Short: "build, prove and report the Rust of a kernel tree",
		Long: `Build, prove and report the Rust of a kernel tree.

A TARGET is a .rs file or a folder of the tree, or the name of a written check.
None means every driver and sample that the configuration enables, and every
check.

Exit status: 0 all is decided and nothing refuted that is not waived, 1
something is refuted, 2 the farm or the input failed, 3 something is undecided.`,
		RunE: func(c *cobra.Command, args []string) error {
			s.targets, s.out, s.err = args, c.OutOrStdout(), c.ErrOrStderr()
			return s.run(c.Context())
		},
	}
	s.flag(c.Flags())
	s.remote.flags(c.Flags())
	f := c.Flags()
	f.StringVar(&s.tree, "tree", ".", "kernel tree `DIR`")
	f.StringVar(&s.config, "config", "", "`FILE` with lines of configuration on top of defconfig (default: all of the tree's Rust)")
	f.StringVar(&s.arch, "arch", "x86", "`ARCH` as the kernel's Makefile takes it")
	f.StringArrayVar(&s.checks, "checks", nil, "`FILE` of written checks of your own; repeatable")
	f.StringVar(&s.waivers, "waivers", "", "`FILE` of known failures (default: kvfarm.waivers in the tree, if it is there)")
	f.StringVar(&s.report, "report", "", "`DIR` for report.json, report.txt and witnesses (default: report in the state folder)")
	f.IntVar(&s.jobs, "jobs", 0, "actions at a time (default: one per processor here, 64 on a farm)")
	f.Int64Var(&s.budget, "budget", 0, "`STEPS` per root: instructions, and solver conflicts (default: the engine's)")
	f.BoolVar(&s.json, "json", false, "write the report as JSON to standard output instead of text")
	f.BoolVar(&s.noCache, "no-cache", false, "run every action, though its result be known")
	f.StringVar(&s.tools, "tools", "", "`DIR` of kvlower and kvengine (default: where kvfarm is)")
	return c
}

// check looks for mistakes that need no farm to be told.
func (s *submitFlags) check() error {
	if s.jobs < 0 {
		return fmt.Errorf("--jobs %d: want a positive number, or 0 for the default", s.jobs)
	}
	if s.budget < 0 {
		return fmt.Errorf("--budget %d: want a positive number of steps, or 0 for the default", s.budget)
	}
	if info, err := os.Stat(s.tree); err != nil || !info.IsDir() {
		return fmt.Errorf("--tree %s: no such folder", s.tree)
	}
	return s.resolve()
}

func (s *submitFlags) run(ctx context.Context) error {
	start := time.Now()
	if err := s.check(); err != nil {
		return err
	}
	if s.report == "" {
		s.report = s.path("report")
	}
	in, err := s.inputs()
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx, in)
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

// submit does the work and returns the finished report, which is written.
func (s *submitFlags) submit(ctx context.Context, conn *connection, in *inputs, start time.Time) (*pb.Report, error) {
	display := terminal.New(os.Stderr, s.report)
	defer display.Close()
	runner := job.Observe(conn.client, display)
	g, err := graph.Open(ctx, graph.Config{
		Tree: s.tree, Arch: s.arch, Fragment: in.fragment, Root: in.toolchain.Root, Env: in.toolchain.Env,
		Runner: runner, Store: conn.client.Store(), Jobs: s.jobs,
	})
	if err != nil {
		return nil, err
	}
	about := &pb.Tree{
		Path: s.tree, Version: in.version, Arch: s.arch, Targets: s.targets,
		Toolchain: in.toolchain.Root.String(), Engine: in.spec.Engine.Entry.Digest.String(),
	}
	build := func() *report.Builder { return report.NewBuilder(about, report.NewDir(s.tree, in.sources), in.waivers) }
	j := job.New(in.spec, newKernel(g, in.toolchain), runner, conn.client.Store(), display, build())
	if err := j.Run(ctx); err != nil {
		return nil, err
	}
	return s.finish(ctx, j, build(), runner, start)
}

// finish writes witnesses and report.
func (s *submitFlags) finish(ctx context.Context, j *job.Job, b *report.Builder, o *job.Observer, start time.Time) (*pb.Report, error) {
	j.Fill(b)
	for _, a := range o.Actions() {
		b.AddAction(a)
	}
	if err := j.WriteWitnesses(ctx, s.report); err != nil {
		return nil, err
	}
	r := b.Report(time.Since(start).Seconds())
	return r, report.Write(s.report, r)
}

// tell shows the report's end to a person, or all of it to a program.
func (s *submitFlags) tell(r *pb.Report) error {
	if s.json {
		b, err := report.JSON(r)
		if err != nil {
			return err
		}
		if _, err := s.out.Write(b); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	} else {
		report.Failures(s.out, r, s.report)
		report.CacheTable(s.out, r)
		fmt.Fprintf(s.out, "report: %s\n", filepath.Join(s.report, "report.txt"))
		report.Summary(s.out, r)
	}
	if code := report.ExitStatus(r); code != report.ExitDecided {
		return status(code)
	}
	return nil
}

// connection is a client with the farm behind it, if that is embedded.
type connection struct {
	client *farm.Client
	close  func()
}

// connect connects to the farm of the flags, or starts one in this process.
func (s *submitFlags) connect(ctx context.Context, in *inputs) (*connection, error) {
	cfg, err := s.remote.config()
	if err != nil {
		return nil, err
	}
	cfg.NoCache = s.noCache
	cfg.Log = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if cfg.Executor != "" {
		return s.distant(ctx, cfg, in)
	}
	return s.embedded(ctx, cfg, in)
}

// distant connects to a farm elsewhere. What it lacks of the toolchain is sent
// from the local store.
func (s *submitFlags) distant(ctx context.Context, cfg farm.Config, in *inputs) (*connection, error) {
	local := &lazyStore{open: func() (store, error) {
		st, err := openStore(ctx, s.dir, cfg.Log)
		if err != nil {
			return nil, err
		}
		return st, importToolchain(ctx, in.toolchain, st, s.note)
	}}
	cfg.Local = local
	c, err := farm.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &connection{client: c, close: func() { c.Close(); local.Close() }}, nil
}

func (s *submitFlags) note(text string) { fmt.Fprintln(s.err, "kvfarm:", text) }

func (s *submitFlags) embedded(ctx context.Context, cfg farm.Config, in *inputs) (*connection, error) {
	f, err := openLocal(ctx, s.dir, cfg.Log)
	if err != nil {
		return nil, err
	}
	// The worker first: where sandboxes are refused nobody should wait to hear it.
	if err := f.work(s.path("worker", "embedded"), "embedded", s.jobs); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := importToolchain(ctx, in.toolchain, f.store, s.note); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	endpoint, remove, err := f.embed()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	end := func() { f.Close(); remove() }
	cfg.Executor = endpoint
	c, err := farm.Dial(ctx, cfg)
	if err != nil {
		end()
		return nil, err
	}
	return &connection{client: c, close: func() { c.Close(); end() }}, nil
}
