// Package single compiles source files that belong to no kernel: files of
// written checks in Rust, C or LLVM's own language. It needs the toolchain
// root and nothing else.
package single

import (
	"context"
	"maps"
	"path"
	"sync"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
)

// Config is what a Compiler is made of.
type Config struct {
	Root   digest.Digest     // toolchain
	Env    map[string]string // that the toolchain wants: PATH
	Runner kbuild.Runner
}

// Compiler compiles files. It is safe for concurrent use.
type Compiler struct {
	cfg    Config
	shared func() (*library, error)
}

// New returns a Compiler. ctx ends the making of what all files of Rust share.
func New(ctx context.Context, cfg Config) *Compiler {
	c := &Compiler{cfg: cfg}
	c.shared = sync.OnceValues(func() (*library, error) { return c.makeLibrary(ctx) })
	return c
}

// Places in an action's input root. Commands run in sources, so that what
// compilers say names files as the user does.
const (
	sources = "src"
	ours    = "kvfarm"
	output  = "kvfarm-out.bc"
	mount   = "/x" // of the input root
)

// Bitcode is a compiled file.
type Bitcode struct {
	Link    []tree.Entry   // to be linked, the file's own last
	Over    *tree.Entry    // for native runs: its definitions win; nil if none is needed
	Content kbuild.Content // of what the farm may lack; nil: it has it all
}

// Bitcode compiles f. Errors: *kbuild.ActionError with what the compiler says, the farm's.
func (c *Compiler) Bitcode(ctx context.Context, f *File) (*Bitcode, error) {
	blobs := kbuild.Blobs{}
	inputs := tree.Files{}
	for name, b := range f.Files {
		inputs[path.Join(sources, name)] = blobs.Add(b)
	}
	switch path.Ext(f.Name) {
	case ".rs":
		return c.rust(ctx, f, inputs, blobs)
	case ".c":
		inputs[path.Join(ours, "kvfarm.h")] = blobs.Add(header)
		return c.compile(ctx, &kbuild.Action{Kind: "clang", Name: f.Name, Argv: clang(f.Name), Inputs: inputs, Content: blobs})
	case ".ll":
		argv := []string{"llvm-as", "-o", output, f.Name}
		return c.compile(ctx, &kbuild.Action{Kind: "llvm-as", Name: f.Name, Argv: argv, Inputs: inputs, Content: blobs})
	}
	return &Bitcode{Link: []tree.Entry{inputs[path.Join(sources, f.Name)]}, Content: blobs}, nil
}

// Count is how many actions the bitcode of files takes.
func Count(files []*File) int {
	n, shared := 0, 0
	for _, f := range files {
		switch path.Ext(f.Name) {
		case ".rs":
			n, shared = n+1, libraryCrates
		case ".c", ".ll":
			n++
		}
	}
	return n + shared
}

// compile runs a, which leaves bitcode in output.
func (c *Compiler) compile(ctx context.Context, a *kbuild.Action) (*Bitcode, error) {
	a.Dir, a.Outputs = sources, []string{output}
	r, err := c.do(ctx, a)
	if err != nil {
		return nil, err
	}
	return &Bitcode{Link: []tree.Entry{r.Outputs[output]}}, nil
}

func (c *Compiler) do(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	a.Env = map[string]string{"LC_ALL": "C", "RUSTC_BOOTSTRAP": "1"}
	maps.Copy(a.Env, c.cfg.Env)
	a.Root = c.cfg.Root
	return kbuild.Do(ctx, c.cfg.Runner, a)
}
