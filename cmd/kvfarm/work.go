package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// work is what the commands that prove have in common: where their actions run
// and what becomes of their report.
type work struct {
	state
	comparison
	remote   remoteFlags
	report   string
	jobs     int
	budget   int64
	shards   int
	json     bool
	noCache  []string // kinds of action, or everything
	tools    string
	fuzz     *job.Fuzz // instead of proofs; nil: prove
	out, err io.Writer
}

func (w *work) flags(f *pflag.FlagSet) {
	w.state.flag(f)
	w.remote.flags(f)
	f.StringVar(&w.report, "report", "", "`DIR` for report.json, report.txt, report.html, report.sarif, junit.xml and witnesses (default: report in the state folder)")
	f.IntVar(&w.jobs, "jobs", 0, "`N` actions at a time (default: one per processor here, 64 on a farm)")
	f.BoolVar(&w.json, "json", false, "write the report as JSON to standard output instead of text")
	f.StringSliceVar(&w.noCache, "no_cache", nil, "run every action, or those of each `KIND` alone as in --no_cache=lower,prove, though its result be known")
	f.Lookup("no_cache").NoOptDefVal = everything
	f.StringVar(&w.tools, "tools", "", "`DIR` of kvlower and kvengine (default: where kvfarm is)")
}

// proofFlags say how much a proof may take.
func (w *work) proofFlags(f *pflag.FlagSet) {
	f.Int64Var(&w.budget, "budget", 0, "`STEPS` per root: instructions, terms and what the solver does, about 10 us each (default: the engine's)")
	f.IntVar(&w.shards, "shards", 1, "divide a root that runs out of budget into up to `N` actions with the same budget each; 1: do not")
}

// everything as a kind of action is all kinds.
const everything = "all"

// fresh reports whether actions of a kind are run though their results be known.
func (w *work) fresh(kind string) bool {
	return slices.Contains(w.noCache, everything) || slices.Contains(w.noCache, kind)
}

// noteKinds tells of kinds that were to be run anew and that no action of r is of: who mistyped one has been
// told what the cache held.
func (w *work) noteKinds(r *pb.Report) {
	var there []string
	for _, row := range r.Cache {
		there = append(there, row.Kind)
	}
	for _, kind := range w.noCache {
		if kind != everything && !slices.Contains(there, kind) {
			w.note(fmt.Sprintf("--no_cache=%s: no action is of that kind; there were %s", kind, strings.Join(there, ", ")))
		}
	}
}

// embeds reports whether the farm is in this process.
func (w *work) embeds() bool { return w.remote.cfg.Executor == "" }

// advised adds what to do about a full disk, if it is of this machine.
func (w *work) advised(err error) error {
	if w.embeds() {
		return w.advise(err)
	}
	return err
}

// maxShards bounds what becomes of one root.
const maxShards = 4096

// check looks for mistakes that need no farm to be told, and fills in defaults.
func (w *work) check() error {
	if w.jobs < 0 {
		return fmt.Errorf("--jobs %d: want a positive number, or 0 for the default", w.jobs)
	}
	if w.budget < 0 {
		return fmt.Errorf("--budget %d: want a positive number of steps, or 0 for the default", w.budget)
	}
	if w.shards < 0 || w.shards > maxShards {
		return fmt.Errorf("--shards %d: want a number up to %d, 1 for no division", w.shards, maxShards)
	}
	if err := w.resolve(); err != nil {
		return err
	}
	if w.report == "" {
		w.report = w.path("report")
	}
	return errors.Join(w.comparison.read(), w.reportFolder())
}

// reportFolder makes sure that the report can be written: that it cannot is to be told before the work, not after it.
func (w *work) reportFolder() error {
	err := os.MkdirAll(w.report, 0o777)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(w.report, ".try"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("make the report's folder: %w; name another with --report", err)
	}
	return nil
}

// finish writes witnesses and report.
func (w *work) finish(ctx context.Context, j *job.Job, b *report.Builder, o *job.Observer, start time.Time) (*pb.Report, error) {
	j.Fill(b)
	for _, a := range o.Actions() {
		b.AddAction(a)
	}
	r := b.Report(time.Since(start).Seconds())
	if err := j.WriteWitnesses(ctx, w.report, r); err != nil {
		return nil, err
	}
	w.compare(r)
	return r, report.Write(w.report, r)
}

// tell shows the report's end to a person, or all of it to a program.
func (w *work) tell(r *pb.Report) error {
	w.noteKinds(r)
	if w.json {
		b, err := report.JSON(r)
		if err != nil {
			return err
		}
		if _, err := w.out.Write(b); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	} else {
		switch {
		case w.fuzz != nil:
			report.Failures(w.out, r, w.report)
			report.RootTable(w.out, r)
		case r.Against != nil:
			report.Errors(w.out, r)
		default:
			report.Open(w.out, r)
			report.Brief(w.out, r, w.report)
		}
		report.CacheTable(w.out, r)
		fmt.Fprintf(w.out, "report: %s, as a page %s\n", filepath.Join(w.report, report.TextFile), report.HTMLFile)
		report.Summary(w.out, r)
		if r.Against != nil {
			report.Changes(w.out, r, w.report)
		}
	}
	if w.embeds() && slices.ContainsFunc(r.Errors, noRoom) {
		w.note(w.makeRoom())
	}
	if code := report.ExitStatus(r); code != report.ExitDecided {
		return status(code)
	}
	return nil
}
