// Command kvengine decides slices.
//
//	kvengine prove [--budget N] [--loops N] --out verdict.json slice.kvs
//	kvengine replay --out result.json slice.kvs verdict.json
//
// It exits with 0 when a result was written, whatever it says, and with 2 when
// its input could not be read.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kvengine:", err)
		os.Exit(2)
	}
}

const usage = "usage: kvengine prove|replay [flags] slice.kvs ..."

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf(usage)
	}
	switch args[0] {
	case "prove":
		return prove(args[1:])
	}
	return fmt.Errorf("%q is no command; %s", args[0], usage)
}

func prove(args []string) error {
	fs := flag.NewFlagSet("prove", flag.ContinueOnError)
	out := fs.String("out", "verdict.json", "file to write the verdict to")
	budget := fs.Int64("budget", exec.DefaultBudget, "work units: instructions and terms")
	loops := fs.Int("loops", exec.DefaultLoopBound, "rounds of a loop whose end depends on inputs")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return fmt.Errorf("prove takes one slice; %s", usage)
	}
	s, err := readSlice(fs.Arg(0))
	if err != nil {
		return err
	}
	v, err := check.Prove(s, exec.Config{Budget: *budget, LoopBound: *loops})
	if err != nil {
		return err
	}
	f, err := os.Create(*out)
	if err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	if err := v.Encode(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	return nil
}

func readSlice(name string) (*ir.Slice, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read slice: %w", err)
	}
	s, err := ir.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read slice %s: %w", name, err)
	}
	return s, nil
}
