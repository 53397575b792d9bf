package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// With Config.Overlaps nothing is assumed of where inputs lie (common.go), so that
// what is proved holds for every caller. A run still has an object for each, but
//
//   - what is written to one of them may change the others to any content, and
//     variables; what leads to objects that no input can lead to is found first,
//     since another input may be where it was written;
//   - their addresses may be equal, or lie in one another;
//   - memory before an input is not known, and no undefined behaviour;
//   - addresses behind raw pointers are aligned only where something is accessed.

// shared is why content of an input is not known that another one may overlap.
const shared = "inputs may overlap"

// askew is why an address is not known to be aligned. A replay lays out what lies there, which is.
const askew = "a raw pointer may be misaligned"

// fitting is what is assumed of inputs that overlap. What an input holds that was not
// looked at yet, when another was written to, is taken for a value of its type still.
const fitting = "what is written to an input is, where another overlaps it, of that one's type"

// beforeInput is why what happens at addresses before an input is not known.
const beforeInput = "memory before an input"

// ahead says where a pointer lies before the place that its input came with, and a
// caller may have something there.
func (x *exec) ahead(a alt) expr.Expr {
	if !x.cfg.Overlaps || x.infos[a.obj].kind != objInput || !x.maybeBefore(a.off) {
		return expr.False
	}
	return x.b.Sign(a.off)
}

// split takes from an access the addresses before inputs, and says where it is at one.
func (x *exec) split(s *state, p []alt) (within []alt, before expr.Expr) {
	before = expr.False
	for _, a := range p {
		neg := x.ahead(a)
		if neg != expr.False {
			if r, _ := x.sat(s, x.b.And(a.guard, neg)); r == smt.Unsat {
				neg = expr.False
			}
		}
		if neg != expr.False {
			before = x.b.Or(before, x.b.And(a.guard, neg))
			a.guard = x.b.And(a.guard, x.b.Not(neg))
		}
		if a.guard != expr.False {
			within = append(within, a)
		}
	}
	return within, before
}

// beforeAccess is an access to memory before an input, where when holds.
func (x *exec) beforeAccess(s *state, when expr.Expr, write bool) alt {
	x.loosen(s, when, beforeInput)
	if write {
		x.havoc(s, when)
	}
	return alt{guard: when, obj: wildObject, off: x.outsider(64)} // where it is does not matter any more
}

// overwrites notes a write to objects that others may overlap. What it does to them is done
// when the instruction is: all that it reads, it reads before.
func (x *exec) overwrites(live []alt) {
	for _, a := range live {
		if x.common(a.obj) || x.variable(a.obj) || x.infos[a.obj].sole && x.rawInputs {
			x.overwritten = append(x.overwritten, a)
		}
	}
}

// overlay does to inputs and variables what the last instruction may have done to
// them by writing to others.
func (x *exec) overlay(s *state) {
	if len(x.overwritten) == 0 {
		return
	}
	at := x.overwritten
	x.overwritten = nil
	x.expose(s, at)
	for id, o := range x.infos {
		if !x.common(id) && !x.variable(id) && !o.sole || !o.seen && s.object(id) == nil && o.base.kind != baseGlobal {
			continue
		}
		when := expr.False
		for _, a := range at {
			if x.meetOrShare(id, a.obj) {
				when = x.b.Or(when, a.guard)
			}
		}
		if when != expr.False {
			x.note(fitting)
			x.scramble(s, id, when, shared)
		}
	}
}

// meetOrShare reports whether what is written to one of two objects may be written to the other: two variables never overlap,
// nor does what Rust excludes.
func (x *exec) meetOrShare(v, w int) bool {
	if x.infos[v].sole || x.infos[w].sole {
		return x.lent(v, w)
	}
	return v != w && (x.common(v) || x.common(w))
}

// expose notes what can be found now through other inputs, since they may lie where
// was written: objects that the run made, and inputs that nobody else led to before.
func (x *exec) expose(s *state, at []alt) {
	c := x.newClosure(s)
	for _, a := range at {
		c.content(s, a.obj)
	}
	c.run()
	s.leaked = union(s.leaked, c.exposed())
	for id := range c.seen {
		x.infos[id].sole = false
	}
}
