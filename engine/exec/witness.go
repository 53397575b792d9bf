package exec

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// witness reads the inputs of a run out of a model: the dynamic ones that the
// run asks for, in order, then those of the root that matter.
func (x *exec) witness(s *state, m *expr.Evaluator, bad expr.Expr) *Witness {
	w := &Witness{Stack: s.stack()}
	n := 0
	for _, d := range x.dynamic {
		if !m.True(d.here) || !x.holds(m, d.pc) {
			continue
		}
		w.Inputs = append(w.Inputs, Input{fmt.Sprintf("%s#%d", d.name, n), x.b.Width(d.e), m.Value(d.e)})
		n++
	}
	for _, r := range x.rootInputs {
		w.Inputs = append(w.Inputs, Input{r.name, x.b.Width(r.e), m.Value(r.e)})
	}
	return x.readInputs(s, m, bad, w)
}

// readInputs adds the bytes of root inputs that the run's conditions look at.
func (x *exec) readInputs(s *state, m *expr.Evaluator, bad expr.Expr, w *Witness) *Witness {
	names := map[expr.Array]string{}
	for _, o := range x.infos {
		if o.base != nil && o.base.input != nil {
			names[o.base.input.array] = o.base.input.name
		}
	}
	if len(names) == 0 {
		return w
	}
	conds := append(append(x.axioms.lits(nil), s.pc.lits(nil)...), bad)
	seen := map[string]bool{}
	for _, r := range x.b.FreeReads(conds...) {
		name, ok := names[x.b.ArrayOf(r)]
		if !ok {
			continue
		}
		name = fmt.Sprintf("%s.data[%v]", name, m.Value(x.b.Arg(r, 0)))
		if !seen[name] {
			seen[name] = true
			w.Inputs = append(w.Inputs, Input{name, 8, m.Value(r)})
		}
	}
	return w
}
