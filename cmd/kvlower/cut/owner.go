package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// Owners are the functions that panic locations stand in. A panic at a location
// happens in a run of a function that holds it, or of what that function calls:
// if each of them, called with all that its types allow, cannot panic there,
// nothing can.
type Owners struct {
	Symbols []string // in the order in which the automatic roots reach them, then those that none reaches
	Panics  []position.Panic
	loose   map[Loc]bool
	calls   calls
}

// Owners finds the owners of all locations in the code of the last file, and the
// panic calls there: whatever no automatic root reaches is code all the same.
func (c *Cutter) Owners() *Owners {
	w := newWalk(c)
	for _, symbol := range c.roots {
		if !IsCheck(symbol) {
			w.function(c.bySym[symbol])
		}
	}
	w.run()
	reached := len(w.slice.Funcs)
	if !slices.ContainsFunc(c.roots, IsCheck) { // what only checks reach is theirs
		for i, f := range c.m.Funcs {
			if f.Own && c.isSource(i) {
				w.function(i)
			}
		}
		w.run()
	}
	o := &Owners{loose: map[Loc]bool{}, Panics: w.panics(reached), calls: w.calls()}
	for _, g := range w.slice.Globals {
		for i := range g.Relocs {
			o.lose(w, &g.Relocs[i].Target)
		}
	}
	for i, f := range w.slice.Funcs {
		o.function(w, f, w.c.m.Funcs[w.funcOf[i]])
	}
	return o
}

// function enters f, which is src in the module. What it does with a location
// other than hand it on makes the location nobody's. Whether its inputs cover what
// every caller may pass is a matter of the proof, which says what it assumed.
func (o *Owners) function(w *walk, f *ir.Func, src *module.Func) {
	held := tokens(w.slice, f)
	if len(held) == 0 {
		return
	}
	o.Symbols = append(o.Symbols, src.Symbol)
	for _, b := range f.Blocks {
		for _, in := range b.Insts {
			for i := range in.Args {
				if !handsOn(w.slice, in, i) {
					o.lose(w, &in.Args[i])
				}
			}
		}
	}
}

// handsOn reports whether operand i of in is an argument for a function of the
// slice or a panic entry.
func handsOn(s *ir.Slice, in *ir.Inst, i int) bool {
	if in.Op != ir.Call || i == 0 || in.Args[i].Kind != ir.GlobalAddr || in.Args[i].Off != 0 {
		return false
	}
	callee := &in.Args[0]
	return callee.Kind == ir.FuncAddr || callee.Kind == ir.ExternAddr && s.Externs[callee.Index].Panic != ""
}

// lose makes the locations in v nobody's.
func (o *Owners) lose(w *walk, v *ir.Value) {
	eachToken(w.slice, v, func(k int) { o.loose[w.locs[k]] = true })
}

// Owns lists the tokens that the root of s holds and that are somebody's, ascending.
func (o *Owners) Owns(s *ir.Slice, m *position.Map) []int {
	return slices.DeleteFunc(tokens(s, s.Funcs[0]), func(k int) bool { return o.loose[m.Locs[k]] })
}

// tokens lists the location tokens among the operands of f, ascending.
func tokens(s *ir.Slice, f *ir.Func) []int {
	var out []int
	for _, b := range f.Blocks {
		for _, in := range b.Insts {
			for i := range in.Args {
				eachToken(s, &in.Args[i], func(k int) { out = append(out, k) })
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func eachToken(s *ir.Slice, v *ir.Value, f func(k int)) {
	if v.Kind == ir.GlobalAddr && s.Globals[v.Index].Loc > 0 {
		f(s.Globals[v.Index].Loc - 1)
	}
	for i := range v.Elems {
		eachToken(s, &v.Elems[i], f)
	}
}
