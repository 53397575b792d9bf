package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	"github.com/kvfarm/kvfarm/kbuild/rust"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// kernel is a planned kernel tree as a job wants it.
type kernel struct {
	graph *graph.Graph
	tools *toolchain.Toolchain
	units map[string]*graph.Unit

	foreign bool // its code does not run on this machine
}

func newKernel(g *graph.Graph, arch archFlag, tools *toolchain.Toolchain) *kernel {
	k := &kernel{graph: g, tools: tools, units: map[string]*graph.Unit{}, foreign: arch.foreign()}
	for _, u := range g.Units() {
		k.units[u.Source] = u
	}
	return k
}

// Crates implements job.Kernel: core too, whose checks stand in the kernel as
// any other crate's do.
func (k *kernel) Crates() ([]job.Crate, error) {
	var cs []job.Crate
	for _, u := range k.graph.Units() {
		files, err := k.graph.Files(u)
		if err != nil {
			return nil, err
		}
		cs = append(cs, job.Crate{Name: u.Name, Source: u.Source, Files: files, Library: !u.Driver})
	}
	return cs, nil
}

// Actions implements job.Kernel.
func (k *kernel) Actions(crates []job.Crate, checks int) (int, error) {
	var units []*graph.Unit
	for _, c := range crates {
		units = append(units, k.units[c.Source])
	}
	return k.graph.Count(units, checks)
}

// Bitcode implements job.Kernel.
func (k *kernel) Bitcode(ctx context.Context, c job.Crate) (*job.Bitcode, error) {
	var types []tree.Entry
	var failed error // told of only if the other compile does not fail, too: it does not hang on which is faster
	var beside sync.WaitGroup
	beside.Go(func() { types, failed = k.graph.Types(ctx, k.units[c.Source]) })
	b, err := k.graph.Bitcode(ctx, k.units[c.Source])
	beside.Wait()
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return &job.Bitcode{Link: b.Link, Names: b.Names, Types: types, Foreign: k.foreign, Root: k.tools.Root, Env: k.tools.Env}, nil
}

// Check implements job.Kernel. What checks that come with kvfarm are about may not be there in every kernel.
func (k *kernel) Check(ctx context.Context, c job.Check) (*job.Bitcode, error) {
	files := maps.Clone(c.Files)
	lacks := map[string]string{}
	for tries := 0; ; tries++ {
		b, err := k.graph.Check(ctx, c.Name, files)
		var failed *kbuild.ActionError
		if err == nil {
			return &job.Bitcode{Link: b.Link, Names: b.Names, Foreign: k.foreign, Root: k.tools.Root, Env: k.tools.Env, Lacks: lackList(c, lacks), Tries: tries}, nil
		}
		if !c.Shipped || !errors.As(err, &failed) {
			return nil, err
		}
		// Each time rustc gets further, there are fewer checks.
		rest, more := rust.Narrow(c.Name, files["lib.rs"], failed.Stderr)
		if len(more) == 0 {
			return nil, err
		}
		for _, l := range more {
			lacks[l.Check] = l.Why
		}
		if rest == nil {
			return &job.Bitcode{Lacks: lackList(c, lacks), Tries: tries}, nil
		}
		files["lib.rs"] = rest
	}
}

// lackList are lacks of c as a report has them.
func lackList(c job.Check, lacks map[string]string) []*pb.Lack {
	var list []*pb.Lack
	for _, name := range slices.Sorted(maps.Keys(lacks)) {
		list = append(list, &pb.Lack{File: c.Name + ".rs", Check: name, Why: lacks[name]})
	}
	return list
}
