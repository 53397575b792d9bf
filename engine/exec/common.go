package exec

import (
	"fmt"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Inputs behind raw pointers, and behind references that others may have too, are
// objects apart in a run. A caller may have them overlap, or may point into the
// middle of something. As long as a run does nothing by which that would show, its
// inputs stand for those of every caller: what lies behind two pointers is any
// content, so it is also the same. It shows where one of them is written to while
// there is another, where their addresses are compared, and where memory before
// such a pointer is asked for, which a run takes for undefined behaviour. Only
// then is it assumed of callers.

// presumed is what a run has assumed of inputs so far.
type presumed struct {
	raw, shared bool // there are such inputs
	written     bool // one was written to, or a variable was
	lent        bool // one behind an exclusive reference was, of which raw pointers may be made
	variables   bool // a variable was looked at
	shows       bool // it shows that they are apart
}

// common reports whether a caller may have other pointers that lead to an object.
func (x *exec) common(obj int) bool {
	o := x.infos[obj]
	return o.kind == objInput && !o.own && !o.sole
}

// lent reports whether one of two objects lies behind an exclusive reference that an input holds and the other
// behind a raw pointer: it may have been made of that reference.
func (x *exec) lent(v, w int) bool {
	o, p := x.infos[v], x.infos[w]
	return o.sole && p.raw || o.raw && p.sole
}

// raws reports whether the inputs hold raw pointers.
func (x *exec) raws() bool {
	in := x.slice.Inputs
	return in != nil && slices.ContainsFunc(in.Params, func(sh ir.Shape) bool { return holdsRaw(&sh) })
}

func holdsRaw(sh *ir.Shape) bool {
	any := func(fs []ir.Shape) bool {
		return slices.ContainsFunc(fs, func(f ir.Shape) bool { return holdsRaw(&f) })
	}
	return sh.Kind == ir.ShapeRawPtr || sh.Elem != nil && holdsRaw(sh.Elem) || any(sh.Fields) ||
		slices.ContainsFunc(sh.Variants, func(v ir.Variant) bool { return any(v.Fields) })
}

// variable reports whether an object is a variable of the slice, to which an input may point too.
func (x *exec) variable(obj int) bool {
	o := x.infos[obj]
	return o.kind == objGlobal && !o.fixed
}

// madeByRun reports whether no input can lead to an object, since it is younger than they are.
func (x *exec) madeByRun(obj int) bool {
	return x.infos[obj].kind == objStack || x.infos[obj].kind == objHeap
}

// touches notes an access to live objects.
func (x *exec) touches(s *state, live []alt, write bool) {
	p := &x.presumed
	if write {
		x.spoils(s, live)
	}
	if x.cfg.Overlaps && write {
		x.overwrites(live)
	}
	if x.cfg.Overlaps || p.shows {
		return
	}
	for _, a := range live {
		p.variables = p.variables || x.variable(a.obj)
		known := &p.written
		if x.infos[a.obj].sole {
			known = &p.lent
		} else if !x.common(a.obj) && !x.variable(a.obj) {
			continue
		}
		if write && !*known {
			r, _ := x.sat(s, a.guard)
			*known = r != smt.Unsat
		}
	}
}

// compares notes that the addresses of two objects are held against each other.
func (x *exec) compares(v, w int) {
	switch {
	case !x.overlapping(v, w):
	case x.cfg.Overlaps:
		x.infos[v].held, x.infos[w].held = true, true
	default:
		x.presumed.shows = true
	}
}

// overlapping reports whether a caller may have two objects overlap, or be empty at one place.
// References that nobody writes through may be equal, too, and may lead to what the
// slice defines itself.
func (x *exec) overlapping(v, w int) bool {
	if v == w || isNumber(v) || isNumber(w) || x.madeByRun(v) || x.madeByRun(w) || x.shared(x.infos[v]) || x.shared(x.infos[w]) {
		return false
	}
	return x.common(v) || x.common(w) || x.infos[v].frozen && x.infos[w].frozen || x.anywhere(v) || x.anywhere(w) || x.defines(v, w) || x.defines(w, v)
}

// defines reports whether an input may lead to g, since g is the slice's own: a constant if
// nobody writes through the input, a variable whoever does.
func (x *exec) defines(g, input int) bool {
	return x.infos[g].kind == objGlobal && x.infos[input].kind == objInput && (x.infos[input].frozen || x.variable(g))
}

// anywhere reports whether an input may be empty: then it may lie within another, whoever else has it.
func (x *exec) anywhere(obj int) bool {
	o := x.infos[obj]
	least, _ := x.bounds(o.size)
	return o.kind == objInput && least == 0
}

// moves notes that a pointer may have come to lie before the address that its input came with.
func (x *exec) moves(s *state, p []alt, flags ir.Flags) {
	if flags&ir.NUW != 0 {
		return
	}
	for _, a := range p {
		if before := x.ahead(a); before != expr.False {
			x.loosen(s, x.b.And(a.guard, before), beforeInput) // in a replay there is nothing
		}
		if x.presumed.shows || x.cfg.Overlaps || x.infos[a.obj].kind != objInput || !x.maybeBefore(a.off) {
			continue
		}
		r, _ := x.sat(s, x.b.And(a.guard, x.b.Sign(a.off)))
		x.presumed.shows = r != smt.Unsat
	}
}

// maybeBefore reports whether an offset may be negative, as far as is known without asking.
func (x *exec) maybeBefore(off expr.Expr) bool {
	_, hi := x.bounds(off)
	return hi >= 1<<63
}

// presumes adds to the verdict's assumptions what the run took of its inputs.
func (x *exec) presumes() {
	p := &x.presumed
	others, soles, raws := 0, 0, 0
	for id, o := range x.infos {
		switch {
		case o.sole:
			soles++
		case x.common(id):
			others++
			if o.raw {
				raws++
			}
		}
	}
	inputs := others
	if p.variables {
		others++
	}
	shows := p.shows || p.written && inputs > 0 && others > 1 || soles > 0 && raws > 0 && (p.written || p.lent)
	if p.raw && shows {
		x.note(fmt.Sprintf("%s of at most %d bytes", verdict.RawPointers, maxRoot))
	} else if p.raw {
		x.note(fmt.Sprintf("%s at most %d bytes", verdict.RawSizes, maxRoot))
	}
	if shows && (p.shared || !p.raw) {
		x.note(verdict.Apart)
	}
}
