package exec

import (
	"fmt"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// A panic call that is handed its location, by a caller (track_caller) or as a choice
// between two, is a site of its own, which stands for every location that may come to
// it. What is said of such a location where it is an operand of a panic call holds
// only if no panic call of that kind fails that is handed one.

// isHanded reports whether a panic call takes what may be a location out of a register.
func isHanded(in *ir.Inst) bool {
	for i := range in.Args[1:] {
		if a := &in.Args[1+i]; a.Kind == ir.Reg && a.Type.Kind == ir.Ptr {
			return true
		}
	}
	return false
}

// eachLocation calls f for each panic location in v.
func eachLocation(s *ir.Slice, v *ir.Value, f func(loc int)) {
	if v.Kind == ir.GlobalAddr && s.Globals[v.Index].Loc > 0 {
		f(s.Globals[v.Index].Loc - 1)
	}
	for i := range v.Elems {
		eachLocation(s, &v.Elems[i], f)
	}
}

// handedOn finds the panic locations that are more than operands of panic calls.
func (x *exec) handedOn() map[int]bool {
	found := map[int]bool{}
	for _, fn := range x.slice.Funcs {
		for _, b := range fn.Blocks {
			for _, in := range b.Insts {
				_, own, ok := x.panicCall(in)
				for i := range in.Args {
					eachLocation(x.slice, &in.Args[i], func(loc int) { found[loc] = found[loc] || !ok || loc != own })
				}
			}
		}
	}
	for _, g := range x.slice.Globals {
		for i := range g.Relocs {
			eachLocation(x.slice, &g.Relocs[i].Target, func(loc int) { found[loc] = true })
		}
	}
	return found
}

// shareFates lets the sites of locations that are handed on share what became of the panic calls that
// they may be handed to. Those in functions that the slice leaves out are not known: they may fail.
func (x *exec) shareFates() {
	var on map[int]bool
	if slices.ContainsFunc(x.slice.Externs, func(e *ir.Extern) bool { return e.Omitted }) { // in vain, if none of them is called
		on = x.handedOn()
		for _, o := range x.siteList {
			if on[o.Loc] {
				o.give("a function that the slice leaves out may panic at this location")
			}
		}
	}
	for _, st := range x.siteList {
		if !st.handed || st.Refuted == nil && st.Reason == "" && st.Bound == 0 {
			continue
		}
		if on == nil {
			on = x.handedOn()
		}
		for _, o := range x.siteList {
			switch {
			case o.Loc < 0 || o.Kind != st.Kind || !on[o.Loc]:
			case st.Refuted != nil || st.Reason != "":
				o.give(fmt.Sprintf("the panic at %d:%d may be told of at this location", st.Place.Func, st.Place.Inst))
			default:
				o.limit(st.Bound)
			}
		}
	}
}
