package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// calls says who calls the functions of a walk.
type calls struct {
	by    map[string][]string // symbols of the functions that call one directly, in the order of the walk
	taken map[string]bool     // functions whose address is taken: others may call them
}

// calls finds them. Functions that the walk did not come to call none of it.
func (w *walk) calls() calls {
	c := calls{by: map[string][]string{}, taken: map[string]bool{}}
	for i, f := range w.slice.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Insts {
				c.inst(w, w.symbol(i), in)
			}
		}
	}
	for _, g := range w.slice.Globals {
		for i := range g.Relocs {
			c.take(w, &g.Relocs[i].Target)
		}
	}
	return c
}

func (w *walk) symbol(fn int) string { return w.c.m.Funcs[w.funcOf[fn]].Symbol }

// symbols lists the symbols of the functions of the walk by their numbers.
func (w *walk) symbols() []string {
	out := make([]string, len(w.slice.Funcs))
	for i := range out {
		out[i] = w.symbol(i)
	}
	return out
}

func (c *calls) inst(w *walk, caller string, in *ir.Inst) {
	args := in.Args
	if (in.Op == ir.Call || in.Op == ir.CallBr) && args[0].Kind == ir.FuncAddr {
		callee := w.symbol(args[0].Index)
		if !slices.Contains(c.by[callee], caller) {
			c.by[callee] = append(c.by[callee], caller)
		}
		args = args[1:]
	}
	for i := range args {
		c.take(w, &args[i])
	}
}

func (c *calls) take(w *walk, v *ir.Value) {
	if v.Kind == ir.FuncAddr {
		c.taken[w.symbol(v.Index)] = true
	}
	for i := range v.Elems {
		c.take(w, &v.Elems[i])
	}
}

// maxCallers bounds the callers of a function that are looked at one by one.
const maxCallers = 8

// Callers lists the functions that call the owner called symbol, itself left out: all
// there are, or none if there may be others, or too many.
func (o *Owners) Callers(c *Cutter, symbol string) []string {
	if o.calls.taken[symbol] || c.Called(symbol) != "" || slices.Contains(c.Roots(), symbol) {
		return nil
	}
	by := slices.DeleteFunc(slices.Clone(o.calls.by[symbol]), func(s string) bool { return s == symbol })
	if len(by) > maxCallers {
		return nil
	}
	return by
}
