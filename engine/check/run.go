package check

import (
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Run runs a slice once, on inputs that somebody else found, and says what that
// shows: REFUTED with the one site that fails, or UNKNOWN.
func Run(s *ir.Slice, inputs []verdict.Input) (*verdict.Verdict, error) {
	p, err := interp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("prepare run: %w", err)
	}
	in, err := interpInputs(inputs)
	if err != nil {
		return nil, err
	}
	o := p.Run(interp.Witness(in), interp.Limits{})
	v := &verdict.Verdict{Version: verdict.Version, Verdict: verdict.Unknown, Assumptions: []string{},
		Sites: []verdict.Site{}, Witnesses: []verdict.Witness{}, Stats: verdict.Stats{Instructions: o.Steps}}
	kind := failure(&o)
	if kind == "" {
		v.Reason = fmt.Sprintf("a run with these inputs ends with %v", &o)
		return v, nil
	}
	v.Verdict = verdict.Refuted
	v.Sites = append(v.Sites, verdict.Site{Kind: kind, Loc: o.Loc, Func: o.Func, Inst: o.Inst, Verdict: verdict.Refuted})
	w := verdict.Witness{Inputs: inputs, Stack: []verdict.Place{}, Replayed: true, Zero: o.Zero}
	for _, at := range o.Stack {
		w.Stack = append(w.Stack, verdict.Place(at))
	}
	v.Witnesses = append(v.Witnesses, w)
	return v, nil
}

// failure is the kind of the site at which a run failed, "" if it did not.
func failure(o *interp.Outcome) string {
	switch o.Kind {
	case interp.Panicked, interp.Undefined:
		return o.What
	case interp.AssertFailed:
		return string(exec.Assert)
	}
	return ""
}

func interpInputs(inputs []verdict.Input) ([]interp.Input, error) {
	in := make([]interp.Input, 0, len(inputs))
	for _, i := range inputs {
		v, ok := new(big.Int).SetString(i.Value, 10)
		if !ok {
			return nil, fmt.Errorf("input %s: %q is no number", i.Name, i.Value)
		}
		in = append(in, interp.Input{Name: i.Name, Bits: i.Bits, Value: v})
	}
	return in, nil
}
