package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/executor/inplace"
	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// notLaunched is the exit status when a command could not be run, as of
// env(1) and the like.
const notLaunched = 125

// launchFlags is what `kvfarm launch` is told.
type launchFlags struct{ cfg inplace.Config }

func newLaunch() *cobra.Command {
	var l launchFlags
	c := &cobra.Command{
		Use:   "launch --below DIR [flags] -- COMMAND [ARG...]",
		Short: "run a command of a farm that puts a launcher before each, in the sandbox of our own",
		Long: `Run a command of a farm that puts a launcher before each, in the sandbox of our
own.

The farm's worker has laid out the input root in a folder below DIR and started
this program in it, or in a folder in it, with the command's environment: so
does justbuild with --local-launcher. The first folder upwards that has the
folder --action_root in it is the input root, and that folder becomes /. An
action without one runs in its own folder, and / is empty.

Exit status: the command's; 125 when it could not be run.`,
		Example: `  kvfarm launch --below /var/tmp/farm -- rustc --version`,
		Args:    some("COMMAND"),
		RunE:    func(c *cobra.Command, args []string) error { return l.run(c.Context(), args) },
	}
	f := c.Flags()
	f.SetInterspersed(false)
	f.StringVar(&l.cfg.Dir, "below", "", "`DIR` that the farm's worker lays out input roots in")
	f.StringVar(&l.cfg.Root, "action_root", "root", "`FOLDER` of an input root that becomes /")
	limitFlags(f, &l.cfg)
	return c
}

func (l *launchFlags) run(ctx context.Context, argv []string) error {
	code, err := l.launch(ctx, argv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kvfarm launch:", err)
		code = notLaunched
	}
	if code != 0 {
		return status(code)
	}
	return nil
}

func (l *launchFlags) launch(ctx context.Context, argv []string) (code int, err error) {
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	inputs, err := l.find(here)
	if err != nil {
		return 0, err
	}
	l.cfg.Dir = filepath.Dir(inputs)
	workDir, err := filepath.Rel(inputs, here)
	if err != nil {
		return 0, err
	}
	if l.cfg.Host, err = sandbox.Open(sandbox.Config{Dir: l.cfg.Dir}); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.cfg.Host.Close()) }()
	r, err := inplace.New(l.cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	aside, err := os.MkdirTemp(l.cfg.Dir, "kvfarm-launch")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	left, err := r.Run(ctx, filepath.Base(inputs), filepath.Base(aside), sandbox.Spec{
		Argv: argv, Env: os.Environ(), WorkDir: workDir, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		return 0, err
	}
	defer left.Close()
	return left.ExitCode, nil
}

// find returns the input root that here is in. Without one, here is it, and
// there is no root.
func (l *launchFlags) find(here string) (string, error) {
	if l.cfg.Dir == "" {
		return "", errors.New("--below is missing: where does the farm lay out input roots?")
	}
	above, err := filepath.EvalSymlinks(l.cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("--below: %w", err)
	}
	if above, err = filepath.Abs(above); err != nil {
		return "", fmt.Errorf("--below: %w", err)
	}
	if rel, err := filepath.Rel(above, here); err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("--below %s: the command runs in %s, which is not below it", above, here)
	}
	for at := here; at != above; at = filepath.Dir(at) {
		if info, err := os.Lstat(filepath.Join(at, l.cfg.Root)); err == nil && info.IsDir() {
			return at, nil
		}
	}
	l.cfg.Root = ""
	return here, nil
}
