package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// value is the content of a register or memory cell; it never changes. One of
// e, ptr and agg is set.
type value struct {
	e      expr.Expr
	ptr    []alt
	agg    []*value
	poison expr.Expr // where it holds the value is poison
	// bytes says byte by byte what is poison, for integers that were loaded
	// from memory that is initialised in part; nil where poison says it all.
	bytes []expr.Expr
	// exact says that it truly is poison where this is said of it, or of a byte. Poison is seen in more of what is
	// computed than there is: 0 times a byte that was never set is 0. What memory holds is exact, and what is moved about.
	exact bool
}

// certain reports whether v is poison only where it truly is.
func (v *value) certain() bool {
	for _, f := range v.agg {
		if !f.certain() {
			return false
		}
	}
	return v.poison == expr.False || v.exact
}

// whole reports whether v is certain, and all of it is poison where one byte is.
func (v *value) whole() bool { return v.certain() && v.bytes == nil }

// alt is one object that a pointer may point into. The guards of a pointer's
// alternatives exclude each other and one holds; alternatives are sorted by object.
type alt struct {
	guard expr.Expr
	obj   int
	off   expr.Expr // from the object's start; the address itself for noObject and wildObject
	lin   linear
}

// linear says that an offset is rem + step*idx, exactly (no wrap-around), and at
// least least, unless the pointer is poison; step 0 says that nothing is known.
// It lets a table of records be read at its few possible places.
type linear struct {
	idx   expr.Expr
	step  int64
	rem   int64
	least int64
}

func intValue(e expr.Expr) *value { return &value{e: e, poison: expr.False} }

// withPoison returns v, poison also where p holds; exact says whether it truly is there.
func (x *exec) withPoison(v *value, p expr.Expr, exact bool) *value {
	if p == expr.False {
		return v
	}
	w := *v
	w.poison, w.exact = x.b.Or(v.poison, p), exact && v.whole()
	w.bytes = nil
	if v.agg != nil {
		w.agg = make([]*value, len(v.agg))
		for i, f := range v.agg {
			w.agg[i] = x.withPoison(f, p, exact)
		}
	}
	return &w
}

func (x *exec) pointer(obj int, off expr.Expr) *value {
	return &value{ptr: []alt{{guard: expr.True, obj: obj, off: off}}, poison: expr.False}
}

// choose returns the value that is v where sel holds and w elsewhere.
func (x *exec) choose(sel expr.Expr, v, w *value) *value {
	switch {
	case v == w || sel == expr.True:
		return v
	case sel == expr.False:
		return w
	case v.agg != nil:
		return x.chooseAgg(sel, v, w)
	}
	out := &value{poison: x.b.ITE(sel, v.poison, w.poison), bytes: x.chooseBytes(sel, v, w), exact: v.certain() && w.certain()}
	switch {
	case v.poison == expr.True && v.bytes == nil:
		out.e, out.ptr = w.e, w.ptr
	case w.poison == expr.True && w.bytes == nil:
		out.e, out.ptr = v.e, v.ptr
	case v.ptr != nil || w.ptr != nil:
		out.ptr = x.choosePtr(sel, x.asPtr(v), x.asPtr(w))
	default:
		out.e = x.b.ITE(sel, v.e, w.e)
	}
	return out
}

func (x *exec) chooseAgg(sel expr.Expr, v, w *value) *value {
	out := &value{agg: make([]*value, len(v.agg)), poison: x.b.ITE(sel, v.poison, w.poison)}
	out.exact = (v.poison == expr.False || v.exact) && (w.poison == expr.False || w.exact)
	for i := range v.agg {
		out.agg[i] = x.choose(sel, v.agg[i], w.agg[i])
	}
	return out
}

func (x *exec) chooseBytes(sel expr.Expr, v, w *value) []expr.Expr {
	if v.bytes == nil && w.bytes == nil {
		return nil
	}
	n := max(len(v.bytes), len(w.bytes))
	out := make([]expr.Expr, n)
	for i := range out {
		out[i] = x.b.ITE(sel, v.bytePoison(i), w.bytePoison(i))
	}
	return out
}

func (v *value) bytePoison(i int) expr.Expr {
	if v.bytes == nil {
		return v.poison
	}
	return v.bytes[i]
}

// asPtr returns the alternatives of a pointer, or of an integer taken for one.
func (x *exec) asPtr(v *value) []alt {
	if v.ptr != nil {
		return v.ptr
	}
	return x.intToPtr(v.e)
}

// choosePtr merges two sorted lists of alternatives.
func (x *exec) choosePtr(sel expr.Expr, p, q []alt) []alt {
	out := make([]alt, 0, len(p)+len(q))
	not := x.b.Not(sel)
	for len(p) > 0 || len(q) > 0 {
		var a alt
		switch {
		case len(q) == 0 || len(p) > 0 && p[0].obj < q[0].obj:
			a, p = p[0], p[1:]
			a.guard = x.b.And(sel, a.guard)
		case len(p) == 0 || q[0].obj < p[0].obj:
			a, q = q[0], q[1:]
			a.guard = x.b.And(not, a.guard)
		default:
			a = x.chooseAlt(sel, p[0], q[0])
			p, q = p[1:], q[1:]
		}
		if a.guard != expr.False {
			out = append(out, a)
		}
	}
	return out
}

func (x *exec) chooseAlt(sel expr.Expr, p, q alt) alt {
	a := alt{guard: x.b.ITE(sel, p.guard, q.guard), obj: p.obj, off: x.b.ITE(sel, p.off, q.off)}
	if !isNumber(p.obj) && p.off != q.off {
		a.lin = x.chooseLinear(sel, x.linearOf(p), x.linearOf(q))
	} else if p.off == q.off {
		a.lin = p.lin
	}
	return a
}

// linearOf returns what is known of an offset; a number is a linear with no index.
func (x *exec) linearOf(a alt) linear {
	if c, ok := x.b.Uint64(a.off); ok && int64(c) >= 0 {
		return linear{idx: x.b.Const(0, 64), step: 0, rem: int64(c), least: int64(c)}
	}
	if a.lin.step == 0 {
		return linear{idx: a.off, step: 1}
	}
	return a.lin
}

func (x *exec) chooseLinear(sel expr.Expr, p, q linear) linear {
	rem := min(p.rem, q.rem)
	step := gcd(gcd(p.step, q.step), gcd(p.rem-rem, q.rem-rem))
	if step == 0 {
		return linear{}
	}
	scale := func(l linear) expr.Expr {
		i := x.b.Mul(l.idx, x.b.Const(uint64(l.step/step), 64))
		return x.b.Add(i, x.b.Const(uint64((l.rem-rem)/step), 64))
	}
	return linear{idx: x.b.ITE(sel, scale(p), scale(q)), step: step, rem: rem, least: min(p.least, q.least)}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
