package check

import (
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Replay runs the interpreter, which shares no code with the executor, on a
// witness. The error says why it does not reach the witness's site.
func Replay(s *ir.Slice, site *verdict.Site, w *verdict.Witness) error {
	p, err := interp.Compile(s)
	if err != nil {
		return err
	}
	return replay(p, site, w)
}

func replay(p *interp.Program, site *verdict.Site, w *verdict.Witness) error {
	in := make([]interp.Input, 0, len(w.Inputs))
	for _, i := range w.Inputs {
		v, ok := new(big.Int).SetString(i.Value, 10)
		if !ok {
			return fmt.Errorf("input %s: %q is no number", i.Name, i.Value)
		}
		in = append(in, interp.Input{Name: i.Name, Bits: i.Bits, Value: v})
	}
	o := p.Run(interp.Witness(in), interp.Limits{})
	if !Reached(&o, site) {
		return fmt.Errorf("replay ends with %v", &o)
	}
	return nil
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
