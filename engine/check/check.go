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
	v, _, err := prove(s, cfg)
	return v, err
}

// prove returns the panic locations that the root holds too, if cfg is about those alone.
func prove(s *ir.Slice, cfg exec.Config) (*verdict.Verdict, []int, error) {
	p, err := interp.Compile(s)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare replays: %w", err)
	}
	steps := &allowance{left: replaysAll}
	cfg.Confirm = func(site *exec.Site, w *exec.Witness) error {
		vs, vw := siteOf(site), witnessOf(w)
		return reaches(p, &vs, &vw, steps)
	}
	cfg.Ends = func(w *exec.Witness) error { return ends(p, witnessOf(w).Inputs, steps) }
	r := exec.Run(s, cfg)
	v := &verdict.Verdict{Version: verdict.Version, Assumptions: r.Assumptions, Sites: []verdict.Site{}, Witnesses: []verdict.Witness{},
		Stats: verdict.Stats{Instructions: r.Stats.Instructions, Queries: r.Stats.Queries, Conflicts: r.Stats.Conflicts, PeakObjects: r.Stats.PeakObjects}}
	for _, site := range r.Sites {
		if site.Panic || site.Refuted != nil || site.Reason != "" {
			decide(v, site)
		}
	}
	if r.End != nil {
		v.End = witnessOf(r.End).Inputs
	}
	judge(v, r)
	return v, r.Held, nil
}

// decide enters one site.
func decide(v *verdict.Verdict, site *exec.Site) {
	out := siteOf(site)
	switch {
	case site.Refuted != nil:
		out.Verdict, out.Witness = verdict.Refuted, len(v.Witnesses)
		w := witnessOf(site.Refuted)
		w.Site, w.Replayed = len(v.Sites), true
		v.Witnesses = append(v.Witnesses, w)
	case site.Reason != "":
		out.Verdict, out.Reason = verdict.Unknown, site.Reason
	case site.Bound > 0:
		out.Verdict = verdict.ProvedTo
	default:
		out.Verdict = verdict.Proved
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

// judge gives the root its word: what was refuted stays so; then what is open;
// then a root whose end no run reaches, or none of its assertions; then what a bound leaves out.
func judge(v *verdict.Verdict, r *exec.Result) {
	refuted := false
	var open *verdict.Site
	for i := range v.Sites {
		switch site := &v.Sites[i]; site.Verdict {
		case verdict.Refuted:
			refuted = true
		case verdict.Unknown:
			if open == nil {
				open = site
			}
		}
	}
	v.Bound = r.Bound
	switch {
	case refuted:
		v.Verdict, v.Bound = verdict.Refuted, 0
	case len(r.Stopped) > 0:
		v.Verdict, v.Reason = verdict.Unknown, r.Stopped[0].Reason
		v.Place = &verdict.Place{Func: r.Stopped[0].Place.Func, Inst: r.Stopped[0].Place.Inst}
	case open != nil:
		v.Verdict, v.Reason = verdict.Unknown, open.Reason
		v.Place = &verdict.Place{Func: open.Func, Inst: open.Inst}
	case r.Ended && r.Idle && r.Bound == 0:
		v.Verdict = verdict.Vacuous
	case !r.Ended && r.Bound > 0:
		v.Verdict, v.Reason = verdict.Unknown, "no run reaches the end within the bound"
	case !r.Ended:
		v.Verdict = verdict.Vacuous
	case r.Bound > 0:
		v.Verdict = verdict.ProvedTo
	default:
		v.Verdict = verdict.Proved
	}
}
