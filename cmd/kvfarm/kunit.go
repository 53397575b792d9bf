package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild/rust"
)

// kunitFlags is what `kvfarm kunit` is told.
type kunitFlags struct {
	checks  []string
	witness string
	out     string
	runs    int
	seed    uint64
}

func newKUnit() *cobra.Command {
	var k kunitFlags
	c := &cobra.Command{
		Use:   "kunit [flags] CHECK... | kunit [flags] --witness FILE",
		Short: "write a KUnit suite that runs checks in a kernel",
		Long: `Write a KUnit suite that runs checks in a kernel.

The checks are written ones, shipped or of --checks files, all of one file. The
suite is a Rust source file with that file and the check library in it, and is
put into a kernel tree with one line in the Makefile beside it:

	obj-$(CONFIG_KUNIT) += NAME.o

Each run is a test case of its own: with the inputs of a witness, or with inputs
by chance. A case whose inputs do not belong to the check is skipped; one in
which a statement does not hold fails. A panic is the kernel's, as anywhere in
it.`,
		Example: `  kvfarm kunit check_delta_sign -o samples/rust/chance.rs
  kvfarm kunit --witness report/witness/e3b0c44298fc1c14-0.json -o fails.rs`,
		RunE: func(c *cobra.Command, args []string) error {
			b, err := k.suite(args)
			if err != nil {
				return err
			}
			if k.out == "" {
				_, err = c.OutOrStdout().Write(b)
			} else {
				err = os.WriteFile(k.out, b, 0o644)
			}
			if err != nil {
				return fmt.Errorf("write suite: %w", err)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringArrayVar(&k.checks, "checks", nil, "`FILE` of written checks of your own; repeatable")
	f.StringVar(&k.witness, "witness", "", "`FILE` of a failing input, as submit and fuzz leave it: one case, with that input")
	f.StringVarP(&k.out, "output", "o", "", "`FILE` to write (default: standard output)")
	f.IntVar(&k.runs, "runs", 16, "`N` cases of each check")
	f.Uint64Var(&k.seed, "seed", 1, "`NUMBER` that all chance comes from")
	return c
}

func (k *kunitFlags) suite(names []string) ([]byte, error) {
	suite := rust.KUnit{Checks: names, Runs: k.runs, Seed: k.seed}
	if k.witness != "" {
		w, err := job.ReadWitness(k.witness)
		if err != nil {
			return nil, err
		}
		if len(names) > 0 {
			return nil, fmt.Errorf("--witness %s is of %s: name no other check", k.witness, w.Root.Symbol)
		}
		suite.Checks, suite.Once = []string{w.Root.Symbol}, true
		for _, in := range w.Inputs {
			suite.Inputs = append(suite.Inputs, rust.Input(in))
		}
	}
	if len(suite.Checks) == 0 {
		return nil, fmt.Errorf("which check? name one, or a witness with --witness")
	}
	all, err := checks(k.checks)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if _, ok := c.States[suite.Checks[0]]; ok {
			suite.Crate, suite.Source = c.Name, c.Files["lib.rs"]
			return suite.File()
		}
	}
	return nil, fmt.Errorf("no written check is called %s; --checks names a file of your own", strings.Join(suite.Checks, ", "))
}
