// Package graph evaluates the graph of actions from a kernel tree to bitcode.
//
// Open configures and plans; from then on every artifact is made when somebody
// asks for it, once. Whether an action runs or is answered from the cache is
// the Runner's affair: the graph only takes care that an action's key holds no
// more than what can change its outputs.
package graph

import (
	"context"
	"slices"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/plan"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// Config is what a Graph is made of.
type Config struct {
	Tree     string            // kernel tree, a path of this machine; only read
	Arch     *Arch             // nil: the first of Archs
	Fragment []byte            // lines of configuration on top of the architecture's default
	Root     digest.Digest     // toolchain
	Env      map[string]string // that the toolchain wants: PATH, LIBCLANG_PATH
	Runner   kbuild.Runner
	Store    cas.Store // where the farm's outputs can be read
	Jobs     int       // actions in flight; 0: 16. The farm decides how many run
}

// Places in an action's input root, which is mounted at mount.
const (
	mount    = "/x"
	objtree  = "o"
	tools    = "kvfarm/bin/"
	planFile = "kvfarm.plan"
)

const defaultJobs = 16

// Graph is the planned build of one kernel tree. It is safe for concurrent use.
type Graph struct {
	cfg     Config
	tree    *source.Tree
	sources *source.Sources
	content *content
	slots   chan struct{}

	files     tree.Files // of the kernel tree, by path; without its Rust
	generated tree.Files // of the object tree, by path from there
	options   []string   // lines of rustc_cfg
	crates    []*plan.Crate
	byName    map[string]*plan.Crate // those that others can name
	check     *plan.Crate            // what a crate of checks is compiled like
	steps     []*plan.Step

	ready    memo[*ready]
	compiled memo[*compiled]
	made     memo[tree.Entry]
	read     memo[*crateSource]
}

// Open scans, configures and plans. Errors: source.ErrNoRust, *ConfigError,
// *kbuild.ActionError, the farm's.
func Open(ctx context.Context, cfg Config) (*Graph, error) {
	if cfg.Arch == nil {
		cfg.Arch = &Archs[0]
	}
	if cfg.Jobs == 0 {
		cfg.Jobs = defaultJobs
	}
	t, err := source.Scan(cfg.Tree, cfg.Arch.Name)
	if err != nil {
		return nil, err
	}
	g := &Graph{cfg: cfg, tree: t, sources: source.NewSources(cfg.Tree), content: newContent(cfg.Tree),
		slots: make(chan struct{}, cfg.Jobs), byName: map[string]*plan.Crate{}}
	if g.files, err = t.Digest(slices.Concat(t.Config, t.Build)); err != nil {
		return nil, err
	}
	g.content.addFiles(g.files)
	config, err := g.configure(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.plan(ctx, config); err != nil {
		return nil, err
	}
	return g, nil
}

// Unit is a crate that there is something to verify in.
type Unit struct {
	Name   string // as rustc is told
	Source string // its root file in the kernel tree, or absolute in the toolchain
	Driver bool   // a driver or sample, not a library of the kernel
	crate  *plan.Crate
}

// Units lists the crates that are compiled for the target, libraries first;
// core, which is not of the kernel tree, among them.
func (g *Graph) Units() []*Unit {
	var units []*Unit
	for _, c := range g.crates {
		if c == g.check || c.Role < plan.Library {
			continue
		}
		units = append(units, &Unit{Name: c.Name, Source: c.Source, Driver: c.Role == plan.Driver, crate: c})
	}
	slices.SortStableFunc(units, func(a, b *Unit) int { return int(a.crate.Role) - int(b.crate.Role) })
	return units
}

// Files lists the sources of u that are in the kernel tree, sorted.
func (g *Graph) Files(u *Unit) ([]string, error) {
	c, err := g.sourceOf(u.crate)
	if err != nil {
		return nil, err
	}
	return c.Files, nil
}

// run has a executed and expects it to succeed.
func (g *Graph) run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a.Root, a.Content = g.cfg.Root, g.content
	for name, v := range g.cfg.Env {
		if _, ok := a.Env[name]; !ok {
			a.Env[name] = v
		}
	}
	return kbuild.Do(ctx, g.cfg.Runner, a)
}
