package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/farm"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/frontend/slicediff"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

type whyFlags struct {
	state
	remote  remoteFlags
	report  string
	against string
}

func newWhy() *cobra.Command {
	var w whyFlags
	c := &cobra.Command{
		Use:   "why [flags] CHECK|ROOT",
		Short: "why a proof ran again: what changed in its slice since an earlier report",
		Long: `Why a proof ran again: what changed in its slice since an earlier report.

A proof's key is its slice, the engine and the budget. This compares those of
two reports and shows the functions, constants and inputs that differ. Both
slices are read from the store, so neither may have been dropped from it.`,
		Example: `  kvfarm why drm_panic_qr_max_data_size
  kvfarm why --against base/report.json check_delta_sign`,
		Args: one("one CHECK or ROOT"),
		RunE: func(c *cobra.Command, args []string) error { return w.run(c.Context(), c.OutOrStdout(), args[0]) },
	}
	w.flag(c.Flags())
	w.remote.flags(c.Flags())
	c.Flags().StringVar(&w.report, "report", "", "`DIR` of the report (default: the last submit's)")
	c.Flags().StringVar(&w.against, "against", "", "report.json `FILE`, or folder of one, to compare with (default: the submit before)")
	return c
}

func (w *whyFlags) run(ctx context.Context, out io.Writer, name string) error {
	if err := w.resolve(); err != nil {
		return err
	}
	if w.report == "" {
		w.report = w.path("report")
	}
	if w.against == "" {
		w.against = filepath.Join(w.report, report.Previous)
	}
	old, was, err := rootIn(w.against, name)
	if err != nil {
		return err
	}
	now, is, err := rootIn(w.report, name)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, is.Name)
	if was.Slice != is.Slice {
		return w.slices(ctx, out, was, is)
	}
	report.Key(out, old, was, now, is)
	return nil
}

// rootIn finds the root called name in the report in file, or in a folder.
func rootIn(file, name string) (*pb.Report, *pb.Root, error) {
	file, r, err := readReport(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("no report %s: run kvfarm submit, or name one with --report and --against", file)
	}
	if err != nil {
		return nil, nil, err
	}
	x := report.Find(r, name)
	if x == nil {
		return nil, nil, fmt.Errorf("%s has no check or root called %q", file, name)
	}
	return r, x, nil
}

// slices shows what differs between the slices of two roots.
func (w *whyFlags) slices(ctx context.Context, out io.Writer, was, is *pb.Root) error {
	blobs, end, err := w.store(ctx)
	if err != nil {
		return err
	}
	defer end()
	old, err := readSlice(ctx, blobs, was)
	if err != nil {
		return fmt.Errorf("the earlier slice: %w", err)
	}
	now, err := readSlice(ctx, blobs, is)
	if err != nil {
		return fmt.Errorf("the present slice: %w", err)
	}
	changes := slicediff.Between(old, now)
	if len(changes) == 0 {
		fmt.Fprintln(out, "its slice changed in the order of its definitions only")
	}
	for _, c := range changes {
		fmt.Fprintf(out, "\n%s\n%s", c.Title(), c.Diff())
	}
	return nil
}

// store is the farm's, or that of the state folder.
func (w *whyFlags) store(ctx context.Context) (cas.Store, func(), error) {
	log := forPeople(os.Stderr)
	cfg, err := w.remote.config()
	if err != nil {
		return nil, nil, err
	}
	if cfg.Executor == "" {
		s, err := openStore(ctx, w.dir, log)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { s.Close() }, nil
	}
	cfg.Log = log
	c, err := farm.Dial(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return c.Store(), func() { c.Close() }, nil
}

// maxSlice bounds what is read of one slice or its positions, in bytes.
const maxSlice = 64 << 20

func readSlice(ctx context.Context, blobs cas.Store, x *pb.Root) (slicediff.Slice, error) {
	text, err := readNamed(ctx, blobs, x.Slice)
	if err != nil {
		return slicediff.Slice{}, err
	}
	at, err := readNamed(ctx, blobs, x.Positions)
	if err != nil {
		return slicediff.Slice{}, err
	}
	m, err := position.Decode(at)
	if err != nil {
		return slicediff.Slice{}, err
	}
	s := slicediff.Slice{Text: string(text)}
	for _, f := range m.Funcs {
		s.Names = append(s.Names, f.Name)
	}
	return s, nil
}

// readNamed reads the blob that a report names.
func readNamed(ctx context.Context, blobs cas.Store, name string) ([]byte, error) {
	d, err := digest.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("the report names no slice or positions: it is of an older kvfarm: %w", err)
	}
	b, err := cas.ReadBlob(ctx, blobs, d, maxSlice)
	if errors.Is(err, cas.ErrNotFound) {
		return nil, fmt.Errorf("%w: it was dropped from the store, or the report is of another farm", err)
	}
	return b, err
}
