// Command kvlower turns LLVM bitcode of Rust code into slices: one canonical
// text per root, the key of its proofs, and beside it the map to the source.
package main

import (
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
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kvlower:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == readFlag {
		return readMain(args[1:])
	}
	fs := flag.NewFlagSet("kvlower", flag.ContinueOnError)
	out := fs.String("out", "", "`directory` to write slices, maps and index.json to")
	var types []string
	fs.Func("types", "bitcode `file` of a crate with full debug information, for the types of parameters; the last file's crate first", func(s string) error {
		types = append(types, s)
		return nil
	})
	crate := fs.String("crate", "", "`name` of the crate, for the index")
	root := fs.String("root", "", "lower only the root with this `symbol`")
	checks := fs.Bool("checks", false, "lower the written checks only: functions without parameters whose names start with check")
	census := fs.Bool("census", false, "count what each file is made of, say what of it the engine supports, and write no slices")
	remains := fs.Bool("remains", false, "list the panic calls that are left in one file, which LLVM has optimised, and write no slices")
	engine := fs.String("engine", besides(), "the kvengine `program` that --census asks; without one it only counts")
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "usage: kvlower --out DIR [--types FILE.bc]... [--crate NAME] [--checks] FILE.bc...\n       kvlower --remains --out DIR FILE.bc\n       kvlower --census [--engine KVENGINE] FILE.bc...")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *remains && fs.NArg() == 1 && *out != "" {
		return writeRemains(*out, *crate, fs.Arg(0))
	}
	if *census && fs.NArg() > 0 {
		return countFiles(os.Stdout, *engine, fs.Args())
	}
	if fs.NArg() == 0 || *out == "" {
		fs.Usage()
		return fmt.Errorf("--out and at least one bitcode file are wanted")
	}
	return lower(job{files: fs.Args(), types: types, out: *out, crate: *crate, root: *root, checks: *checks})
}
