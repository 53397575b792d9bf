package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
)

const (
	sliceFile = "slice.kvs"

	// Whatever leads to further actions goes before proofs: the longest way
	// through a submit is from the first crate to the last driver's proofs.
	provePriority = 1
)

// way is what of a root's slice is decided.
type way string

const (
	whole way = ""        // every check in it
	held  way = "--held"  // what every caller of the root can rely on
	alone way = "--alone" // the same of the panics that the root itself holds, whatever it calls
)

// flags say what of c is decided.
func (c cut) flags() []string {
	var out []string
	if c.way != whole {
		out = append(out, string(c.way))
	}
	if len(c.of) > 0 {
		of := make([]string, len(c.of))
		for i, fn := range c.of {
			of[i] = strconv.Itoa(fn)
		}
		out = append(out, "--of", strings.Join(of, ","))
	}
	return out
}

// ProveAction is the action whose digest is a proof's key: the engine, the
// slice, what of it is decided (which shard, for one), the budget, and nothing else.
func ProveAction(engine Tool, slice tree.Entry, what []string, budget int64, name string) *kbuild.Action {
	argv := append([]string{"./kvengine", "prove"}, what...)
	if budget > 0 {
		argv = append(argv, "--budget", strconv.FormatInt(budget, 10))
	}
	return &kbuild.Action{
		Kind: "prove", Name: name,
		Argv:     append(argv, "--out", verdict.FileName, sliceFile),
		Inputs:   tree.Files{"kvengine": engine.Entry, sliceFile: slice},
		Outputs:  []string{verdict.FileName},
		Content:  engine.Content,
		Priority: provePriority,
	}
}

// prove has one slice proved, or fuzzed, and its witnesses replayed.
func (j *Job) prove(ctx context.Context, u unit, bc *Bitcode, c cut) error {
	if j.Fuzz != nil {
		return j.fuzz(ctx, u, bc, c)
	}
	a := ProveAction(j.Engine, c.slice, c.flags(), j.budget(u, c), c.root.Name)
	symbol := c.root.Symbol
	if c.root.Kind == position.Inner { // beside a proof of the whole
		symbol += string(c.way)
	}
	a.Priority = priority(j.Costs.expect(u.source, symbol, c.slice.Digest.Size))
	r, err := j.runner.Run(ctx, a)
	if err != nil {
		return err
	}
	j.Costs.note(u.source, symbol, cmp.Or(r.CPU, r.Wall))
	v, err := j.verdict(ctx, r)
	if err != nil {
		return err
	}
	v, shards, cached, err := j.divide(ctx, u, c, a, r, v)
	if err != nil {
		return err
	}
	p, err := j.proof(ctx, u, c, r, v)
	if err != nil {
		return err
	}
	p.Shards, p.Cached = shards, cached
	if err := j.replay(ctx, p, bc); err != nil {
		return err
	}
	j.done(p)
	return nil
}

// proof is what action r came to on c.
func (j *Job) proof(ctx context.Context, u unit, c cut, r *kbuild.Result, v *verdict.Verdict) (*report.Proof, error) {
	m, err := j.positions(ctx, c)
	if err != nil {
		return nil, err
	}
	p := &report.Proof{
		Root: c.root, Crate: u.source, Slice: c.slice.Digest, Action: r.Action, Cached: r.Cached,
		Budget: j.budget(u, c), Verdict: v, Positions: m, LoweredBy: c.by, At: c.at.Digest, States: u.states(c.root.Name), Promoted: c.up, Whole: c.way != alone, Outer: c.outer,
		Witness: make([]string, len(v.Witnesses)), Replay: make([]string, len(v.Witnesses)),
	}
	for i := range v.Witnesses {
		p.Witness[i] = WitnessName(p, i)
	}
	return p, nil
}

func (j *Job) verdict(ctx context.Context, r *kbuild.Result) (*verdict.Verdict, error) {
	if r.ExitCode != 0 {
		return nil, fmt.Errorf("prove: exit %d: %s", r.ExitCode, lastLines(r.Stderr))
	}
	b, err := j.file(ctx, r.Outputs, verdict.FileName)
	if err != nil {
		return nil, fmt.Errorf("prove: action %v: %w", r.Action, err)
	}
	v, err := verdict.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("prove: action %v: %w", r.Action, err)
	}
	return v, nil
}

func (j *Job) positions(ctx context.Context, c cut) (*position.Map, error) {
	b, err := j.blob(ctx, c.at.Digest, maxIndex)
	if err != nil {
		return nil, fmt.Errorf("positions of %s: %w", c.root.Name, err)
	}
	return position.Decode(b)
}

// done notes a proof and tells of the failures that it is the first to show.
func (j *Job) done(p *report.Proof) {
	j.mu.Lock()
	j.proofs = append(j.proofs, p)
	fresh := j.live.AddProof(p)
	j.mu.Unlock()
	for _, s := range fresh {
		j.events.Emit(event.Event{Kind: event.Failed, Site: s})
	}
}

// Fill adds all proofs to b in an order of their own, so that a report does
// not depend on which proof ended first.
func (j *Job) Fill(b *report.Builder) {
	proofs := slices.Clone(j.proofs)
	slices.SortStableFunc(proofs, compareProofs)
	for _, p := range proofs {
		b.AddProof(p)
	}
	for _, c := range j.crates {
		b.AddOwners(c.crate, c.owners)
		b.AddPanics(c.crate, c.panics)
		b.AddElsewhere(c.crate, c.elsewhere)
	}
	for _, c := range j.called {
		b.AddContext(c)
	}
	failures := slices.Clone(j.failures)
	slices.SortStableFunc(failures, compareProofs)
	for _, p := range failures {
		b.AddFailures(p)
	}
	if len(j.opt.claimed) > 0 && j.opt.done == len(j.opt.claimed) {
		b.AddRemains(j.opt.remains)
	}
	for _, err := range j.errs {
		b.AddError(err)
	}
	b.AddLacks(j.lacks)
}
