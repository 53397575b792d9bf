// Package check turns a run of the executor into a verdict: sites decided,
// witnesses written down and replayed.
package check

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Prove executes a slice and decides its sites. An error is about the engine or
// the slice's form, never about what the slice does.
func Prove(s *ir.Slice, cfg exec.Config) (*verdict.Verdict, error) {
	r, err := deepened(s, cfg)
	if err != nil {
		return nil, err
	}
	return r.verdict, nil
}

// outcome is what one or more runs of a root came to.
type outcome struct {
	verdict *verdict.Verdict
	facts   verdict.Facts
}

// prove makes one run.
func prove(s *ir.Slice, cfg exec.Config) (*outcome, error) {
	p, err := interp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("prepare replays: %w", err)
	}
	steps := &allowance{left: replaysAll}
	zero := map[*exec.Witness][]string{}
	cfg.Confirm = func(site *exec.Site, w *exec.Witness) error {
		vs, vw := siteOf(site), witnessOf(w)
		o, err := reaches(p, &vs, &vw, steps)
		if err == nil {
			zero[w] = needed(p, &vs, &vw, o.Zero)
		}
		return err
	}
	cfg.Ends = func(w *exec.Witness) error { return ends(p, witnessOf(w).Inputs, steps) }
	r := exec.Run(s, cfg)
	v := &verdict.Verdict{Version: verdict.Version, Assumptions: r.Assumptions, Sites: []verdict.Site{}, Witnesses: []verdict.Witness{},
		Stats: verdict.Stats{Instructions: r.Stats.Instructions, Queries: r.Stats.Queries, Conflicts: r.Stats.Conflicts, PeakObjects: r.Stats.PeakObjects, Work: r.Stats.Work}}
	if len(cfg.Shard) > 0 {
		v.Shard = &verdict.Shard{Of: verdict.FormatShard(cfg.Shard), Ended: r.Ended, Idle: r.Idle, Stopped: len(r.Stopped) > 0, Bound: r.Bound, Seen: []int{}}
	}
	for _, site := range r.Sites {
		if site.Panic || site.Refuted != nil || site.Reason != "" {
			decide(v, site, zero[site.Refuted])
		}
	}
	if r.End != nil {
		v.End = witnessOf(r.End).Inputs
	}
	f := facts(r)
	v.Judge(f)
	if v.Verdict == verdict.Unknown && v.Reason == verdict.Budget {
		v.Frontier = r.Frontier
	}
	return &outcome{v, f}, nil
}

// facts is what beside its sites a root's word hangs on.
func facts(r *exec.Result) verdict.Facts {
	f := verdict.Facts{Bound: r.Bound, Ended: r.Ended, Idle: r.Idle}
	if len(r.Stopped) > 0 {
		at := verdict.Place(r.Stopped[0].Place)
		f.Stopped, f.Place = r.Stopped[0].Reason, &at
	}
	return f
}

// decide enters one site. zero are the functions that returned 0 in the run that refutes it.
func decide(v *verdict.Verdict, site *exec.Site, zero []string) {
	out := siteOf(site)
	switch {
	case site.Refuted != nil:
		out.Verdict, out.Witness = verdict.Refuted, len(v.Witnesses)
		w := witnessOf(site.Refuted)
		w.Site, w.Replayed, w.Zero = len(v.Sites), true, zero
		v.Witnesses = append(v.Witnesses, w)
	case site.Reason != "":
		out.Verdict, out.Reason = verdict.Unknown, site.Reason
	case site.Bound > 0:
		out.Verdict = verdict.ProvedTo
	default:
		out.Verdict = verdict.Proved
	}
	if v.Shard != nil && site.Seen {
		v.Shard.Seen = append(v.Shard.Seen, len(v.Sites))
	}
	v.Sites = append(v.Sites, out)
}

func siteOf(s *exec.Site) verdict.Site {
	return verdict.Site{Kind: string(s.Kind), Loc: s.Loc, Func: s.Place.Func, Inst: s.Place.Inst, Verdict: verdict.Unknown, Witness: -1}
}

func witnessOf(w *exec.Witness) verdict.Witness {
	out := verdict.Witness{Inputs: []verdict.Input{}, Stack: []verdict.Place{}}
	for _, in := range w.Inputs {
		out.Inputs = append(out.Inputs, verdict.Input{Name: in.Name, Bits: in.Bits, Value: in.Value.String()})
	}
	for _, p := range w.Stack {
		out.Stack = append(out.Stack, verdict.Place(p))
	}
	return out
}
