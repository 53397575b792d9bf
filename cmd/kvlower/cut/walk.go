package cut

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
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
	frames   map[place]int // 1 + index in Positions
}

// place is an instruction of the slice.
type place struct{ fn, inst int }

func newWalk(c *Cutter) *walk {
	return &walk{
		c: c, slice: &ir.Slice{}, keep: func(int) bool { return true },
		funcs: map[int]int{}, externs: map[string]int{}, externOf: map[int]int{}, globals: map[int]int{},
		tokens: map[Loc]int{}, frames: map[place]int{},
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
	f := w.c.m.Funcs[i]
	if w.c.isBody(i) {
		w.externOf[i] = len(w.slice.Externs)
		w.slice.Externs = append(w.slice.Externs, &ir.Extern{Omitted: true, Sig: f.Sig})
		return w.externOf[i]
	}
	e := &ir.Extern{Symbol: f.Symbol, Panic: w.c.panic[i], Sig: f.Sig}
	if e.Panic != "" {
		e.Symbol = withoutGenerics(f.Name)
		e.Sig.NoReturn = true
	} else if f.Name != f.Symbol {
		e.Symbol = f.Name
	}
	key := fmt.Sprintf("%q %s %v", e.Symbol, e.Panic, sigKey(&e.Sig))
	n, ok := w.externs[key]
	if !ok {
		n = len(w.slice.Externs)
		w.externs[key] = n
		w.slice.Externs = append(w.slice.Externs, e)
	}
	w.externOf[i] = n
	return n
}

// sigKey tells signatures apart: intrinsics of one name have several.
func sigKey(sig *ir.Sig) string {
	return fmt.Sprintf("%v %v %v", paramKeys(sig.Params), paramKeys([]ir.Param{sig.Ret}), sig.Variadic)
}

func paramKeys(params []ir.Param) []string {
	var out []string
	for _, p := range params {
		out = append(out, fmt.Sprint(p.Type, p.Attr))
	}
	return out
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
// registers renumbered.
func (w *walk) body(n int) {
	src := w.c.m.Funcs[w.funcOf[n]]
	f := w.slice.Funcs[n]
	b := &bodyWalk{walk: w, blocks: reachable(src), regs: map[int]int{}}
	for i, p := range src.Sig.Params {
		b.regs[i] = i
		f.Regs = append(f.Regs, p.Type)
	}
	b.number(f, src)
	inst := 0
	for i, block := range src.Blocks {
		if b.blocks[i] < 0 {
			continue
		}
		out := &ir.Block{}
		for j, in := range block.Insts {
			if at := src.At[i][j]; at > 0 && hasPlace(in.Op) {
				w.frames[place{n, inst}] = at
			}
			out.Insts = append(out.Insts, b.inst(in))
			inst++
		}
		f.Blocks = append(f.Blocks, out)
	}
	f.NumReg = len(f.Regs)
}

// hasPlace reports whether an instruction can violate a property, call, or end
// in UNKNOWN, so that a reader of the verdict asks for its place.
func hasPlace(op ir.Op) bool {
	switch op {
	case ir.Call, ir.CallBr, ir.Load, ir.Store, ir.CmpXchg, ir.AtomicRMW, ir.Unsupported, ir.Unreachable,
		ir.UDiv, ir.SDiv, ir.URem, ir.SRem, ir.GEP, ir.CondBr, ir.Switch:
		return true
	}
	return false
}

// reachable gives each block its number in the slice, -1 if nothing leads to it.
func reachable(f *module.Func) []int {
	num := make([]int, len(f.Blocks))
	for i := range num {
		num[i] = -1
	}
	num[0] = 0
	for todo := []int{0}; len(todo) > 0; {
		insts := f.Blocks[todo[0]].Insts
		todo = todo[1:]
		for _, t := range insts[len(insts)-1].Targets {
			if num[t] < 0 {
				num[t] = 0
				todo = append(todo, t)
			}
		}
	}
	n := 0
	for i := range num {
		if num[i] == 0 {
			num[i] = n
			n++
		}
	}
	return num
}

// bodyWalk renumbers one function.
type bodyWalk struct {
	*walk
	blocks []int
	regs   map[int]int
}

func (b *bodyWalk) number(f *ir.Func, src *module.Func) {
	for i, block := range src.Blocks {
		for _, in := range block.Insts {
			if b.blocks[i] >= 0 && in.Result >= 0 {
				b.regs[in.Result] = len(f.Regs)
				f.Regs = append(f.Regs, in.Type)
			}
		}
	}
}

func (b *bodyWalk) inst(in *ir.Inst) *ir.Inst {
	out := *in
	out.Args, out.Targets = nil, nil
	if in.Result >= 0 {
		out.Result = b.regs[in.Result]
	}
	for i, v := range in.Args {
		if in.Op == ir.Phi && b.blocks[in.Targets[i]] < 0 {
			continue
		}
		if v.Kind == ir.Reg {
			v.Index = b.regs[v.Index]
		}
		out.Args = append(out.Args, b.value(v))
	}
	for _, t := range in.Targets {
		if b.blocks[t] >= 0 {
			out.Targets = append(out.Targets, b.blocks[t])
		}
	}
	return &out
}
