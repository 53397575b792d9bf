package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
)

func newReplay() *cobra.Command {
	return &cobra.Command{
		Use:   "replay [flags] WITNESS",
		Short: "run a failing input again, step by step, without a solver",
		Long: `Run a failing input again, step by step, without a solver.

submit, prove and fuzz leave a WITNESS, a file, per failure, and name it.

Exit status: 1 if it fails at the same place again, 0 if it does not, 2 if it
cannot be run.`,
		Example: `  kvfarm replay ~/.cache/kvfarm/report/witness/e3b0c44298fc1c14-0.json`,
		Args:    one("one WITNESS file"),
		RunE:    func(c *cobra.Command, args []string) error { return replay(c.OutOrStdout(), args[0]) },
	}
}

func replay(out io.Writer, name string) error {
	w, err := job.ReadWitness(name)
	if err != nil {
		return err
	}
	slice, err := ir.Parse([]byte(w.Slice))
	if err != nil {
		return fmt.Errorf("replay %s: %w", name, err)
	}
	tellWitness(out, w)
	r, err := check.ReplayAll(slice, &verdict.Verdict{
		Sites: []verdict.Site{w.Site}, Witnesses: []verdict.Witness{{Inputs: w.Inputs}},
	})
	if err != nil {
		return fmt.Errorf("replay %s: %w", name, err)
	}
	if !r.Witnesses[0].Reached {
		fmt.Fprintf(out, "does not fail: %s\n", r.Witnesses[0].Reason)
		return nil
	}
	fmt.Fprintf(out, "fails again: %s\n", w.Site.Kind)
	for _, f := range w.Stack {
		if f.File != "" {
			fmt.Fprintf(out, "  at %s:%d:%d in %s\n", f.File, f.Line, f.Col, f.Func)
		}
	}
	return status(report.ExitRefuted)
}

func tellWitness(out io.Writer, w *job.WitnessFile) {
	fmt.Fprintf(out, "root %s, of %s\n", w.Root.Name, w.Crate)
	for _, in := range w.Inputs {
		fmt.Fprintf(out, "  %s = %s\n", in.Name, in.Value)
	}
}
