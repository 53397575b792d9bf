package main

import (
	"context"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
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
	b, err := k.graph.Bitcode(ctx, k.units[c.Source])
	if err != nil {
		return nil, err
	}
	types, err := k.graph.Types(ctx, k.units[c.Source])
	if err != nil {
		return nil, err
	}
	return &job.Bitcode{Link: b.Link, Names: b.Names, Types: types, Foreign: k.foreign, Root: k.tools.Root, Env: k.tools.Env}, nil
}

// Check implements job.Kernel.
func (k *kernel) Check(ctx context.Context, c job.Check) (*job.Bitcode, error) {
	b, err := k.graph.Check(ctx, c.Name, c.Files)
	if err != nil {
		return nil, err
	}
	return &job.Bitcode{Link: b.Link, Names: b.Names, Foreign: k.foreign, Root: k.tools.Root, Env: k.tools.Env}, nil
}
