package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/plan"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// part is a crate with its bitcode, if it is of the target.
type part struct {
	crate   *plan.Crate
	bitcode tree.Entry
}

// compiled is a crate with all that compiling a dependent takes.
type compiled struct {
	part
	metadata tree.Files // of the crate and of all that it needs, by path in the input root
	parts    []part     // all that it needs, dependencies first, and itself
	inputs   tree.Files // of its action
}

// compile makes crate c and, before it, what it needs.
func (g *Graph) compile(ctx context.Context, c *plan.Crate) (*compiled, error) {
	return g.compiled.do(c.Path, func() (*compiled, error) {
		r, err := g.prepare(ctx, c)
		if err != nil {
			return nil, err
		}
		out, err := g.compileWith(ctx, c, r.inputs, r.deps)
		if !lacksFile(err) {
			return out, err
		}
		wide, wideErr := g.widened(c, r.own)
		if wideErr != nil || len(wide) == len(r.own) {
			return nil, errors.Join(err, wideErr)
		}
		inputs, wideErr := g.inputs(ctx, c, wide, r.deps)
		if wideErr != nil {
			return nil, errors.Join(err, wideErr)
		}
		return g.compileWith(ctx, c, inputs, r.deps)
	})
}

// ready is what compiling a crate takes.
type ready struct {
	own    tree.Files // of the kernel tree
	deps   *compiled
	inputs tree.Files // own, and what deps and the options add
}

// prepare compiles what c needs.
func (g *Graph) prepare(ctx context.Context, c *plan.Crate) (*ready, error) {
	return g.ready.do(c.Path, func() (*ready, error) {
		deps, err := g.dependencies(ctx, c)
		if err != nil {
			return nil, err
		}
		own, err := g.sourceOf(c)
		if err != nil {
			return nil, err
		}
		inputs, err := g.inputs(ctx, c, own.files, deps)
		return &ready{own.files, deps, inputs}, err
	})
}

// lacksFile reports whether rustc found no file for a module, as when a macro
// of the crate makes up the module.
func lacksFile(err error) bool {
	var failed *kbuild.ActionError
	return errors.As(err, &failed) && (strings.Contains(failed.Stderr, "file not found for module") ||
		strings.Contains(failed.Stderr, "couldn't read"))
}

// widened adds to files all Rust below the folder of c's root file.
func (g *Graph) widened(c *plan.Crate, files tree.Files) (tree.Files, error) {
	below := slices.DeleteFunc(slices.Clone(g.tree.Rust), func(p string) bool {
		return !strings.HasPrefix(p, path.Dir(c.Source)+"/")
	})
	wide, err := g.tree.Digest(below)
	g.content.addFiles(wide)
	maps.Copy(wide, files)
	return wide, err
}

// dependencies compiles what c needs and adds it up.
func (g *Graph) dependencies(ctx context.Context, c *plan.Crate) (*compiled, error) {
	names := g.externs(c)
	deps := make([]*compiled, len(names))
	// No context of its own: a crate that is given up for a sister's fault would
	// stay given up for everybody.
	var eg errgroup.Group
	for i, name := range names {
		eg.Go(func() (err error) {
			deps[i], err = g.compile(ctx, g.byName[name])
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	sum := &compiled{metadata: tree.Files{}}
	for _, d := range deps {
		maps.Copy(sum.metadata, d.metadata)
		for _, p := range d.parts {
			if !slices.Contains(sum.parts, p) {
				sum.parts = append(sum.parts, p)
			}
		}
	}
	return sum, nil
}

// externs lists the crates that c names and those that rustc takes for granted,
// as far as this build makes them: proc_macro, for one, comes with rustc.
func (g *Graph) externs(c *plan.Crate) []string {
	names := slices.Clone(c.Externs)
	if c.Role >= plan.Library && c.Name != "core" {
		names = append(names, "core")
		if c.Name != "compiler_builtins" {
			names = append(names, "compiler_builtins")
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return g.byName[n] == nil })
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *compiled) crates() []*plan.Crate {
	var crates []*plan.Crate
	for _, p := range c.parts {
		crates = append(crates, p.crate)
	}
	return crates
}

// compileWith compiles c from inputs, and adds it to deps.
func (g *Graph) compileWith(ctx context.Context, c *plan.Crate, inputs tree.Files, deps *compiled) (*compiled, error) {
	k := c.Compile(plan.Verify, mount)
	r, err := g.rustc(ctx, c, k, maps.Clone(inputs))
	if err != nil {
		return nil, err
	}
	out := &compiled{part: part{crate: c, bitcode: r.Outputs[k.Bitcode]}, metadata: tree.Files{}, inputs: inputs}
	// A macro is a shared object that brings along what it needs.
	if c.Role != plan.Macro {
		out.parts = slices.Clone(deps.parts)
		maps.Copy(out.metadata, deps.metadata)
	}
	out.parts = append(out.parts, out.part)
	if k.Metadata != "" {
		out.metadata[path.Join(objtree, k.Metadata)] = r.Outputs[k.Metadata]
	}
	return out, nil
}

// rustc runs one compilation.
func (g *Graph) rustc(ctx context.Context, c *plan.Crate, k *plan.Compilation, inputs tree.Files) (*kbuild.Result, error) {
	env := map[string]string{"RUSTC_BOOTSTRAP": "1"} // as the kernel's Makefile exports it
	maps.Copy(env, c.Env)
	return g.run(ctx, &kbuild.Action{Kind: "rustc", Name: c.Label(), Dir: objtree, Argv: k.Argv, Env: env, Inputs: inputs, Outputs: k.Outputs()})
}

// inputs returns exactly what compiling c reads, without the toolchain.
func (g *Graph) inputs(ctx context.Context, c *plan.Crate, own tree.Files, deps *compiled) (tree.Files, error) {
	r, err := g.readsOf(c, deps.crates())
	if err != nil {
		return nil, err
	}
	files := maps.Clone(deps.metadata)
	maps.Copy(files, own)
	for _, s := range r.generated {
		e, err := g.make(ctx, s)
		if err != nil {
			return nil, err
		}
		files[path.Join(objtree, s.Target)] = e
	}
	if c.TargetFile != "" {
		e, ok := g.generated[c.TargetFile]
		if !ok {
			return nil, fmt.Errorf("crate %s is for the target of %s, want %s", c.Name, c.TargetFile, targetFile)
		}
		files[path.Join(objtree, c.TargetFile)] = e
	}
	if c.CfgFile != "" {
		if c.CfgFile != rustcCfg {
			return nil, fmt.Errorf("crate %s takes its options from %s, want %s", c.Name, c.CfgFile, rustcCfg)
		}
		files[path.Join(objtree, rustcCfg)] = g.content.add(g.narrowed(r.options))
	}
	return files, nil
}

// crateSource is what of a crate is in the kernel tree.
type crateSource struct {
	*source.Crate
	files tree.Files
}

// sourceOf reads the sources of c that are in the kernel tree.
func (g *Graph) sourceOf(c *plan.Crate) (*crateSource, error) {
	return g.read.do(c.Source, func() (*crateSource, error) {
		if path.IsAbs(c.Source) {
			return &crateSource{Crate: &source.Crate{}}, nil
		}
		s, err := g.sources.Crate(c.Source)
		if err != nil {
			return nil, err
		}
		files, err := g.tree.Digest(s.Files)
		g.content.addFiles(files)
		return &crateSource{Crate: s, files: files}, err
	})
}
