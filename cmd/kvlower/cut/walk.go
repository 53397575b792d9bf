package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// walk is one walk over the module from a root. Functions, externs and globals
// get their numbers when they are first seen.
type walk struct {
	c     *Cutter
	slice *ir.Slice
	keep  func(int) bool // whether a function that has a body has it in the slice

	funcs   map[int]int // by index in the module
	globals map[int]int
	// externs by content, since instances of one panic entry differ in name only,
	// and by index in the module.
	externs  map[string]int
	externOf map[int]int
	tokens   map[Loc]int // global of each panic location

	funcOf   []int // module index of each function of the slice
	globalOf []int
	bodies   int // functions that are filled in: what they name has its number in the slice
	contents int // globals, the same
	locs     []Loc
}

// place is an instruction of the slice.
type place struct{ fn, inst int }

func newWalk(c *Cutter) *walk {
	return &walk{
		c: c, slice: &ir.Slice{}, keep: func(int) bool { return true },
		funcs: map[int]int{}, externs: map[string]int{}, externOf: map[int]int{}, globals: map[int]int{},
		tokens: map[Loc]int{},
	}
}

// run fills in the functions and globals that have been numbered, which numbers
// more of them, until none is left. It may be called again when there are more.
func (w *walk) run() {
	for {
		switch {
		case w.bodies < len(w.slice.Funcs):
			w.body(w.bodies)
			w.bodies++
		case w.contents < len(w.slice.Globals):
			w.content(w.contents)
			w.contents++
		default:
			return
		}
	}
}

func (w *walk) function(i int) int {
	n, ok := w.funcs[i]
	if !ok {
		n = len(w.slice.Funcs)
		w.funcs[i] = n
		w.funcOf = append(w.funcOf, i)
		f := w.c.m.Funcs[i]
		w.slice.Funcs = append(w.slice.Funcs, &ir.Func{Name: f.Name, Sig: f.Sig})
	}
	return n
}

// extern numbers function i as one without a body. Instances of one panic entry
// are one extern. One whose body is left out has no name: nothing is said of it but its type.
func (w *walk) extern(i int) int {
	if n, ok := w.externOf[i]; ok {
		return n
	}
	if w.c.isBody(i) {
		w.externOf[i] = len(w.slice.Externs)
		w.slice.Externs = append(w.slice.Externs, &ir.Extern{Omitted: true, Sig: w.c.m.Funcs[i].Sig})
		return w.externOf[i]
	}
	e := w.c.extern(i)
	n, ok := w.externs[e.key]
	if !ok {
		n = len(w.slice.Externs)
		w.externs[e.key] = n
		w.slice.Externs = append(w.slice.Externs, e.Extern)
	}
	w.externOf[i] = n
	return n
}

func (w *walk) global(i int) int {
	if loc, ok := w.c.locs[i]; ok {
		return w.token(loc)
	}
	n, ok := w.globals[i]
	if !ok {
		n = w.newGlobal(i)
		w.globals[i] = n
		g := w.c.m.Globals[i].Global
		w.slice.Globals[n] = &g
	}
	return n
}

func (w *walk) newGlobal(i int) int {
	w.globalOf = append(w.globalOf, i)
	w.slice.Globals = append(w.slice.Globals, nil)
	return len(w.slice.Globals) - 1
}

// token is the global that stands for a panic location. Locations with equal
// content are one token, wherever they come from.
func (w *walk) token(loc Loc) int {
	n, ok := w.tokens[loc]
	if !ok {
		n = w.newGlobal(-1)
		w.tokens[loc] = n
		w.locs = append(w.locs, loc)
		w.slice.Globals[n] = &ir.Global{Size: ir.LocSize, Align: 8, Const: true, Loc: len(w.locs)}
	}
	return n
}

// content renumbers the addresses that global n holds.
func (w *walk) content(n int) {
	g := w.slice.Globals[n]
	relocs := make([]ir.Reloc, len(g.Relocs))
	for i, r := range g.Relocs {
		relocs[i] = ir.Reloc{Offset: r.Offset, Target: w.value(r.Target)}
	}
	g.Relocs = relocs
}

// value is v with the numbers of the slice.
func (w *walk) value(v ir.Value) ir.Value {
	switch v.Kind {
	case ir.FuncAddr:
		if w.c.isBody(v.Index) && w.keep(v.Index) {
			v.Index = w.function(v.Index)
		} else {
			v.Kind, v.Index = ir.ExternAddr, w.extern(v.Index)
		}
	case ir.GlobalAddr:
		v.Index = w.global(v.Index)
	case ir.AsmRef: // all else means the same on every architecture
		w.slice.Arch = w.c.arch
	}
	if len(v.Elems) > 0 {
		elems := make([]ir.Value, len(v.Elems))
		for i, e := range v.Elems {
			elems[i] = w.value(e)
		}
		v.Elems = elems
	}
	return v
}

// body fills function n of the slice: reachable blocks in their order,
// registers renumbered. What names nothing of the slice is shared with others.
func (w *walk) body(n int) {
	b := w.c.body(w.funcOf[n])
	f := w.slice.Funcs[n]
	f.Regs, f.NumReg = b.regs, len(b.regs)
	f.Blocks = make([]*ir.Block, len(b.blocks))
	for i := range b.blocks {
		f.Blocks[i] = w.block(&b.blocks[i])
	}
}

func (w *walk) block(b *block) *ir.Block {
	if len(b.names) == 0 {
		return b.Block
	}
	out := &ir.Block{Insts: slices.Clone(b.Insts)}
	for _, i := range b.names {
		in := *out.Insts[i]
		in.Args = slices.Clone(in.Args)
		for k := range in.Args {
			in.Args[k] = w.value(in.Args[k])
		}
		out.Insts[i] = &in
	}
	return out
}
