package exec

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// given looks at what makes a condition true: values that something outside of the
// slice chose, or others beside them. Where ways have met a condition is about
// both: that C returned more than 1000 is the way, that the number which is taken then is too
// large is no fault of C.
type given struct {
	x      *exec
	wholes map[expr.Expr]bool // by expression: what whole says
	parts  map[expr.Expr]bool // and part, or tag
}

func (x *exec) newGiven() *given {
	return &given{x: x, wholes: map[expr.Expr]bool{}, parts: map[expr.Expr]bool{}}
}

// whole reports whether every comparison in e, of width 1, is one of tags that something outside chose.
func (g *given) whole(e expr.Expr) bool {
	b := g.x.b
	op := b.Op(e)
	if op != expr.OpNot && op != expr.OpAnd && (op != expr.OpITE || b.Width(e) > 1) {
		return b.IsConst(e) || g.tags(e)
	}
	return once(g.wholes, e, func() bool {
		for i := range b.NumArgs(e) {
			if !g.whole(b.Arg(e, i)) {
				return false
			}
		}
		return true
	})
}

// tags reports whether e compares a tag with a number or another tag, or is one of a bit.
func (g *given) tags(e expr.Expr) bool {
	b := g.x.b
	if op := b.Op(e); op != expr.OpEq && op != expr.OpUlt && op != expr.OpSlt {
		return g.tag(e)
	}
	p, q := b.Arg(e, 0), b.Arg(e, 1)
	return (b.IsConst(p) || g.tag(p)) && (b.IsConst(q) || g.tag(q))
}

// tag reports whether e is a number that something outside chose, or what a match makes of one that stands
// for the variant in the place of another number: less the first of those that do, and else that of the variant without.
func (g *given) tag(e expr.Expr) bool {
	b := g.x.b
	switch {
	case b.Op(e) == expr.OpAdd && b.IsConst(b.Arg(e, 0)):
		return g.tag(b.Arg(e, 1))
	case bytesOf(b, e):
		return g.tag(b.Arg(e, 0))
	case b.Op(e) == expr.OpITE:
		return once(g.parts, e, func() bool {
			p, q := b.Arg(e, 1), b.Arg(e, 2)
			return (b.IsConst(p) || g.tag(p)) && (b.IsConst(q) || g.tag(q)) && !(b.IsConst(p) && b.IsConst(q))
		})
	}
	return g.itself(e)
}

// part reports whether e is made from a value that something outside chose, whichever way a
// choice in it goes. A number that stands in the code is nobody's.
func (g *given) part(e expr.Expr) bool {
	b := g.x.b
	switch b.Op(e) {
	case expr.OpVar, expr.OpRead:
		return g.x.alien(e)
	case expr.OpITE:
		return once(g.parts, e, func() bool {
			p, q := b.Arg(e, 1), b.Arg(e, 2)
			return (b.IsConst(p) || g.part(p)) && (b.IsConst(q) || g.part(q)) && !(b.IsConst(p) && b.IsConst(q))
		})
	}
	return once(g.parts, e, func() bool {
		for i := range b.NumArgs(e) {
			if g.part(b.Arg(e, i)) {
				return true
			}
		}
		return false
	})
}

// once keeps in known what f says of e.
func once[V bool | expr.Expr](known map[expr.Expr]V, e expr.Expr, f func() V) V {
	v, ok := known[e]
	if !ok {
		v = f()
		known[e] = v
	}
	return v
}

// excuse assumes that v is what its type allows where code outside gave it, and returns
// where it may still not be. What the slice computes of such a value is its own: a number that C
// returned, less 5, or the place in an array that it is the index of.
func (x *exec) excuse(s *state, v *value, bad expr.Expr) (own expr.Expr, err error) {
	if bad == expr.False || !x.alien(bad) {
		return bad, nil
	}
	b, g := x.b, x.newGiven()
	came := expr.False
	if v.e != expr.None {
		came = x.runsWhere(g.itself).of(v.e)
	}
	parts := x.runsWhere(g.part)
	for _, a := range v.ptr {
		if isNumber(a.obj) {
			came = b.Or(came, b.And(a.guard, parts.of(a.off)))
		}
	}
	outside := b.And(bad, came)
	if r, _ := x.sat(s, outside); r != smt.Unsat {
		x.note(quiet)
	}
	return b.And(bad, b.Not(came)), x.assume(s, b.Not(outside))
}

// runsWhere says in which runs an expression is what leaf holds of, as far as the choices go that it is made of.
type runsWhere struct {
	b     *expr.Builder
	leaf  func(expr.Expr) bool
	known map[expr.Expr]expr.Expr // of this leaf
}

func (x *exec) runsWhere(leaf func(expr.Expr) bool) *runsWhere {
	return &runsWhere{x.b, leaf, map[expr.Expr]expr.Expr{}}
}

func (r *runsWhere) of(e expr.Expr) expr.Expr {
	b := r.b
	switch b.Op(e) {
	case expr.OpITE:
		return once(r.known, e, func() expr.Expr { return b.ITE(b.Arg(e, 0), r.of(b.Arg(e, 1)), r.of(b.Arg(e, 2))) })
	}
	if bytesOf(b, e) {
		return r.of(b.Arg(e, 0))
	}
	return b.Bool(r.leaf(e))
}

// itself reports whether e is a number that something outside chose, or bytes of some: nothing
// was computed of it. What a C function returns has C's type, which does not exclude what Rust's may.
func (g *given) itself(e expr.Expr) bool {
	b := g.x.b
	switch op := b.Op(e); {
	case op == expr.OpVar || op == expr.OpRead:
		return g.x.alien(e) && !g.x.byC[e]
	case bytesOf(b, e):
		return g.itself(b.Arg(e, 0))
	case op == expr.OpConcat:
		p, q := b.Arg(e, 0), b.Arg(e, 1)
		return (b.IsConst(p) || g.itself(p)) && (b.IsConst(q) || g.itself(q))
	}
	return false
}

// bytesOf reports whether e is made of whole bytes of its first argument, or is its lowest bit: as a bool is read.
func bytesOf(b *expr.Builder, e expr.Expr) bool {
	const whole = 8
	switch b.Op(e) {
	case expr.OpZExt:
		return true
	case expr.OpExtract:
		return b.Lo(e)%whole == 0 && (b.Width(e)%whole == 0 || b.Lo(e) == 0 && b.Width(e) == 1)
	case expr.OpShl, expr.OpLShr:
		n, ok := b.Uint64(b.Arg(e, 1))
		return ok && n%whole == 0
	}
	return false
}
