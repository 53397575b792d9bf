package expr

// bound is a comparison of x with a constant: x lies in [lo, hi], or is not lo.
type bound struct {
	x      Expr
	lo, hi uint64 // in signed order, the numbers with the sign flipped
	signed bool
	not    bool
}

// boundOf reads e, of width 1, as a bound.
func (b *Builder) boundOf(e Expr) (p bound, ok bool) {
	n := &b.nodes[e.node()]
	if n.op != OpEq && n.op != OpUlt && n.op != OpSlt {
		return p, false
	}
	w := b.Width(n.a)
	if w > 64 || b.IsConst(n.a) == b.IsConst(n.b) {
		return p, false
	}
	side, k := n.b, n.a // k < x
	below := b.IsConst(n.b)
	if below {
		side, k = n.a, n.b // x < k
	}
	v, _ := b.Uint64(k)
	p = bound{x: side, hi: mask(w), signed: n.op == OpSlt}
	if p.signed {
		v ^= 1 << (w - 1)
	}
	switch {
	case n.op == OpEq:
		p.lo, p.hi, p.not = v, v, e.neg()
	case below == e.neg(): // k < x, or not x < k
		p.lo = v
		if !below {
			p.lo = v + 1
		}
		ok = below || v < mask(w)
		return p, ok
	default:
		p.hi = v
		if below {
			p.hi = v - 1
		}
		ok = !below || v > 0
		return p, ok
	}
	return p, true
}

// inOrder returns a single number, or all but one, in signed order or not.
func (p bound) inOrder(signed bool, width int) bound {
	if p.signed != signed {
		p.lo ^= 1 << (width - 1)
		p.hi, p.signed = p.lo, signed
	}
	return p
}

// and-bounds, where p and q compare one x with constants, also below another conjunction:
//
//	p & q        =>  p, q, false or x = k
//	(p & y) & q  =>  p & y, q & y or false
func andBounds(b *Builder, n node) Expr {
	if n.width != 1 {
		return None
	}
	if e := b.meetBounds(n.a, n.b); e != None {
		return e
	}
	for _, o := range [2][2]Expr{{n.a, n.b}, {n.b, n.a}} {
		and := b.as(o[0], OpAnd)
		if and == nil {
			continue
		}
		for _, part := range [2][2]Expr{{and.a, and.b}, {and.b, and.a}} {
			switch e := b.meetBounds(part[0], o[1]); e {
			case False:
				return False
			case part[0]:
				return o[0]
			case o[1]:
				return b.And(part[1], o[1])
			}
		}
	}
	return None
}

// meetBounds returns what e & f is if it is a bound too, or false; else None.
func (b *Builder) meetBounds(e, f Expr) Expr {
	p, ok := b.boundOf(e)
	if !ok {
		return None
	}
	q, ok := b.boundOf(f)
	if !ok || p.x != q.x || p.not && q.not {
		return None
	}
	if q.not {
		e, f, p, q = f, e, q, p
	}
	w := b.Width(p.x)
	switch {
	case p.signed == q.signed:
	case p.lo == p.hi:
		p = p.inOrder(q.signed, w)
	case q.lo == q.hi:
		q = q.inOrder(p.signed, w)
	default:
		return None
	}
	if p.not {
		switch {
		case p.lo < q.lo || p.lo > q.hi:
			return f
		case q.lo == q.hi:
			return False
		}
		return None
	}
	return b.overlap(e, f, p, q)
}

func (b *Builder) overlap(e, f Expr, p, q bound) Expr {
	w := b.Width(p.x)
	lo, hi := max(p.lo, q.lo), min(p.hi, q.hi)
	switch {
	case lo > hi:
		return False
	case lo == p.lo && hi == p.hi:
		return e
	case lo == q.lo && hi == q.hi:
		return f
	case lo == hi && p.signed:
		return b.Eq(b.Const(lo^1<<(w-1), w), p.x)
	case lo == hi:
		return b.Eq(b.Const(lo, w), p.x)
	}
	return None
}
