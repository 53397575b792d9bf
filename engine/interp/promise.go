package interp

import (
	"math/big"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// promise is what attributes or metadata say of a value.
type promise struct {
	noundef, nonnull bool
	align            uint64
	deref, orNull    int64    // bytes behind a pointer; orNull: unless it is null
	lo, hi           *big.Int // the range [lo, hi), wrapping; nil for none
	width            int32
	slots            int
}

// promiseOf returns nil when there is nothing to check.
func promiseOf(a ir.Attr, t *ir.Type) *promise {
	p := promise{noundef: a.NoUndef, nonnull: a.NonNull, lo: a.RangeLo, hi: a.RangeHi, deref: a.Deref, orNull: a.DerefOrNull}
	if a.Align > 1 {
		p.align = uint64(a.Align)
	}
	if p == (promise{}) || t == nil {
		return nil
	}
	n, err := slots(t)
	if err != nil || n == 0 {
		return nil
	}
	p.width, p.slots = widthOf(t), n
	if p.lo == nil || p.hi == nil || t.Kind != ir.Int {
		p.lo, p.hi = nil, nil
	}
	return &p
}

// keep checks a value. A broken promise makes the value poison, and undefined
// behaviour where the value must be defined.
func (m *machine) keep(p *promise, vs []slot) *Outcome {
	if undefined(vs) {
		switch {
		case p.noundef:
			return m.ub(UBUninit, "value must be defined")
		case p.deref > 0:
			return m.ub(UBRef, "reference is undefined")
		}
		return nil
	}
	if what := p.broken(vs); what != "" {
		if p.noundef {
			return m.ub(what, "value %#x", toBig(vs))
		}
		for i := range vs {
			vs[i] = slot{u: poison}
		}
		if p.deref == 0 {
			return nil
		}
		return m.ub(UBRef, "reference is undefined")
	}
	if n := max(p.deref, p.orNull); n > 0 && (p.deref > 0 || vs[0].v != 0) && !m.leadsTo(vs[0], n) {
		return m.ub(UBRef, "no %d bytes at %#x", n, vs[0].v)
	}
	return nil
}

// leadsTo reports whether n live bytes lie where p points. Panic locations have no size.
func (m *machine) leadsTo(p slot, n int64) bool {
	if p.p == 0 {
		p.p, _ = m.mem.at(p.v, n)
	}
	o := m.mem.lookup(p.p)
	if o == nil || !o.live {
		return false
	}
	off := p.v - o.base
	return o.kind == token || off <= o.size && uint64(n) <= o.size-off
}

func (p *promise) broken(vs []slot) string {
	switch {
	case p.lo != nil && !inRange(toBig(vs), p.lo, p.hi, p.width):
		return UBRange
	case p.nonnull && vs[0].v == 0:
		return UBNullRef
	case p.align > 1 && vs[0].v%p.align != 0:
		return UBAlign
	}
	return ""
}

// inRange reports whether v lies in [lo, hi), which wraps when lo > hi and is
// everything when they are equal.
func inRange(v, lo, hi *big.Int, width int32) bool {
	lo, hi = unsigned(lo, width), unsigned(hi, width)
	if lo.Cmp(hi) < 0 {
		return v.Cmp(lo) >= 0 && v.Cmp(hi) < 0
	}
	return v.Cmp(lo) >= 0 || v.Cmp(hi) < 0
}

func unsigned(v *big.Int, width int32) *big.Int {
	if v.Sign() >= 0 {
		return v
	}
	return new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(width)))
}
