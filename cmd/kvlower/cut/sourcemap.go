package cut

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

func (w *walk) mapping() *position.Map {
	m := &position.Map{Version: position.Version, Root: w.slice.Funcs[0].Name, Locs: w.locs, Sites: sites(w.slice)}
	if m.Locs == nil {
		m.Locs = []Loc{}
	}
	for _, f := range w.slice.Funcs {
		m.Funcs = append(m.Funcs, position.Func{Name: f.Name})
	}
	m.Params = paramNames(w.c.m.Funcs[w.funcOf[0]].ParamNames)
	if w.slice.Inputs != nil {
		m.Fields = fields(w.slice.Inputs, m.Params)
		lengths(w.slice.Inputs, m.Params)
		for i, s := range w.slice.Inputs.Params {
			if s.Signed {
				m.Signed = append(m.Signed, i)
			}
			if holdsPrivate(&s) {
				m.Private = append(m.Private, i)
			}
		}
	}
	m.Insts = w.frames()
	return m
}

// frames says where the instructions of the slice stand.
func (w *walk) frames() position.Frames {
	out := position.NewFramesWriter()
	places := map[int]int{}
	var place func(at int) int
	place = func(at int) int {
		n, ok := places[at]
		if !ok && at > 0 {
			p := w.c.m.Positions[at-1]
			n = out.Place(position.Pos{File: p.File, Line: p.Line, Col: p.Col, Func: p.Func}, place(p.Parent))
			places[at] = n
		}
		return n
	}
	for fn, i := range w.funcOf {
		for _, in := range w.c.body(i).at {
			out.Add(fn, in.inst, place(in.at))
		}
	}
	return out.Frames()
}

// placeOf is where an instruction stands, innermost frame first; nil if nobody knows.
func (w *walk) placeOf(fn, inst int) []position.Pos {
	at := w.c.body(w.funcOf[fn]).at
	i, ok := slices.BinarySearchFunc(at, inst, func(in instAt, inst int) int { return cmp.Compare(in.inst, inst) })
	if !ok {
		return nil
	}
	return w.chain(at[i].at)
}

// holdsPrivate reports whether s is a private field of a type, or holds one. What lies behind its
// pointers is another matter.
func holdsPrivate(s *ir.Shape) bool {
	if s.Private {
		return true
	}
	for i := range s.Fields {
		if holdsPrivate(&s.Fields[i]) {
			return true
		}
	}
	for i := range s.Variants {
		if holdsPrivate(&ir.Shape{Fields: s.Variants[i].Fields}) {
			return true
		}
	}
	return s.Kind == ir.ShapeArray && s.Elem != nil && holdsPrivate(s.Elem)
}

// paramNames turns the halves x.0 and x.1 of a pair into x and x.1.
func paramNames(names []string) []string {
	out := []string{}
	for _, name := range names {
		out = append(out, strings.TrimSuffix(name, ".0"))
	}
	return out
}

// lengths calls the half of a slice that is its length so.
func lengths(spec *ir.RootSpec, params []string) {
	for i, s := range spec.Params {
		if s.Kind == ir.ShapeSliceLen && i > 0 && i < len(params) && params[i-1] != "" {
			params[i] = params[i-1] + ".len()"
		}
	}
}

func (w *walk) chain(at int) []position.Pos {
	var out []position.Pos
	for at > 0 {
		p := w.c.m.Positions[at-1]
		out = append(out, position.Pos{File: p.File, Line: p.Line, Col: p.Col, Func: p.Func})
		at = p.Parent
	}
	return out
}

// sites lists the calls of panic entries in s. A call that forwards the
// location of its function's callers is one site for each location that
// reaches it.
func sites(s *ir.Slice) []position.Site {
	callers := callersOf(s)
	out := []position.Site{}
	for fn, f := range s.Funcs {
		inst := -1
		for _, b := range f.Blocks {
			for _, in := range b.Insts {
				inst++
				if in.Op != ir.Call || in.Args[0].Kind != ir.ExternAddr || s.Externs[in.Args[0].Index].Panic == "" {
					continue
				}
				kind := s.Externs[in.Args[0].Index].Panic
				locs, more := callers.locs(s, fn, in)
				for _, loc := range locs {
					out = append(out, position.Site{Func: fn, Inst: inst, Kind: kind, Loc: loc, More: more})
				}
			}
		}
	}
	return out
}

// callers holds the direct calls of each function, and which functions may be called otherwise.
type callers struct {
	of    [][]call
	taken []bool
}

type call struct {
	from int
	in   *ir.Inst
}

func callersOf(s *ir.Slice) callers {
	out := callers{make([][]call, len(s.Funcs)), make([]bool, len(s.Funcs))}
	for fn, f := range s.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Insts {
				args := in.Args
				if in.Op == ir.Call && args[0].Kind == ir.FuncAddr {
					out.of[args[0].Index] = append(out.of[args[0].Index], call{fn, in})
					args = args[1:]
				}
				for i := range args {
					out.take(&args[i])
				}
			}
		}
	}
	for _, g := range s.Globals {
		for i := range g.Relocs {
			out.take(&g.Relocs[i].Target)
		}
	}
	return out
}

// take notes the functions whose address is in v.
func (c callers) take(v *ir.Value) {
	if v.Kind == ir.FuncAddr && v.Index < len(c.taken) {
		c.taken[v.Index] = true
	}
	for i := range v.Elems {
		c.take(&v.Elems[i])
	}
}

// locs returns the location tokens that the last argument of a panic call in
// function fn may be, in ascending order of discovery, -1 alone if none is known,
// and whether it may be another one.
func (c callers) locs(s *ir.Slice, fn int, in *ir.Inst) (out []int, more bool) {
	type param struct{ fn, reg int }
	have := map[int]bool{}
	seen := map[param]bool{}
	var follow func(fn int, v *ir.Value)
	follow = func(fn int, v *ir.Value) {
		if v.Kind == ir.GlobalAddr && s.Globals[v.Index].Loc > 0 {
			if loc := s.Globals[v.Index].Loc - 1; !have[loc] {
				have[loc] = true
				out = append(out, loc)
			}
			return
		}
		p := param{fn, v.Index}
		if v.Kind != ir.Reg || v.Index >= len(s.Funcs[fn].Sig.Params) {
			more = true
			return
		}
		if seen[p] {
			return
		}
		seen[p] = true
		more = more || fn == 0 || c.taken[fn]
		for _, caller := range c.of[fn] {
			if 1+v.Index < len(caller.in.Args) {
				follow(caller.from, &caller.in.Args[1+v.Index])
			}
		}
	}
	follow(fn, &in.Args[len(in.Args)-1])
	if len(out) == 0 {
		return []int{-1}, true
	}
	return out, more
}
