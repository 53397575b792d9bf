// Command kvlower turns LLVM bitcode of Rust code into slices: one canonical
// text per root, the key of its proofs, and beside it the map to the source.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
)

// collection is how much the heap grows, in percent, before garbage is collected. A slice is garbage when it is written, and the
// module that all are cut from stays: Go's default looks at that for a third of the time.
const collection = 400

func main() {
	debug.SetGCPercent(collection)
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "kvlower:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == readFlag {
		return readMain(args[1:])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	switch {
	case o.census:
		return countFiles(os.Stdout, o.engine, o.files)
	case o.remains:
		return writeRemains(o.out, o.crate, o.files[0])
	}
	return lower(o.job)
}

// options is what the command line says.
type options struct {
	job
	census, remains bool   // instead of slices
	engine          string // "": there is none
}

const usage = `usage:
  kvlower --out DIR [--types FILE.bc]... [--crate NAME] [--checks | --root SYMBOL] [--untrimmed] FILE.bc...
  kvlower --remains --out DIR [--crate NAME] FILE.bc
  kvlower --census [--engine KVENGINE] FILE.bc...
`

func parse(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("kvlower", flag.ContinueOnError)
	fs.StringVar(&o.out, "out", "", "`DIR` to write slices, maps and index.json to")
	fs.Func("types", "bitcode `FILE` of a crate with full debug information, for the types of parameters; the last file's crate first; repeatable", func(s string) error {
		o.types = append(o.types, s)
		return nil
	})
	fs.StringVar(&o.crate, "crate", "", "`NAME` of the crate, for the index")
	fs.StringVar(&o.root, "root", "", "lower only the root with this `SYMBOL`")
	fs.BoolVar(&o.checks, "checks", false, "lower the written checks only: functions without parameters whose names start with check")
	fs.BoolVar(&o.untrimmed, "untrimmed", false, "leave in the inputs what a slice does not look at, to compare verdicts with")
	fs.BoolVar(&o.census, "census", false, "count what each file is made of, say what of it the engine supports, and write no slices")
	fs.BoolVar(&o.remains, "remains", false, "list the panic calls that are left in one file, which LLVM has optimised, and write no slices")
	fs.StringVar(&o.engine, "engine", besides(), "the kvengine `PROGRAM` that --census asks; without one it only counts")
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.files = fs.Args()
	return &o, o.check()
}

// check looks for flags and files that do not go together: what was asked for would not be what is done.
func (o *options) check() error {
	switch {
	case o.census && o.remains:
		return errors.New("--census and --remains are two things: want one of them")
	case (o.census || o.remains) && (len(o.types) > 0 || o.root != "" || o.checks):
		return errors.New("--types, --root and --checks are for slices: --census and --remains write none")
	case len(o.files) == 0:
		return errors.New("no bitcode file is named; --help says what there is")
	case !o.census && o.out == "":
		return errors.New("--out is missing: where should what is found be written to?")
	case o.remains && len(o.files) != 1:
		return fmt.Errorf("--remains: %d files are named, want one: what LLVM leaves is asked of one crate", len(o.files))
	case o.checks && o.root != "":
		return errors.New("--checks and --root: want one of them")
	}
	return nil
}
