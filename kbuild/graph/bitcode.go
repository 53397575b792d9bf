package graph

import (
	"context"
	"maps"
	"path"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild/plan"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// Bitcode is a compiled crate.
type Bitcode struct {
	Crate tree.Entry   // its bitcode
	Link  []tree.Entry // bitcode of the crates it needs, dependencies first, and then its own
	Names []string     // of the crates in Link, for people
}

// Bitcode compiles u and what it needs.
func (g *Graph) Bitcode(ctx context.Context, u *Unit) (*Bitcode, error) {
	c, err := g.compile(ctx, u.crate)
	if err != nil {
		return nil, err
	}
	return c.result(), nil
}

func (c *compiled) result() *Bitcode {
	b := &Bitcode{Crate: c.bitcode}
	for _, p := range c.parts {
		if p.crate.Role >= plan.Library {
			b.Link = append(b.Link, p.bitcode)
			b.Names = append(b.Names, p.crate.Label())
		}
	}
	return b
}

// Check compiles a crate of checks like a driver. Files are its sources by path
// relative to its folder; lib.rs is its root.
func (g *Graph) Check(ctx context.Context, name string, files map[string][]byte) (*Bitcode, error) {
	c := g.check.Like(name, path.Join("kvfarm/checks", name, "lib.rs"))
	deps, err := g.dependencies(ctx, c)
	if err != nil {
		return nil, err
	}
	own, read := tree.Files{}, &source.Crate{}
	for p, b := range files {
		p = path.Join(path.Dir(c.Source), p)
		own[p] = g.content.add(b)
		read.Files = append(read.Files, p)
		read.Options = append(read.Options, source.ParseRust(b).Options...)
	}
	if _, err := g.read.do(c.Source, func() (*crateSource, error) { return &crateSource{read, own}, nil }); err != nil {
		return nil, err
	}
	inputs, err := g.inputs(ctx, c, own, deps)
	if err != nil {
		return nil, err
	}
	out, err := g.compileWith(ctx, c, inputs, deps)
	if err != nil {
		return nil, err
	}
	return out.result(), nil
}

// Types compiles u, and the crates for the kernel that it needs, once more with all
// debug information: a crate's bitcode has the types of its own functions only, and proofs are about those that
// it needs too. The code of this bitcode is not what is verified. u's is the first.
func (g *Graph) Types(ctx context.Context, u *Unit) ([]tree.Entry, error) {
	r, err := g.prepare(ctx, u.crate)
	if err != nil {
		return nil, err
	}
	crates := []*plan.Crate{u.crate}
	for _, p := range slices.Backward(r.deps.parts) {
		if p.crate.Role >= plan.Library {
			crates = append(crates, p.crate)
		}
	}
	out := make([]tree.Entry, len(crates))
	group, ctx := errgroup.WithContext(ctx)
	for i, k := range crates {
		group.Go(func() (err error) {
			out[i], err = g.typesOf(ctx, k)
			return err
		})
	}
	return out, group.Wait()
}

// typesOf takes nothing of what compile makes of c, so that the two run side by side.
func (g *Graph) typesOf(ctx context.Context, c *plan.Crate) (tree.Entry, error) {
	return g.made.do("types of "+c.Path, func() (tree.Entry, error) {
		p, err := g.prepare(ctx, c)
		if err != nil {
			return tree.Entry{}, err
		}
		k := c.Compile(plan.Types, mount)
		r, err := g.rustc(ctx, c, k, maps.Clone(p.inputs))
		if lacksFile(err) { // which, compile finds out
			made, err := g.compile(ctx, c)
			if err != nil {
				return tree.Entry{}, err
			}
			if r, err = g.rustc(ctx, c, k, maps.Clone(made.inputs)); err != nil {
				return tree.Entry{}, err
			}
		} else if err != nil {
			return tree.Entry{}, err
		}
		return r.Outputs[k.Bitcode], nil
	})
}
