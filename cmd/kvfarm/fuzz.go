package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/frontend/job"
)

func newFuzz() *cobra.Command {
	var s submitFlags
	var fuzz job.Fuzz
	c := &cobra.Command{
		Use:   "fuzz [flags] FILE... | fuzz [flags] --tree DIR [CHECK...]",
		Short: "run checks natively with many inputs, instead of proving them",
		Long: `Run checks natively with many inputs, instead of proving them.

The checks are those of files, as for prove, or written checks of a kernel tree,
as for submit. Inputs come by chance and from earlier runs that took a new way
through the code; the same seed gives the same runs. What fails is run again by
the interpreter that confirms witnesses, and is reported as a proof's failure
is. That nothing fails proves nothing: the check stays undecided.

Exit status: 1 something fails, 2 the farm or the input failed, 3 nothing was
found.`,
		Example: `  kvfarm fuzz check.rs
  kvfarm fuzz --seed 7 --runs 1000000 check.c
  kvfarm fuzz --tree linux check_delta_sign`,
		RunE: func(c *cobra.Command, args []string) error {
			s.out, s.err, s.fuzz = c.OutOrStdout(), c.ErrOrStderr(), &fuzz
			if fuzz.Runs < 1 {
				return fmt.Errorf("--runs %d: want a positive number", fuzz.Runs)
			}
			if s.tree != "" {
				s.targets = args
				return s.advised(s.run(c.Context()))
			}
			if len(args) == 0 {
				return fmt.Errorf("fuzz what? name files of checks, or a kernel tree with --tree")
			}
			return s.advised(s.prove(c.Context(), args))
		},
	}
	s.flags(c.Flags(), "")
	c.Flags().Uint64Var(&fuzz.Seed, "seed", 1, "`NUMBER` that all chance comes from")
	c.Flags().IntVar(&fuzz.Runs, "runs", 100_000, "`N` runs of each check, at most")
	return c
}
