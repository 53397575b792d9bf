// Package check turns a run of the executor into a verdict: sites decided,
// witnesses written down and replayed.
package check

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Replayer runs a slice on the inputs of a witness and reports whether it
// reaches the witness's site. An error says why it could not tell.
type Replayer func(s *ir.Slice, site *verdict.Site, w *verdict.Witness) (bool, error)

// Config says how to prove. The zero Config is usable, but without a Replayer
// nothing is refuted.
type Config struct {
	Exec   exec.Config
	Replay Replayer
}

// Prove executes a slice and decides its sites. An error is about the engine or
// the slice's form, never about what the slice does.
func Prove(s *ir.Slice, cfg Config) (*verdict.Verdict, error) {
	r, err := exec.Run(s, cfg.Exec)
	if err != nil {
		return nil, fmt.Errorf("execute slice: %w", err)
	}
	v := &verdict.Verdict{Version: verdict.Version, Assumptions: r.Assumptions, Sites: []verdict.Site{}, Witnesses: []verdict.Witness{},
		Stats: verdict.Stats{Instructions: r.Stats.Instructions, Queries: r.Stats.Queries, Conflicts: r.Stats.Conflicts, PeakObjects: r.Stats.PeakObjects}}
	if v.Assumptions == nil {
		v.Assumptions = []string{}
	}
	for _, site := range r.Sites {
		if site.Panic || site.Refuted != nil || site.Reason != "" {
			decide(v, s, site, cfg.Replay)
		}
	}
	judge(v, r, s)
	return v, nil
}

// decide enters one site.
func decide(v *verdict.Verdict, s *ir.Slice, site *exec.Site, replay Replayer) {
	out := verdict.Site{Kind: string(site.Kind), Loc: site.Loc, Func: site.Place.Func, Inst: site.Place.Inst, Witness: -1, Verdict: verdict.Proved}
	switch {
	case site.Refuted != nil:
		out.Verdict = verdict.Refuted
	case site.Reason != "":
		out.Verdict, out.Reason = verdict.Unknown, site.Reason
	case site.Bound > 0:
		out.Verdict = verdict.ProvedTo
	}
	v.Sites = append(v.Sites, out)
	if site.Refuted != nil {
		refute(v, s, site.Refuted, replay)
	}
}

// refute replays the witness of the last site; what does not replay is not refuted.
func refute(v *verdict.Verdict, s *ir.Slice, w *exec.Witness, replay Replayer) {
	site := &v.Sites[len(v.Sites)-1]
	out := verdict.Witness{Site: len(v.Sites) - 1, Inputs: []verdict.Input{}, Stack: []verdict.Place{}}
	for _, in := range w.Inputs {
		out.Inputs = append(out.Inputs, verdict.Input{Name: in.Name, Bits: in.Bits, Value: in.Value.String()})
	}
	for _, p := range w.Stack {
		out.Stack = append(out.Stack, verdict.Place(p))
	}
	site.Verdict, site.Reason = verdict.Unknown, "no replay"
	if replay != nil {
		ok, err := replay(s, site, &out)
		switch {
		case err != nil:
			site.Reason = "spurious: " + err.Error()
		case !ok:
			site.Reason = "spurious"
		default:
			site.Verdict, site.Reason, out.Replayed = verdict.Refuted, "", true
		}
	}
	site.Witness = len(v.Witnesses)
	v.Witnesses = append(v.Witnesses, out)
}

// judge gives the root its word: what was refuted stays so; then what is open;
// then a root whose end no run reaches; then what a bound leaves out.
func judge(v *verdict.Verdict, r *exec.Result, s *ir.Slice) {
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
