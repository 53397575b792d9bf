package single

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/plan"
	"github.com/kvfarm/kvfarm/kbuild/rust"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// coreSource is where the toolchain root has the sources of core.
const coreSource = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs"

// rustc is the start of every command: the code that the kernel's build makes at
// this level, for a target without the kernel's own conventions. The sysroot has
// nothing, or its core would be taken, whose sums wrap.
func rustc(level plan.Level) []string {
	return append([]string{
		"rustc", "--target=x86_64-unknown-none", "--sysroot=/dev/null", "--crate-type=rlib", "--cap-lints=allow",
		"-Cpanic=abort", "-Csymbol-mangling-version=v0", "-Cforce-unwind-tables=n", "-Crelocation-model=static", "-Ccode-model=small",
		"--remap-path-prefix=" + mount + "/=", "--remap-path-prefix=" + mount + "/" + sources + "=.",
	}, plan.LevelFlags(level)...)
}

// library is what all files of Rust share.
type library struct {
	metadata tree.Files // by path in the input root
	link     []tree.Entry
	panic    *tree.Entry // handler of native runs
}

// libraryCrates is how many crates makeLibrary compiles.
const libraryCrates = 4

// makeLibrary compiles core, which takes some ten seconds the first time, and
// the crate that checks use.
func (c *Compiler) makeLibrary(ctx context.Context) (*library, error) {
	l := &library{metadata: tree.Files{}}
	if err := c.crate(ctx, l, "core", []string{"--edition=2024", coreSource}, nil); err != nil {
		return nil, err
	}
	root := path.Join(ours, "lib.rs")
	args := []string{"--edition=2021", "-L" + ours, root}
	if err := c.crate(ctx, l, "compiler_builtins", args, map[string][]byte{root: rust.Builtins}); err != nil {
		return nil, err
	}
	files := map[string][]byte{root: rust.Library, path.Join(ours, "kvfarm.rs"): rust.Module}
	if err := c.crate(ctx, l, "kvfarm", args, files); err != nil {
		return nil, err
	}
	last := len(l.link)
	err := c.crate(ctx, l, "kvfarm_panic", args, map[string][]byte{root: rust.PanicHandler})
	l.panic, l.link = &l.link[last], l.link[:last]
	return l, err
}

// crate compiles a crate and adds it to l.
func (c *Compiler) crate(ctx context.Context, l *library, name string, args []string, files map[string][]byte) error {
	metadata := "lib" + name + ".rmeta"
	blobs, inputs := kbuild.Blobs{}, maps.Clone(l.metadata)
	for p, b := range files {
		inputs[p] = blobs.Add(b)
	}
	argv := append(rustc(plan.Verify), "--crate-name="+name, "--emit=llvm-bc="+output+",metadata="+metadata)
	r, err := c.do(ctx, &kbuild.Action{Kind: "rustc", Name: name, Argv: append(argv, args...),
		Inputs: inputs, Outputs: []string{output, metadata}, Content: blobs})
	if err != nil {
		return err
	}
	l.metadata[path.Join(ours, metadata)] = r.Outputs[metadata]
	l.link = append(l.link, r.Outputs[output])
	return nil
}

// rust compiles a file of Rust as a crate of its own. A library needs no panic
// handler, and takes one.
func (c *Compiler) rust(ctx context.Context, f *File, inputs tree.Files, blobs kbuild.Blobs) (*Bitcode, error) {
	lib, err := c.shared()
	if err != nil {
		return nil, err
	}
	maps.Copy(inputs, lib.metadata)
	argv := append(rustc(plan.Verify), "--edition=2021", "--crate-name="+crateName(f.Name), "--emit=llvm-bc="+output, "-L../"+ours)
	if own := path.Join(path.Dir(f.Name), "kvfarm.rs"); !usesModule(f) {
		argv = append(argv, "--extern=kvfarm")
	} else if f.Files[own] == nil {
		inputs[path.Join(sources, own)] = blobs.Add(rust.Module)
	}
	made, err := c.compile(ctx, &kbuild.Action{Kind: "rustc", Name: f.Name, Argv: append(argv, f.Name), Inputs: inputs, Content: blobs})
	if err != nil {
		return nil, explain(err)
	}
	return &Bitcode{Link: slices.Concat(lib.link, made.Link), Over: lib.panic}, nil
}

// usesModule reports whether a file takes the check library in as a module of its
// own, as checks of a kernel do.
func usesModule(f *File) bool {
	for _, m := range source.ParseRust(f.Files[f.Name]).Modules {
		if m.Name == "kvfarm" && len(m.Parent) == 0 && m.Path == "" {
			return true
		}
	}
	return false
}

// crateName makes a crate's name of a file's.
func crateName(file string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, strings.TrimSuffix(path.Base(file), ".rs"))
	if name == "" || name[0] >= '0' && name[0] <= '9' || slices.Contains(taken, name) {
		name = "_" + name
	}
	return name
}

// taken are the names of crates that rustc knows or is given.
var taken = []string{"core", "alloc", "std", "test", "proc_macro", "compiler_builtins", "kvfarm", "kvfarm_panic"}

// explain adds to what the compiler says where that alone would mislead.
func explain(err error) error {
	var failed *kbuild.ActionError
	if errors.As(err, &failed) && strings.Contains(failed.Stderr, "crate for `std`") {
		return fmt.Errorf("%w\nchecks have core and no std, as the kernel has: begin the file with #![no_std]", err)
	}
	return err
}
