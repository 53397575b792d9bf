package check

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// replay runs the interpreter, which shares no code with the executor, on a
// witness. The error says why it does not reach the witness's site.
func replay(p *interp.Program, site *verdict.Site, w *verdict.Witness) error {
	_, err := reaches(p, site, w, &allowance{left: math.MaxInt64})
	return err
}

// needed are those of the C functions that returned 0, for want of anything better, in a run that reaches a site, which have to: with
// the others returning something else it is reached too.
func needed(p *interp.Program, site *verdict.Site, w *verdict.Witness, zero []string) (out []string) {
	steps := &allowance{left: replaySteps}
	for _, symbol := range zero {
		steps.other = append(steps.other, symbol)
		if _, err := reaches(p, site, w, steps); err != nil {
			steps.other = steps.other[:len(steps.other)-1]
			out = append(out, symbol)
		}
	}
	return out
}

// reaches is replay within what is left of an allowance. It returns what the run was like.
func reaches(p *interp.Program, site *verdict.Site, w *verdict.Witness, a *allowance) (*interp.Outcome, error) {
	o, err := a.run(p, w.Inputs)
	switch {
	case err != nil || Reached(o, site):
		return o, err
	case o.Kind == interp.Unsupported || o.Kind == interp.OutOfSteps || o.Guessed:
		return nil, fmt.Errorf("%w: ends with %v", exec.ErrNoReplay, o)
	}
	return nil, fmt.Errorf("replay ends with %v", o)
}

// ends runs the interpreter on inputs. The error says why it does not return from the root.
func ends(p *interp.Program, inputs []verdict.Input, a *allowance) error {
	o, err := a.run(p, inputs)
	switch {
	case err != nil || o.Kind == interp.Returned:
		return err
	case o.Kind == interp.Unsupported || o.Kind == interp.OutOfSteps || o.Guessed:
		return fmt.Errorf("%w: ends with %v", exec.ErrNoReplay, o)
	}
	return fmt.Errorf("replay ends with %v", o)
}

// Steps of the interpreter that replays may take: each, and all of a root. A
// replay goes the way that the executor went; one that takes longer has lost it.
const (
	replaySteps = 10_000_000
	replaysAll  = 100_000_000
)

// allowance is what a root's replays may still take, in steps.
type allowance struct {
	left  int64
	other []string // C functions that return something else than 0: interp.Limits
}

func (a *allowance) run(p *interp.Program, inputs []verdict.Input) (*interp.Outcome, error) {
	in, err := interpInputs(inputs)
	if err != nil {
		return nil, err
	}
	if a.left <= 0 {
		return nil, fmt.Errorf("%w: the root's replays have taken %d steps", exec.ErrNoReplay, replaysAll)
	}
	o := p.Run(interp.Witness(in), interp.Limits{Steps: min(a.left, replaySteps), Other: a.other})
	a.left -= o.Steps
	return &o, nil
}

// Reached reports whether an outcome is the failure of a site.
func Reached(o *interp.Outcome, site *verdict.Site) bool {
	here := o.Place == interp.Place{Func: site.Func, Inst: site.Inst}
	switch o.Kind {
	case interp.Panicked:
		if site.Loc >= 0 {
			return o.What == site.Kind && o.Loc == site.Loc
		}
		return o.What == site.Kind && here
	case interp.AssertFailed:
		return site.Kind == string(exec.Assert) && here
	case interp.Undefined:
		return o.What == site.Kind && here
	}
	return false
}

// Result says of each witness of a verdict whether its replay reached its site.
type Result struct {
	Version   int        `json:"version"`
	Witnesses []Replayed `json:"witnesses"`
}

// Replayed is one replay.
type Replayed struct {
	Site    int    `json:"site"` // index in the verdict's sites
	Reached bool   `json:"reached"`
	Reason  string `json:"reason,omitempty"` // how the run ended instead
}

// ReplayAll replays every witness of a verdict.
func ReplayAll(s *ir.Slice, v *verdict.Verdict) (*Result, error) {
	p, err := interp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("prepare replays: %w", err)
	}
	r := &Result{Version: 1, Witnesses: []Replayed{}}
	for i := range v.Witnesses {
		w := &v.Witnesses[i]
		out := Replayed{Site: w.Site, Reached: true}
		if err := replay(p, &v.Sites[w.Site], w); err != nil {
			out.Reached, out.Reason = false, err.Error()
		}
		r.Witnesses = append(r.Witnesses, out)
	}
	return r, nil
}

// Encode writes r as JSON.
func (r *Result) Encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encode replays: %w", err)
	}
	return nil
}
