package job

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/report"
)

// contextKind is the kind of actions that prove a function's panics in the calls
// that another one makes. What they are is known when its own proof has failed only.
const contextKind = "context"

// unitCuts is a crate with what was cut out of it.
type unitCuts struct {
	unit
	cutCrate
}

// inContext looks at functions that hold open checks which they cannot prove by
// themselves, where it is known who calls them: at each call the caller says more of
// the arguments than their types do. Whether that is of use hangs on what all crates say of a
// check, so all of it is there first: what is asked for may not hang on who was faster.
func (j *Job) inContext(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range j.cut {
		g.Go(func() error { return j.crateInContext(ctx, c.unit, c.cutCrate) })
	}
	return g.Wait()
}

func (j *Job) crateInContext(ctx context.Context, u unit, index cutCrate) error {
	callers := map[string][]cut{} // by symbol of the function that is called
	for _, c := range index.cuts {
		for i, callee := range c.root.Calls {
			k := c
			k.outer = c.root.Kind == position.Auto
			k.root.Kind, k.way, k.of, k.text = position.Inner, alone, append([]int{callee.Func}, callee.Through...), c.calls[i]
			callers[callee.Symbol] = append(callers[callee.Symbol], k)
		}
	}
	j.mu.Lock()
	open := j.live.Unsettled(u.source, func(symbol string) bool { return len(callers[symbol]) > 0 })
	j.mu.Unlock()
	needed := 0
	for _, symbol := range open {
		needed += len(callers[symbol])
	}
	j.plan.skip(u.calls(index.cuts) - needed)
	g, ctx := errgroup.WithContext(ctx)
	for _, symbol := range open {
		g.Go(func() error {
			return j.gather(ctx, u.name, j.calls(ctx, u, report.Context{Crate: u.source, Symbol: symbol}, callers[symbol]))
		})
	}
	return g.Wait()
}

// failing keeps the proof of a function that others than its crate may call, for what it shows to fail.
func (j *Job) failing(p *report.Proof) {
	if !p.Outer || len(p.Verdict.Witnesses) == 0 {
		return
	}
	for i := range p.Replay {
		p.Replay[i] = byInterpreter
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures = append(j.failures, p)
}

// calls has the calls of c's function proved one after the other, until one leaves all open.
func (j *Job) calls(ctx context.Context, u unit, c report.Context, callers []cut) error {
	for i, k := range callers {
		a := ProveAction(j.Engine, k.slice, k.flags(), j.budget(u, k), k.root.Name)
		a.Kind = contextKind
		r, err := j.runner.Run(ctx, a)
		if err != nil {
			return err
		}
		v, err := j.verdict(ctx, r)
		if err != nil {
			return err
		}
		p, err := j.proof(ctx, u, k, r, v)
		if err != nil {
			return err
		}
		c.Calls = append(c.Calls, p)
		j.failing(p)
		if c.Partial = !p.Decides(); c.Partial {
			j.plan.skip(len(callers) - i - 1)
			break
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.called = append(j.called, c)
	return nil
}
