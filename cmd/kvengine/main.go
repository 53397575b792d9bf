// Command kvengine decides slices.
//
//	kvengine prove [--budget N] [--loops N] [--shard DECISIONS] [--paths] [--held | --alone [--of N,...]] [--certify DIR] --out verdict.json slice.kvs
//	kvengine check DIR
//	kvengine replay --out result.json slice.kvs verdict.json
//	kvengine run --out verdict.json slice.kvs inputs.json
//	kvengine knows <slices
//
// With --shard it follows a part of the root only, and what it says is of that part. A verdict for want of budget names parts.
// With --paths it follows one path after the other and merges none. With --held nothing is
// assumed of where inputs lie: what is proved holds for every caller; with --alone it is the panics that the root itself holds, without following what the root calls;
// with --of those that the first of these functions of the slice holds, in the root's calls of it, through the others.
// Run makes a verdict of inputs that something else found, a list as witnesses have it.
// What knows is for: kvlower --census asks it which constructs are supported.
// With --certify it writes evidence for each contradiction that the solver found,
// which check checks without a solver. It exits with 0 when a result was written, whatever it says, and with 2 when
// its input could not be read.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// firstCollection is when garbage is collected first, in percent of the 4 MB at which Go would begin:
// most proofs end before that. From then on it is Go's default.
const firstCollection = 800

func main() {
	debug.SetGCPercent(firstCollection)
	runtime.AddCleanup(new([64]*byte), func(percent int) { debug.SetGCPercent(percent) }, 100)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kvengine:", err)
		os.Exit(2)
	}
}

const usage = `usage:
  kvengine prove [--budget N] [--loops N] [--shard DECISIONS] [--paths] [--held | --alone [--of N,...]] [--certify DIR] --out verdict.json slice.kvs
  kvengine check DIR
  kvengine replay --out result.json slice.kvs verdict.json
  kvengine run --out verdict.json slice.kvs inputs.json
  kvengine knows <slices`

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command\n%s", usage)
	}
	switch args[0] {
	case "prove":
		return prove(args[1:])
	case "check":
		return checkCertificate(args[1:])
	case "replay":
		return replay(args[1:])
	case "run":
		return runInputs(args[1:])
	case "knows":
		return knows(os.Stdin, os.Stdout, args[1:])
	case "help", "--help", "-h":
		fmt.Println(usage)
		return nil
	}
	return fmt.Errorf("%q is no command\n%s", args[0], usage)
}

// flags parses the arguments of a command that takes n files.
func flags(fs *flag.FlagSet, args []string, n int) error {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("%s: %w\n%s", fs.Name(), err, usage)
	}
	if fs.NArg() != n {
		return fmt.Errorf("%s: %d files given, want %d\n%s", fs.Name(), fs.NArg(), n, usage)
	}
	return nil
}

func prove(args []string) error {
	fs := flag.NewFlagSet("prove", flag.ContinueOnError)
	out := fs.String("out", "verdict.json", "")
	budget := fs.Int64("budget", 0, "")
	loops := fs.Int("loops", 0, "")
	part := fs.String("shard", "", "")
	paths := fs.Bool("paths", false, "")
	held := fs.Bool("held", false, "")
	alone := fs.Bool("alone", false, "")
	of := fs.String("of", "", "")
	evidence := fs.String("certify", "", "")
	if err := flags(fs, args, 1); err != nil {
		return err
	}
	if *budget < 0 || *loops < 0 {
		return fmt.Errorf("prove: --budget and --loops must not be negative")
	}
	s, err := readSlice(fs.Arg(0))
	if err != nil {
		return err
	}
	ds, err := verdict.ParseShard(*part)
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	cfg := exec.Config{Shard: ds, Budget: *budget, LoopBound: *loops, Paths: *paths, Alone: *alone, Overlaps: *held || *alone}
	if *of != "" && !*alone {
		return fmt.Errorf("prove: --of is for --alone")
	}
	if cfg.Of, err = functions(*of, s); err != nil {
		return err
	}
	if (*held || *alone) && len(ds) > 0 {
		return fmt.Errorf("prove: --shard divides what --held and --alone do not follow")
	}
	v, err := proveCertified(s, cfg, *evidence)
	if err != nil {
		return fmt.Errorf("prove %s: %w", fs.Arg(0), err)
	}
	return write(*out, v.Encode)
}

// functions reads a list of functions of s, by number.
func functions(list string, s *ir.Slice) (out []int, err error) {
	if list == "" {
		return nil, nil
	}
	for _, f := range strings.Split(list, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 || n >= len(s.Funcs) {
			return nil, fmt.Errorf("prove: --of %s: %q is no function of the slice, which has %d", list, f, len(s.Funcs))
		}
		out = append(out, n)
	}
	return out, nil
}

func replay(args []string) error {
	fs := flag.NewFlagSet("replay", flag.ContinueOnError)
	out := fs.String("out", "result.json", "")
	if err := flags(fs, args, 2); err != nil {
		return err
	}
	s, err := readSlice(fs.Arg(0))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(fs.Arg(1))
	if err != nil {
		return fmt.Errorf("read verdict: %w", err)
	}
	v, err := verdict.Decode(b)
	if err != nil {
		return fmt.Errorf("read verdict %s: %w", fs.Arg(1), err)
	}
	r, err := check.ReplayAll(s, v)
	if err != nil {
		return fmt.Errorf("replay %s: %w", fs.Arg(0), err)
	}
	return write(*out, r.Encode)
}

func runInputs(args []string) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	out := fs.String("out", "verdict.json", "")
	if err := flags(fs, args, 2); err != nil {
		return err
	}
	s, err := readSlice(fs.Arg(0))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(fs.Arg(1))
	if err != nil {
		return fmt.Errorf("read inputs: %w", err)
	}
	var inputs []verdict.Input
	if err := json.Unmarshal(b, &inputs); err != nil {
		return fmt.Errorf("read inputs %s: %w", fs.Arg(1), err)
	}
	v, err := check.Run(s, inputs)
	if err != nil {
		return fmt.Errorf("run %s: %w", fs.Arg(0), err)
	}
	return write(*out, v.Encode)
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
