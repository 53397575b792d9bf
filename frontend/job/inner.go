package job

import (
	"context"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/report"
)

// An inner root has a part of an outer one's budget: there are many of them, and
// those that are decided at all are decided early. A root of a crate that is not
// of the tree, which is core, has less: its formatting of numbers and the like is
// as hard as any driver, and nobody's who submits a kernel.
const (
	aloneBudget = 500_000 // where outer roots have the engine's default
	alonePart   = 20
	innerBudget = 250_000 // of what no proof of the root alone decides: what is decided so is decided early
	innerPart   = 40
	callBudget  = 100_000 // of a function in its caller's context, or alone where its checks are proved up to a bound
	callPart    = 100
	coreBudget  = 200_000
	corePart    = 50
)

// budget is that of c's proof, a root of u.
func (j *Job) budget(u unit, c cut) int64 {
	usual, part := int64(0), int64(1)
	switch {
	case len(c.of) > 0 || c.bounded:
		usual, part = callBudget, callPart
	case c.way == alone:
		usual, part = aloneBudget, alonePart
	case c.root.Kind == position.Inner: // of core, too: other crates have the same function, and so the same proof
		usual, part = innerBudget, innerPart
	case u.core():
		usual, part = coreBudget, corePart
	}
	if j.Budget == 0 {
		return usual
	}
	return max(1, j.Budget/part)
}

// core reports whether u is a crate that is not of the tree.
func (u unit) core() bool { return u.crate != nil && path.IsAbs(u.crate.Source) }

// crateCode is what is known of the code of a crate that was asked for.
type crateCode struct {
	crate     string
	owners    []report.Owner   // functions that hold panic locations
	panics    []position.Panic // panic calls, those that no root reaches too
	elsewhere []position.Panic // those that were not asked for
}

// inner chooses the functions of u that hold a panic which its automatic roots left
// undecided, proved up to a bound, or do not reach, after it has noted every owner and every panic call there is.
func (j *Job) inner(u unit, index cutCrate) []cut {
	code := crateCode{crate: u.source}
	for _, p := range index.panics {
		if u.covers(p.At.File) {
			code.panics = append(code.panics, p)
		} else {
			code.elsewhere = append(code.elsewhere, p)
		}
	}
	holding := u.holding(index.cuts)
	for _, c := range holding {
		code.owners = append(code.owners, report.Owner{Symbol: c.root.Symbol, Locs: c.root.Owns})
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.crates = append(j.crates, code)
	j.live.AddOwners(u.source, code.owners)
	j.live.AddPanics(u.source, code.panics)
	var out []cut
	for i, c := range holding {
		if c.bounded = j.live.Bounded(u.source, code.owners[i]); c.bounded || j.live.Open(u.source, code.owners[i]) {
			out = append(out, c)
		}
	}
	return out
}

// proveInner has what each of cuts itself holds proved: alone first, and if that leaves open what the crate's
// roots leave open too, with all that it calls. One that is a root anyway has been proved so, with more budget
// but for core's, and with assumptions about its callers that may be of no use here.
func (j *Job) proveInner(ctx context.Context, u unit, bc *Bitcode, cuts []cut) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range cuts {
		g.Go(func() error { return j.gather(ctx, c.root.Name, j.holder(ctx, u, bc, c)) })
	}
	return g.Wait()
}

func (j *Job) holder(ctx context.Context, u unit, bc *Bitcode, c cut) error {
	c.outer = c.root.Kind == position.Auto
	full := c
	full.way = held
	c.root.Kind, c.way, c.text = position.Inner, alone, c.alone
	err := j.prove(ctx, u, bc, c)
	if !u.twice(full) {
		return err
	}
	if err != nil {
		j.plan.skip(1)
		return err
	}
	full.root.Kind = position.Inner
	j.mu.Lock()
	open := j.live.Lacks(u.source, report.Owner{Symbol: c.root.Symbol, Locs: c.root.Owns})
	j.mu.Unlock()
	if !open {
		j.plan.skip(1)
		return nil
	}
	return j.prove(ctx, u, bc, full)
}
