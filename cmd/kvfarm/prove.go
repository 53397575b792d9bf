package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/frontend/terminal"
	"github.com/kvfarm/kvfarm/kbuild/single"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

func newProve() *cobra.Command {
	var w work
	c := &cobra.Command{
		Use:   "prove [flags] FILE...",
		Short: "prove the checks in files that belong to no kernel tree",
		Long: `Prove the checks in files that belong to no kernel tree.

A FILE is Rust without std (.rs), C (.c), or LLVM's language (.ll, .bc). A check
in it is a function without parameters that C could call and whose name starts
with check:

  #![no_std]
  use kvfarm::{any, check};

  #[no_mangle]
  pub extern "C" fn check_halves() {
      let n: u32 = any();
      check!(n / 2 + n / 2 <= n);
  }

In C, kvfarm.h declares what the crate kvfarm covers.

Exit status: 0 all is decided and nothing refuted, 1 something is refuted, 2 the
farm or the input failed, 3 something is undecided.`,
		Example: `  kvfarm prove check.rs
  kvfarm prove --budget 800000 --shards 8 hard.c`,
		Args: some("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			w.out, w.err = c.OutOrStdout(), c.ErrOrStderr()
			return w.advised(w.prove(c.Context(), args))
		},
	}
	w.flags(c.Flags())
	w.proofFlags(c.Flags())
	w.compares(c.Flags())
	return c
}

func (w *work) prove(ctx context.Context, paths []string) error {
	start := time.Now()
	read, err := single.Read(paths)
	if err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	tools, err := findToolchain()
	if err != nil {
		return err
	}
	f := newFiles(read, tools)
	spec := job.Spec{Budget: w.budget, Shards: w.shards, Checks: f.checks(), Fuzz: w.fuzz}
	if spec.Lower, err = w.tool("kvlower"); err != nil {
		return err
	}
	if spec.Engine, err = w.tool("kvengine"); err != nil {
		return err
	}
	conn, err := w.connect(ctx, tools)
	if err != nil {
		return err
	}
	defer conn.close()
	r, err := w.proveFiles(ctx, conn, f, spec, start)
	if err != nil {
		return err
	}
	return w.tell(r)
}

// proveFiles does the work and returns the finished report, which is written.
func (w *work) proveFiles(ctx context.Context, conn *connection, f *files, spec job.Spec, start time.Time) (*pb.Report, error) {
	display := terminal.New(os.Stderr, w.report, w.known())
	defer display.Close()
	runner := job.Observe(conn.client, display)
	f.compiler = single.New(ctx, single.Config{Root: f.tools.Root, Env: f.tools.Env, Runner: runner})
	about := &pb.Tree{Arch: "x86_64", Targets: f.names(), Toolchain: f.tools.Root.String(), Engine: spec.Engine.Entry.Digest.String()}
	build := func() *report.Builder { return report.NewBuilder(about, report.NewFiles(f.sources()), nil) }
	j := job.New(spec, f, runner, conn.client.Store(), display, build())
	if err := j.Run(ctx); err != nil {
		return nil, err
	}
	return w.finish(ctx, j, build(), runner, start)
}

// files are source files as a job wants them: each is a crate of checks.
type files struct {
	compiler *single.Compiler
	tools    *toolchain.Toolchain
	list     []*single.File
	byName   map[string]*single.File
}

func newFiles(list []*single.File, tools *toolchain.Toolchain) *files {
	f := &files{tools: tools, list: list, byName: map[string]*single.File{}}
	for _, file := range list {
		f.byName[file.Name] = file
	}
	return f
}

func (f *files) names() []string {
	var names []string
	for _, file := range f.list {
		names = append(names, file.Name)
	}
	return names
}

func (f *files) sources() map[string][]byte {
	all := map[string][]byte{}
	for _, file := range f.list {
		for name, b := range file.Files {
			all[name] = b
		}
	}
	return all
}

func (f *files) checks() []job.Check {
	var checks []job.Check
	for _, file := range f.list {
		c := job.Check{Name: file.Name, File: file.Name, States: job.States(file.Files[file.Name])}
		if len(f.list) > 1 {
			c.Prefix = f.prefix(file.Name)
		}
		checks = append(checks, c)
	}
	return checks
}

// prefix is as much of a file's name as tells it from the others.
func (f *files) prefix(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	same := 0
	for _, other := range f.list {
		if strings.TrimSuffix(path.Base(other.Name), path.Ext(other.Name)) == stem {
			same++
		}
	}
	if same > 1 {
		stem = name
	}
	return stem + "::"
}

// Crates implements job.Kernel: there are checks only.
func (f *files) Crates() ([]job.Crate, error) { return nil, nil }

// Actions implements job.Kernel. Every file is wanted.
func (f *files) Actions([]job.Crate, int) (int, error) { return single.Count(f.list), nil }

// Bitcode implements job.Kernel.
func (f *files) Bitcode(_ context.Context, c job.Crate) (*job.Bitcode, error) {
	return nil, fmt.Errorf("%s: files have no crate but that of their checks", c.Source)
}

// Check implements job.Kernel.
func (f *files) Check(ctx context.Context, c job.Check) (*job.Bitcode, error) {
	b, err := f.compiler.Bitcode(ctx, f.byName[c.Name])
	if err != nil {
		return nil, err
	}
	return &job.Bitcode{Link: b.Link, Over: b.Over, Content: b.Content, Root: f.tools.Root, Env: f.tools.Env}, nil
}
