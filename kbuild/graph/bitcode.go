package graph

import (
	"context"
	"maps"
	"path"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild/plan"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// Bitcode is a compiled crate.
type Bitcode struct {
	Crate tree.Entry   // its bitcode
	Link  []tree.Entry // bitcode of the crates it needs, dependencies first, and then its own
	Names []string     // of the crates in Link, for people

	crate  *plan.Crate
	inputs tree.Files
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
	b := &Bitcode{Crate: c.bitcode, crate: c.crate, inputs: c.inputs}
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
	out, err := g.compileWith(ctx, c, own, deps)
	if err != nil {
		return nil, err
	}
	return out.result(), nil
}

// Types compiles b's crate once more, with all debug information. The code of
// this bitcode is not what is verified.
func (g *Graph) Types(ctx context.Context, b *Bitcode) (tree.Entry, error) {
	return g.made.do("types of "+b.Crate.Digest.String(), func() (tree.Entry, error) {
		k := b.crate.Compile(plan.Types, mount)
		r, err := g.rustc(ctx, b.crate, k, maps.Clone(b.inputs))
		if err != nil {
			return tree.Entry{}, err
		}
		return r.Outputs[k.Bitcode], nil
	})
}
