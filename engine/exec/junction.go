package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// junction is where two paths become one: sel, under the condition of the path
// that they become, is true exactly where the left one is taken.
type junction struct {
	sel         expr.Expr
	left, right *decided // what each of them knows beyond what both do
}

func (j junction) flip() junction { return junction{j.sel ^ 1, j.right, j.left} }

// unite returns the value that is v on the left path and w on the right one. Each path
// says of its own value what its branches decided since the two parted. If it
// did not, what the path chose would stay a choice, and be one more of all that
// is computed from the value: two counters that go up together would differ
// in form as soon as one of them went up a branch later than the other.
func (x *exec) unite(j junction, v, w *value) *value {
	if v == w {
		return v
	}
	return x.choose(j.sel, j.left.value(v), j.right.value(w))
}

// decided are conditions that hold on a path.
type decided struct {
	b      *expr.Builder
	holds  map[expr.Expr]bool
	oldest int                     // index of the oldest of them: what is older has none of them in it
	known  map[expr.Expr]expr.Expr // what truth said
}

// maxSpine bounds how many choices in a row are made.
const maxSpine = 64

func decide(b *expr.Builder, lits []expr.Expr) *decided {
	d := &decided{b: b, holds: make(map[expr.Expr]bool, len(lits)), oldest: b.Len(), known: map[expr.Expr]expr.Expr{}}
	for _, l := range lits {
		d.holds[l] = true
		d.oldest = min(d.oldest, l.Index())
	}
	return d
}

// truth returns whether e holds, of width 1, or None if that is open.
func (d *decided) truth(e expr.Expr) expr.Expr {
	switch {
	case e.Index() < d.oldest:
		return expr.None
	case d.holds[e]:
		return expr.True
	case d.holds[e^1]:
		return expr.False
	}
	mark := e & 1
	if e ^= mark; d.b.Op(e) != expr.OpAnd {
		return expr.None
	}
	t, ok := d.known[e]
	if !ok {
		t = d.both(e)
		d.known[e] = t
	}
	if t != expr.None {
		t ^= mark
	}
	return t
}

// both is truth of a conjunction.
func (d *decided) both(e expr.Expr) expr.Expr {
	p, q := d.truth(d.b.Arg(e, 0)), d.truth(d.b.Arg(e, 1))
	switch {
	case p == expr.False || q == expr.False:
		return expr.False
	case p == expr.True && q == expr.True:
		return expr.True
	}
	return expr.None
}

// narrow makes the choices of e that are decided, from the outermost on.
func (d *decided) narrow(e expr.Expr) expr.Expr {
	if len(d.holds) == 0 || e == expr.None {
		return e
	}
	for range maxSpine {
		if d.b.Width(e) == 1 {
			if t := d.truth(e); t != expr.None {
				return t
			}
		}
		mark := e & 1
		switch d.b.Op(e &^ 1) {
		case expr.OpITE:
		case expr.OpAnd:
			rest := d.rest(e &^ 1)
			if rest == expr.None {
				return e
			}
			e = rest ^ mark
			continue
		case expr.OpZExt:
			return d.extended(e&^1) ^ mark
		default:
			return e
		}
		switch d.truth(d.b.Arg(e&^1, 0)) {
		case expr.True:
			e = d.b.Arg(e&^1, 1) ^ mark
		case expr.False:
			e = d.b.Arg(e&^1, 2) ^ mark
		default:
			return e
		}
	}
	return e
}

// rest returns what is left of a conjunction of two truth values of which one holds, None if neither is known to.
func (d *decided) rest(e expr.Expr) expr.Expr {
	if d.b.Width(e) != 1 {
		return expr.None
	}
	p, q := d.b.Arg(e, 0), d.b.Arg(e, 1)
	switch {
	case d.truth(p) == expr.True:
		return q
	case d.truth(q) == expr.True:
		return p
	}
	return expr.None
}

// extended narrows a truth value that is extended: a choice of 1 or 0.
func (d *decided) extended(e expr.Expr) expr.Expr {
	p := d.b.Arg(e, 0)
	if d.b.Width(p) != 1 {
		return e
	}
	return d.b.ZExt(d.narrow(p), d.b.Width(e))
}

// value narrows a value; v itself is what it returns if nothing is decided.
func (d *decided) value(v *value) *value {
	if len(d.holds) == 0 {
		return v
	}
	w := *v
	w.e, w.poison = d.narrow(v.e), d.narrow(v.poison)
	changed := w.e != v.e || w.poison != v.poison
	w.ptr, changed = d.alts(v.ptr, changed)
	for i, f := range v.agg {
		if g := d.value(f); g != f {
			if &w.agg[0] == &v.agg[0] {
				w.agg = append([]*value(nil), v.agg...)
			}
			w.agg[i], changed = g, true
		}
	}
	for i, p := range v.bytes {
		if q := d.narrow(p); q != p {
			if &w.bytes[0] == &v.bytes[0] {
				w.bytes = append([]expr.Expr(nil), v.bytes...)
			}
			w.bytes[i], changed = q, true
		}
	}
	if !changed {
		return v
	}
	return &w
}

// alts narrows the alternatives of a pointer, and drops those that the path does not take.
func (d *decided) alts(p []alt, changed bool) ([]alt, bool) {
	for i, a := range p {
		guard, off, idx := d.narrow(a.guard), d.narrow(a.off), d.narrow(a.lin.idx)
		if guard == a.guard && off == a.off && idx == a.lin.idx {
			continue
		}
		out := append(make([]alt, 0, len(p)), p[:i]...)
		for _, a := range p[i:] {
			a.guard, a.off, a.lin.idx = d.narrow(a.guard), d.narrow(a.off), d.narrow(a.lin.idx)
			if a.guard != expr.False {
				out = append(out, a)
			}
		}
		if len(out) == 0 { // no run is left
			return p, changed
		}
		return out, true
	}
	return p, changed
}
