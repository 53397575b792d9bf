package graph

import (
	"context"
	"path"
	"strings"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/plan"
)

// autoconf is what the kernel's command lines include but kbuild's lists of
// dependencies leave out.
const autoconf = "include/generated/autoconf.h"

// make runs step s and returns its one output.
func (g *Graph) make(ctx context.Context, s *plan.Step) (tree.Entry, error) {
	return g.made.do(s.Target, func() (tree.Entry, error) {
		out := s.Target
		r, err := g.run(ctx, &kbuild.Action{Kind: s.Kind, Name: s.Target, Dir: objtree,
			Argv: []string{"sh", "-ec", s.Script}, Env: map[string]string{"LC_ALL": "C"},
			Inputs: g.stepInputs(s), Outputs: []string{out}})
		if err != nil {
			return tree.Entry{}, err
		}
		return r.Outputs[out], nil
	})
}

// stepInputs returns exactly the files that s reads.
func (g *Graph) stepInputs(s *plan.Step) tree.Files {
	files := tree.Files{}
	for _, dep := range append([]string{autoconf}, s.Deps...) {
		if p, ok := strings.CutPrefix(dep, "../"); ok {
			if e, ok := g.files[p]; ok {
				files[p] = e
			}
			continue
		}
		if e, ok := g.generated[dep]; ok {
			files[path.Join(objtree, dep)] = e
		}
	}
	return files
}

// Helpers compiles the kernel's C helpers for Rust to bitcode. The second
// result is false if this kernel has none.
func (g *Graph) Helpers(ctx context.Context) (tree.Entry, bool, error) {
	for _, s := range g.steps {
		if s.Kind == "clang" {
			e, err := g.make(ctx, s)
			return e, true, err
		}
	}
	return tree.Entry{}, false, nil
}
