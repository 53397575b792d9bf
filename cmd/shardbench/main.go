// Shardbench proves slices whole and in shards and prints what that costs: with
// how many workers of this machine, and, by arithmetic, with how many more.
//
//	shardbench [-engine bin/kvengine] [-shards 1,2,4,8] [-workers 1,2] [-plan 1000 -sample 32] slice.kvs...
//
// The work of a shard, in units of the engine's budget, is the same on every
// machine; the times are not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "shardbench:", err)
		stop()
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	prover
	shards  []int
	workers []int
	plan    int // shards of the plan; 0: none
	sample  int // of them that are proved
	slices  []string
}

func parse(args []string) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("shardbench", flag.ContinueOnError)
	f.StringVar(&s.engine, "engine", "bin/kvengine", "`file` of the engine")
	f.Int64Var(&s.budget, "budget", 0, "of a shard, in units of work (default: the engine's)")
	f.Int64Var(&s.scout, "scout", 50_000, "`budget` of the run that finds out how the work can be divided")
	shards := f.String("shards", "1,2,4,8", "`numbers` of shards")
	workers := f.String("workers", "1,2", "`numbers` of processes at a time")
	f.IntVar(&s.plan, "plan", 0, "`number` of shards to plan with")
	f.IntVar(&s.sample, "sample", 32, "`number` of these whose work is measured; the others are taken to be like them")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var err error
	if s.shards, err = numbers(*shards); err != nil {
		return nil, fmt.Errorf("-shards: %w", err)
	}
	if s.workers, err = numbers(*workers); err != nil {
		return nil, fmt.Errorf("-workers: %w", err)
	}
	if s.slices = f.Args(); len(s.slices) == 0 || s.sample < 1 || s.plan < 0 {
		return nil, fmt.Errorf("want slices to prove, and a positive -sample")
	}
	return s, nil
}

func numbers(list string) ([]int, error) {
	var out []int
	for _, w := range strings.Split(list, ",") {
		n, err := strconv.Atoi(w)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no positive number", w)
		}
		out = append(out, n)
	}
	return out, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "shardbench")
	if err != nil {
		return fmt.Errorf("make a folder for verdicts: %w", err)
	}
	defer os.RemoveAll(dir)
	s.dir = dir
	for _, slice := range s.slices {
		if err := s.measure(ctx, out, slice); err != nil {
			return fmt.Errorf("%s: %w", slice, err)
		}
	}
	return nil
}

// measure prints the tables of one slice.
func (s *settings) measure(ctx context.Context, out io.Writer, slice string) error {
	t := &proofs{prover: s.prover, slice: slice, scouts: map[string]*verdict.Verdict{}}
	fmt.Fprintln(out, strings.TrimSuffix(filepath.Base(slice), ".kvs"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "shards\tverdict\twork\tof the largest\t")
	for _, n := range s.workers {
		fmt.Fprintf(w, "%d at a time\tseconds\t", n)
	}
	fmt.Fprintln(w)
	for _, n := range s.shards {
		parts, err := t.divide(ctx, n)
		if err != nil {
			return err
		}
		if err := s.row(ctx, w, t, parts); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil || s.plan == 0 {
		return err
	}
	return s.plans(ctx, out, t)
}

// row proves parts of a root with each number of workers.
func (s *settings) row(ctx context.Context, w io.Writer, t *proofs, parts []string) error {
	var costs []int64
	for i, workers := range s.workers {
		start := time.Now()
		vs, err := t.proveAll(ctx, parts, workers)
		if err != nil {
			return err
		}
		took := time.Since(start)
		if i == 0 {
			v, err := t.join(vs)
			if err != nil {
				return err
			}
			costs = work(vs)
			if v.Verdict != verdict.Unknown {
				t.divisions = append(t.divisions, costs)
			}
			fmt.Fprintf(w, "%d\t%s\t%d\t%d\t", len(parts), strings.TrimSpace(string(v.Verdict)+" "+v.Reason), sum(costs), largest(costs))
		}
		fmt.Fprintf(w, "%d\t%.1f\t", makespan(costs, workers), took.Seconds())
	}
	fmt.Fprintln(w)
	return nil
}

func work(vs []*verdict.Verdict) []int64 {
	var out []int64
	for _, v := range vs {
		out = append(out, v.Stats.Work)
	}
	return out
}

// plans prints how long many workers would take, in units of work, for one root
// and for many at once, each divided into as many shards as is best of what was tried: those of
// the table that decide it, and as many more, of which a sample is measured.
func (s *settings) plans(ctx context.Context, out io.Writer, t *proofs) error {
	parts, err := t.divide(ctx, s.plan)
	if err != nil {
		return err
	}
	sample := spread(parts, s.sample)
	vs, err := t.proveAll(ctx, sample, s.workers[len(s.workers)-1])
	if err != nil {
		return err
	}
	costs := repeat(work(vs), len(parts))
	open := slices.ContainsFunc(vs, func(v *verdict.Verdict) bool { return v.Verdict == verdict.Unknown })
	fmt.Fprintf(out, "plan: %d shards, %d of them measured, which took %d to %d units; %d in scouts; all decided: %v\n",
		len(parts), len(sample), smallest(costs), largest(costs), t.scouted(), !open)
	if !open {
		t.divisions = append(t.divisions, costs)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "workers\t1 root: shards\tunits\ttimes faster\t100 roots: shards\tunits\ttimes faster\t\n")
	for _, n := range []int{1, 2, 8, 64, 256, 1000} {
		fmt.Fprintf(w, "%d\t", n)
		for _, roots := range []int{1, 100} {
			_, alone := best(t.divisions, roots, 1)
			shards, units := best(t.divisions, roots, n)
			fmt.Fprintf(w, "%d\t%d\t%.1f\t", shards, units, float64(alone)/float64(max(units, 1)))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
