package cut

import (
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
)

// Remains lists the panic calls of a module that LLVM has optimised, so that
// whatever is in no such list was removed. It lists too much rather than too
// little: a location that is anywhere but in a panic call, or in the call of an
// entry that others end in, stands for every kind of panic there and has none.
// Callees may have taken it over, calls may have been merged, entries inlined.
func (c *Cutter) Remains() []position.Panic {
	r := remains{c: c, found: map[position.Panic]bool{}}
	for _, g := range c.m.Globals {
		for i := range g.Relocs {
			r.holds(&g.Relocs[i].Target, "")
		}
	}
	for _, f := range c.m.Funcs {
		if !f.Defined {
			continue
		}
		live := reachable(f)
		for b, block := range f.Blocks {
			for i, in := range block.Insts {
				if live[b] >= 0 {
					r.inst(in, f.At[b][i])
				}
			}
		}
	}
	return sortedPanics(r.found)
}

type remains struct {
	c     *Cutter
	found map[position.Panic]bool
}

// inst notes the locations that in holds; if it is a panic call without one, its place.
func (r *remains) inst(in *ir.Inst, at int) {
	kind := ""
	if in.Op == ir.Call && in.Args[0].Kind == ir.FuncAddr {
		kind = r.c.panic[in.Args[0].Index]
	}
	entry := kind != ""
	if kind == "panic" || kind == "panic_fmt" {
		kind = ""
	}
	located := false
	for i := range in.Args {
		located = r.holds(&in.Args[i], kind) || located
	}
	if entry && !located {
		p := position.Panic{Kind: r.c.panic[in.Args[0].Index]}
		if at > 0 {
			pos := r.c.m.Positions[at-1]
			p.At = position.Pos{File: pos.File, Line: pos.Line, Col: pos.Col}
		}
		r.found[p] = true
	}
}

// holds notes the locations in v, and reports whether there is one.
func (r *remains) holds(v *ir.Value, kind string) bool {
	found := false
	if v.Kind == ir.GlobalAddr {
		if loc, ok := r.c.locs[v.Index]; ok {
			r.found[position.Panic{Kind: kind, At: loc, Located: true}] = true
			found = true
		}
	}
	for i := range v.Elems {
		found = r.holds(&v.Elems[i], kind) || found
	}
	return found
}
