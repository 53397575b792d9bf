package cut

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// looks finds out at which bytes of its inputs a slice may look: it follows the pointers of
// the inputs through all registers, and through memory that the slice allocates on its stack, without
// regard to what comes first. All memory else is one place: what is put there may be found wherever that is
// looked at. What code gets that cannot be followed is looked at as a whole.
type looks struct {
	s           *ir.Slice
	overlapping bool // inputs may overlap

	places  []*region
	outside *region           // all memory that is none of places
	inputs  map[*ir.Shape]int // place of what lies behind pointers to this element
	stack   map[place]int     // place of each alloca
	regs    [][]held
	rets    []held
	callers []map[int]bool // by function: those that called it so far
	todo    []bool         // functions to be followed again
	now     int            // the function that is followed
}

// region is memory that is followed: what lies behind a pointer of the inputs, or a stack variable.
type region struct {
	shape  *ir.Shape // nil: a stack variable
	stored []stored  // in order of their offsets
	seen   spans     // of an input: where it is looked at
	sized  bool      // how large it is may matter
	all    bool      // it and what it leads to may be looked at
	leaked bool      // others may write to it
	users  []int     // functions that look there or write there
}

// stored is what lies at an offset.
type stored struct {
	off int64
	held
}

// find finds them; s and overlapping are set.
func (l *looks) find() {
	s, n := l.s, len(l.s.Funcs)
	l.inputs, l.stack, l.outside = map[*ir.Shape]int{}, map[place]int{}, &region{leaked: true}
	l.regs, l.rets, l.callers, l.todo = make([][]held, n), make([]held, n), make([]map[int]bool, n), make([]bool, n)
	l.reach(0)
	for i := range s.Inputs.Params {
		if s.Funcs[0].Sig.Params[i].Type.Kind == ir.Ptr {
			l.join(0, &l.regs[0][i], l.pointer(&s.Inputs.Params[i]))
		}
	}
	l.run()
}

// reach notes that function fn is to be followed.
func (l *looks) reach(fn int) {
	if l.regs[fn] == nil {
		l.regs[fn] = make([]held, l.s.Funcs[fn].NumReg)
		l.callers[fn] = map[int]bool{}
		l.todo[fn] = true
	}
}

// run follows functions until nothing new is found.
func (l *looks) run() {
	for again := true; again; {
		again = false
		for fn, f := range l.s.Funcs {
			if !l.todo[fn] {
				continue
			}
			l.todo[fn], again, l.now = false, true, fn
			inst := 0
			for _, b := range f.Blocks {
				for _, in := range b.Insts {
					l.inst(fn, inst, in)
					inst++
				}
			}
		}
	}
}

// use notes that the function that is followed looks at what lies in p, or changes it.
func (l *looks) use(p *region) {
	if !slices.Contains(p.users, l.now) {
		p.users = append(p.users, l.now)
	}
}

// grown has the users of p followed again.
func (l *looks) grown(p *region) {
	for _, fn := range p.users {
		l.todo[fn] = true
	}
}

// pointer is what a pointer of shape sh leads to.
func (l *looks) pointer(sh *ir.Shape) held {
	if sh.Kind != ir.ShapeRef && sh.Kind != ir.ShapeRawPtr || sh.Elem == nil {
		return elsewhere
	}
	n, ok := l.inputs[sh.Elem]
	if !ok {
		n = l.newPlace(sh.Elem)
		l.inputs[sh.Elem] = n
	}
	return one(spot{n, 0})
}

func (l *looks) newPlace(sh *ir.Shape) int {
	l.places = append(l.places, &region{shape: sh})
	return len(l.places) - 1
}

// join adds v to what function fn knows of a value.
func (l *looks) join(fn int, to *held, v held) {
	if v = l.useful(v); !to.covers(v) {
		*to, l.todo[fn] = l.useful(union(*to, v)), true
	}
}

// maxSpots bounds what a value is known to point to.
const maxSpots = 64

// useful is v without the places that are looked at as a whole: they are as good as any that are not followed.
func (l *looks) useful(v held) held {
	if len(v.at) > maxSpots {
		l.whole(v)
	}
	all := func(s spot) bool { return l.places[s.place].all }
	if slices.ContainsFunc(v.at, all) {
		v = held{at: slices.DeleteFunc(slices.Clone(v.at), all), others: true}
	}
	return v
}

// value is what operand v of function fn may point to.
func (l *looks) value(fn int, v *ir.Value) held {
	switch v.Kind {
	case ir.Reg:
		return l.useful(l.regs[fn][v.Index])
	case ir.Aggregate:
		var out held
		for i := range v.Elems {
			out = union(out, l.value(fn, &v.Elems[i]))
		}
		return out
	case ir.GlobalAddr, ir.FuncAddr, ir.ExternAddr, ir.AddrInt:
		return elsewhere
	}
	return held{others: v.Kind == ir.ConstInt && v.Type.Kind == ir.Ptr}
}

// whole notes that all of what v points to, and is found from there, may be looked at and changed.
func (l *looks) whole(v held) {
	for _, s := range v.at {
		if p := l.places[s.place]; !p.all {
			p.all, p.leaked = true, true
			l.grown(p)
			for _, w := range p.stored {
				l.whole(w.held)
			}
		}
	}
}

// strange notes that code may run that is not followed: it finds what lies in memory that is not followed.
func (l *looks) strange() {
	if p := l.outside; !p.all {
		p.all = true
		l.whole(l.strewn())
		l.grown(p)
	}
}

// strewn is what was put into memory that is not followed.
func (l *looks) strewn() held {
	l.use(l.outside)
	if len(l.outside.stored) == 0 {
		return held{}
	}
	return l.useful(l.outside.stored[0].held)
}

// strew has w put into memory that is not followed, where others may find it and change what it points to.
func (l *looks) strew(w held) {
	switch w = l.useful(w).known(); {
	case !w.followed():
		return
	case l.outside.all:
		l.whole(w)
		return
	}
	l.leak(w)
	if to := l.outside.at(anywhere); !to.covers(w) {
		to.held = l.useful(union(to.held, w)).known()
		l.grown(l.outside)
	}
}

// leak notes that others may change what v points to, and what is found from there.
func (l *looks) leak(v held) {
	for _, s := range v.at {
		if p := l.places[s.place]; !p.leaked {
			p.leaked = true
			l.grown(p)
			for _, w := range p.stored {
				l.leak(w.held)
			}
		}
	}
}

// size notes that it may matter how much memory v points to.
func (l *looks) size(v held) {
	for _, s := range v.at {
		l.places[s.place].sized = true
	}
}

// promised notes what an attribute says of v: how much is there must not be less than that.
func (l *looks) promised(v held, at *ir.Attr) {
	if at.Deref > 0 || at.DerefOrNull > 0 {
		l.size(v)
	}
}

// see notes that n bytes from v on are looked at.
func (l *looks) see(v held, n int64) {
	for _, s := range v.at {
		p := l.places[s.place]
		if p.shape == nil || p.all {
			continue
		}
		lo, hi := s.off, s.off+n
		if s.off == anywhere || hi > p.shape.Size {
			lo, hi = 0, p.shape.Size
		}
		p.seen.add(lo, hi)
	}
}

// spans are ranges of bytes [lo, hi), in order and apart.
type spans []ir.Range

func (s *spans) add(lo, hi int64) {
	if lo >= hi || slices.ContainsFunc(*s, func(r ir.Range) bool { return r.Lo <= lo && hi <= r.Hi }) {
		return
	}
	out := (*s)[:0:0]
	for _, r := range *s {
		if r.Hi < lo || hi < r.Lo {
			out = append(out, r)
		} else {
			lo, hi = min(lo, r.Lo), max(hi, r.Hi)
		}
	}
	out = append(out, ir.Range{Lo: lo, Hi: hi})
	slices.SortFunc(out, func(a, b ir.Range) int { return int(a.Lo - b.Lo) })
	*s = out
}

// any reports whether one of the bytes [lo, hi) is among them.
func (s spans) any(lo, hi int64) bool {
	return slices.ContainsFunc(s, func(r ir.Range) bool { return r.Lo < hi && lo < r.Hi })
}
