package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// calls says who calls the functions of a walk.
type calls struct {
	by    map[string][]string // symbols of the functions that call one directly, in the order of the walk
	taken map[string]bool     // functions whose address is taken: others may call them
	sizes map[string]int      // in instructions
}

// calls finds them. What the last file has that the walk did not come to, such as how it says that
// it panics, may call whatever it names.
func (w *walk) calls() calls {
	c := calls{by: map[string][]string{}, taken: map[string]bool{}, sizes: map[string]int{}}
	for i, f := range w.slice.Funcs {
		for _, b := range f.Blocks {
			c.sizes[w.symbol(i)] += len(b.Insts)
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
	c.beyond(w)
	return c
}

// beyond takes the functions that the rest of the module names.
func (c *calls) beyond(w *walk) {
	m := w.c.m
	for i, f := range m.Funcs {
		if _, walked := w.funcs[i]; walked || !f.Own {
			continue
		}
		for _, b := range f.Blocks {
			for _, in := range b.Insts {
				for j := range in.Args {
					c.name(m, &in.Args[j])
				}
			}
		}
	}
	for i, g := range m.Globals {
		if _, walked := w.globals[i]; walked {
			continue
		}
		for j := range g.Relocs {
			c.name(m, &g.Relocs[j].Target)
		}
	}
}

// name takes the functions in v, an operand as the module has it.
func (c *calls) name(m *module.Module, v *ir.Value) {
	if v.Kind == ir.FuncAddr {
		c.taken[m.Funcs[v.Index].Symbol] = true
	}
	for i := range v.Elems {
		c.name(m, &v.Elems[i])
	}
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

const (
	maxWays = 8 // calls of a function that are looked at one by one
	maxDeep = 4 // functions of a way, the root that it begins with included

	// wrapper is the number of instructions up to which a function says so little of its arguments
	// that its own callers are asked.
	wrapper = 60
)

// Ways lists the ways to call the owner called symbol: each begins with a root, and goes on
// with the small functions through which it calls the owner. They are all the ways that there are, or none if
// there may be others, or too many.
func (o *Owners) Ways(c *Cutter, symbol string) [][]string {
	if o.open(c, symbol) {
		return nil
	}
	var ways [][]string
	for _, caller := range o.calls.by[symbol] {
		if caller != symbol {
			ways = append(ways, []string{caller})
		}
	}
	for i := 0; i < len(ways) && len(ways) <= maxWays; {
		longer := o.extend(c, symbol, ways[i])
		if len(longer) == 0 || len(ways)-1+len(longer) > maxWays {
			i++
			continue
		}
		ways = slices.Replace(ways, i, i+1, longer...)
	}
	if len(ways) > maxWays {
		return nil
	}
	return ways
}

// open reports whether others than the functions that are known to call symbol may do so.
func (o *Owners) open(c *Cutter, symbol string) bool {
	return o.calls.taken[symbol] || c.Called(symbol) != "" || slices.Contains(c.roots, symbol)
}

// extend lists the ways that lead to owner through way, if what way begins with is small and
// all its callers are known; none if not, or if it goes in a circle.
func (o *Owners) extend(c *Cutter, owner string, way []string) [][]string {
	first := way[0]
	if len(way) >= maxDeep || o.open(c, first) || o.calls.sizes[first] > wrapper {
		return nil
	}
	var longer [][]string
	for _, caller := range o.calls.by[first] {
		if caller == owner || slices.Contains(way, caller) {
			return nil
		}
		longer = append(longer, slices.Concat([]string{caller}, way))
	}
	return longer
}
