package graph

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/kbuild/plan"
)

// rustcCfg is the file with the configuration as rustc's flags.
const rustcCfg = "include/generated/rustc_cfg"

// loadOptions reads rustc_cfg.
func (g *Graph) loadOptions(ctx context.Context) error {
	e, ok := g.generated[rustcCfg]
	if !ok {
		return fmt.Errorf("plan made no %s", rustcCfg)
	}
	b, err := cas.ReadBlob(ctx, g.cfg.Store, e.Digest, maxText)
	if err != nil {
		return fmt.Errorf("read %s: %w", rustcCfg, err)
	}
	g.options = strings.Split(strings.TrimSpace(string(b)), "\n")
	slices.Sort(g.options)
	return nil
}

// narrowed returns the lines of rustc_cfg for the given options alone, so that
// a change of any other option leaves the crate's key alone. It changes no
// output: a cfg that a crate does not ask for leaves no trace.
func (g *Graph) narrowed(names map[string]bool) []byte {
	var b strings.Builder
	for _, line := range g.options {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "--cfg="), "=")
		if names[name] {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String())
}

// reads is what a crate reads besides its own sources and its dependencies.
type reads struct {
	options   map[string]bool
	generated []*plan.Step
}

// readsOf adds up what c asks for itself and what the macros of its
// dependencies may ask for in its name.
func (g *Graph) readsOf(c *plan.Crate, deps []*plan.Crate) (*reads, error) {
	own, err := g.sourceOf(c)
	if err != nil {
		return nil, err
	}
	r := &reads{options: map[string]bool{}}
	strs := slices.Clone(own.Strings)
	for _, o := range own.Options {
		r.options[o] = true
	}
	for _, d := range deps {
		s, err := g.sourceOf(d)
		if err != nil {
			return nil, err
		}
		options := s.Exported
		if d.Role == plan.Macro {
			options = s.Options
		}
		for _, o := range options {
			r.options[o] = true
		}
		strs = append(strs, s.Macros...)
	}
	r.generated = g.generatedBy(strs)
	return r, nil
}

// generatedBy finds the steps whose outputs strs name.
func (g *Graph) generatedBy(strs []string) []*plan.Step {
	var steps []*plan.Step
	for _, s := range g.steps {
		if s.Kind != "clang" && slices.ContainsFunc(strs, func(p string) bool { return strings.HasSuffix(path.Join("/", p), "/"+s.Target) }) {
			steps = append(steps, s)
		}
	}
	return steps
}
