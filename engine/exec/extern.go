package exec

import (
	"sort"
	"strings"

	"github.com/kvfarm/kvfarm/engine/contract"
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// model executes a function without a body. It returns the result, nil for none.
type model func(x *exec, c *callee) (*value, error)

// callee is one call of a function without a body.
type callee struct {
	s    *state
	in   *ir.Inst
	name string
	args []*value
}

// external executes a call of a function without a body: a panic ends the
// path, a model gives the result, and without a model nothing after is known.
func (x *exec) external(s *state, in *ir.Inst, e *ir.Extern, args []*value) (bool, error) {
	if e.Panic != "" {
		x.panics(s, in, e)
		return false, errOver
	}
	m := lookup(e.Symbol)
	if in.CallSig != nil {
		for i := range args {
			if i >= len(in.CallSig.Params) {
				break
			}
			v, err := x.attributes(s, args[i], &in.CallSig.Params[i].Attr, in.CallSig.Params[i].Type)
			if err != nil {
				return false, err
			}
			args[i] = v
		}
	}
	if m == nil {
		more, err := x.unknownCall(s, in, "stub: "+e.Symbol, args, nil)
		if err == nil && e.Sig.NoReturn {
			return false, errOver
		}
		if more && in.Result >= 0 && !strings.Contains(e.Symbol, "::") { // else a Rust function that was not linked
			x.returnedByC(s.top.regs[in.Result])
		}
		return more, err
	}
	v, err := m(x, &callee{s: s, in: in, name: e.Symbol, args: args})
	if err != nil {
		return false, err
	}
	x.overlay(s)
	x.respoil(s)
	if err := x.deliver(s, in, v); err != nil {
		return false, err
	}
	return true, nil
}

// panics refutes the site of a panic call, if some input comes here.
func (x *exec) panics(s *state, in *ir.Inst, e *ir.Extern) {
	k, loc, ok := x.panicCall(in)
	if !ok { // through a pointer: a site of its own
		k, loc = Kind(e.Panic), -1
	}
	st := x.site(k, loc, s.top.place())
	st.handed = st.handed || !ok
	x.fails(s, expr.True, st)
}

// lookup finds the model of a function, by its symbol or the symbol's beginning up to a dot.
func lookup(symbol string) model {
	if m, ok := models[symbol]; ok {
		return m
	}
	for n := symbol; strings.HasPrefix(n, "llvm."); {
		i := strings.LastIndexByte(n, '.')
		if i < 0 {
			return nil
		}
		n = n[:i]
		if m, ok := models[n]; ok {
			return m
		}
	}
	if k, ok := contractOf(symbol); ok {
		return contracted(k)
	}
	return nil
}

// callsBack says what of the slice a function without a body calls, and whether it has a model.
func callsBack(symbol string) (callees []int, ok bool) {
	switch {
	case formatters[symbol] > 0:
		return []int{anyFormatter}, true
	case lookup(symbol) == nil:
		return nil, false
	}
	if k, ok := contractOf(symbol); ok && models[symbol] == nil && k.Effect == contract.Calls {
		return []int{anyTaken}, true
	}
	return nil, true
}

// note records an assumption of the verdict.
func (x *exec) note(s string) { x.assumptions[s] = true }

func (x *exec) sortedAssumptions() []string {
	x.presumes()
	out := make([]string, 0, len(x.assumptions))
	for a := range x.assumptions {
		out = append(out, a)
	}
	if len(x.contracts) > 0 {
		out = append(out, x.contractsNote())
	}
	sort.Strings(out)
	return out
}
