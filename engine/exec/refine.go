package exec

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// maxChoices bounds the choices that one refinement asks about.
const maxChoices = 600

// maxHard is how many choices may stay open before the rest is left alone.
const maxHard = 2

// refine simplifies what a state holds after a bound took runs away: a choice
// that the remaining runs all make alike is made. A version number that was one
// of forty becomes the one that short inputs lead to, and all that follows is
// concrete again.
func (x *exec) refine(s *state) {
	r := refiner{x: x, s: s, values: map[*value]*value{}, cells: map[*cell]*cell{}}
	r.eachValue(func(v *value) *value { r.collect(v); return v })
	repl := r.decide()
	if len(repl) == 0 {
		return
	}
	r.values = map[*value]*value{}
	sub := x.b.NewSubstitution(repl)
	r.subst = func(e expr.Expr) expr.Expr {
		if e == expr.None || x.b.IsConst(e) {
			return e
		}
		return sub.Apply(e)
	}
	s.owner = new(token)
	r.eachValue(r.rewrite)
}

type refiner struct {
	x      *exec
	s      *state
	roots  []expr.Expr
	values map[*value]*value
	cells  map[*cell]*cell
	subst  func(expr.Expr) expr.Expr
	hard   int // questions that the solver left open
}

// collect notes the expressions of a value.
func (r *refiner) collect(v *value) {
	if _, ok := r.values[v]; ok {
		return
	}
	r.values[v] = v
	if v.e != expr.None {
		r.roots = append(r.roots, v.e)
	}
	for _, a := range v.ptr {
		r.roots = append(r.roots, a.off)
		if a.guard != expr.True {
			r.roots = append(r.roots, r.x.b.ITE(a.guard, r.x.b.Const(1, 2), r.x.b.Const(2, 2)))
		}
	}
	for _, f := range v.agg {
		r.collect(f)
	}
}

// decide finds the choices that are made alike in all runs of the state.
func (r *refiner) decide() map[expr.Expr]expr.Expr {
	b := r.x.b
	var conds []expr.Expr
	seen, choice := map[expr.Expr]bool{}, map[expr.Expr]bool{}
	for _, root := range r.roots {
		b.Walk(root, func(e expr.Expr) bool { return seen[e] }, func(e expr.Expr) {
			seen[e] = true
			if b.Op(e) != expr.OpITE {
				return
			}
			if !b.IsConst(b.Arg(e, 1)) && !b.IsConst(b.Arg(e, 2)) {
				return
			}
			if c := b.Arg(e, 0) &^ 1; !choice[c] {
				choice[c] = true
				conds = append(conds, c)
			}
		})
	}
	slices.Sort(conds)
	repl := map[expr.Expr]expr.Expr{}
	var models []*expr.Evaluator
	for i, c := range conds {
		if i == maxChoices || r.hard == maxHard || r.x.exhausted() {
			break
		}
		if v, ok := r.alike(c, &models); ok {
			repl[c] = v
		}
	}
	return repl
}

// alike reports whether c has one value in all runs of the state.
func (r *refiner) alike(c expr.Expr, models *[]*expr.Evaluator) (expr.Expr, bool) {
	var is [2]bool
	for _, m := range *models {
		is[b2i(m.True(c))] = true
	}
	for side, e := range []expr.Expr{r.x.b.Not(c), c} {
		if is[side] {
			continue
		}
		switch res, m := r.x.sat(r.s, e); res {
		case smt.Unsat:
			return r.x.b.Bool(side == 0), true
		case smt.Sat:
			*models = append(*models, m)
			is[side] = true
		default:
			r.hard++
			return expr.None, false
		}
	}
	return expr.None, false
}

func b2i(v bool) int {
	if v {
		return 1
	}
	return 0
}

// rewrite returns a value with the choices made.
func (r *refiner) rewrite(v *value) *value {
	if w, ok := r.values[v]; ok {
		return w
	}
	w := &value{e: r.subst(v.e), poison: r.subst(v.poison), exact: v.exact}
	for _, a := range v.ptr {
		a.guard, a.off, a.lin.idx = r.subst(a.guard), r.subst(a.off), r.subst(a.lin.idx)
		if a.guard != expr.False {
			w.ptr = append(w.ptr, a)
		}
	}
	for _, f := range v.agg {
		w.agg = append(w.agg, r.rewrite(f))
	}
	for _, p := range v.bytes {
		w.bytes = append(w.bytes, r.subst(p))
	}
	if w.ptr == nil && v.ptr != nil {
		w = v // no run is left
	}
	r.values[v] = w
	return w
}

// eachValue replaces every value that the state still needs.
func (r *refiner) eachValue(f func(*value) *value) {
	r.s.top = r.frame(r.s.top, f)
	mem := make([]entry, len(r.s.mem))
	for i, e := range r.s.mem {
		mem[i] = entry{e.id, r.object(e.o, f)}
	}
	r.s.mem = mem
}

func (r *refiner) frame(f *frame, g func(*value) *value) *frame {
	if f == nil {
		return nil
	}
	h := f.clone()
	live := r.x.liveAt(f)
	for i, v := range h.regs {
		if v == nil {
			continue
		}
		if !isLive(live, i) {
			h.regs[i] = nil
			continue
		}
		h.regs[i] = g(v)
	}
	h.parent = r.frame(f.parent, g)
	return h
}

func (r *refiner) object(o *object, g func(*value) *value) *object {
	top := *o.top
	top.owner = r.s.owner
	top.pages = make(map[int64]*page, len(o.top.pages))
	for _, k := range changedPages(o.top, o.top) {
		p := *o.top.pages[k]
		p.owner = r.s.owner
		for i, sl := range p.slots {
			if sl.c != nil {
				p.slots[i].c = r.cell(sl.c, g)
			}
		}
		top.pages[k] = &p
	}
	dead := o.dead
	if r.subst != nil {
		dead = r.subst(dead)
	}
	return &object{owner: r.s.owner, dead: dead, top: &top}
}

func (r *refiner) cell(c *cell, g func(*value) *value) *cell {
	if d, ok := r.cells[c]; ok && r.subst != nil {
		return d
	}
	v := g(c.v)
	d := c
	if v != c.v {
		d = &cell{v, c.n}
	}
	if r.subst != nil {
		r.cells[c] = d
	}
	return d
}
