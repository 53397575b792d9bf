package cut

import (
	"cmp"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// word is the size of a pointer in bytes.
const word = 8

// load is what the n bytes that v points to may point to. They are looked at.
func (l *looks) load(v held, n int64) held {
	out := held{others: v.others}
	if v.others {
		out = union(out, l.strewn())
	}
	for _, s := range v.at {
		p := l.places[s.place]
		l.use(p)
		out.others = out.others || p.shape != nil || p.leaked
		for _, w := range p.stored {
			if overlap(w.off, s.off, n) {
				out = union(out, w.held)
			}
		}
		if p.shape != nil {
			at := s.off
			if at > p.shape.Size-n {
				at = anywhere
			}
			l.found(&out, p.shape, at, n)
		}
	}
	l.size(v)
	l.see(v, n)
	return out
}

// overlap reports whether a pointer stored at off may have bytes among the n from at on.
func overlap(off, at, n int64) bool {
	return at == anywhere || off == anywhere || off < at+n && at < off+word
}

// found adds to v where the pointers in sh lead that have bytes among the n from at on.
func (l *looks) found(v *held, sh *ir.Shape, at, n int64) {
	if at != anywhere && (at >= sh.Size || at+n <= 0) {
		return
	}
	switch sh.Kind {
	case ir.ShapeRef, ir.ShapeRawPtr:
		*v = union(*v, l.pointer(sh))
	case ir.ShapeArray:
		if sh.Elem != nil {
			l.found(v, sh.Elem, anywhere, n)
		}
	case ir.ShapeSlicePtr, ir.ShapeStr, ir.ShapeIter, ir.ShapeIterEnd, ir.ShapeOpaque:
		v.others = true
	}
	l.foundIn(v, sh.Fields, at, n)
	for i := range sh.Variants {
		l.foundIn(v, sh.Variants[i].Fields, at, n)
	}
}

func (l *looks) foundIn(v *held, fields []ir.Shape, at, n int64) {
	for i := range fields {
		f := &fields[i]
		switch {
		case at == anywhere:
			l.found(v, f, anywhere, n)
		case at < f.Off+f.Size && f.Off < at+n: // what begins before f is no reason to look before it
			l.found(v, f, max(at-f.Off, 0), n-max(f.Off-at, 0))
		}
	}
}

// store has n bytes that may point to w written where v points to.
func (l *looks) store(v, w held, n int64) {
	l.size(v)
	if v.others {
		l.strew(w)
	}
	if w = l.useful(w); !w.followed() && !w.others {
		return
	}
	for _, s := range v.at {
		p := l.places[s.place]
		l.use(p)
		off := s.off
		if n > word { // more than one pointer: which of them is not told
			off = anywhere
		}
		switch {
		case p.all:
			l.whole(w)
		case p.leaked:
			l.leak(w)
		}
		if to := p.at(off); !to.covers(w) {
			to.held = l.useful(union(to.held, w))
			l.grown(p)
		}
	}
}

// at is what lies at an offset of p, to be added to.
func (p *region) at(off int64) *stored {
	i, ok := slices.BinarySearchFunc(p.stored, off, func(s stored, off int64) int { return cmp.Compare(s.off, off) })
	if !ok {
		p.stored = slices.Insert(p.stored, i, stored{off: off})
	}
	return &p.stored[i]
}

// copied has n bytes copied, nobody knows how many if n is negative: pointers that lie on the
// stack keep their offsets, so that what is behind them is not mixed up.
func (l *looks) copied(to, from held, n int64) {
	if n < 0 {
		n, to, from = word, to.anyOffset(), from.anyOffset()
	}
	rest := held{others: from.others}
	if from.others {
		rest = union(rest, l.strewn())
	}
	for _, s := range from.at {
		p := l.places[s.place]
		l.use(p)
		if p.shape != nil || s.off == anywhere || to.others {
			rest = union(rest, l.load(one(s), n))
			continue
		}
		rest.others = rest.others || p.leaked
		for _, w := range slices.Clone(p.stored) { // it may be copied within p
			switch {
			case w.off != anywhere && s.off <= w.off && w.off+word <= s.off+n:
				l.store(to.known().moved(w.off-s.off), w.held, word)
			case overlap(w.off, s.off, n):
				rest = union(rest, w.held)
			}
		}
	}
	l.size(from)
	l.store(to.anyOffset(), rest, word)
}

// moved is v moved by n bytes.
func (v held) moved(n int64) held {
	out := held{others: v.others}
	for _, s := range v.at {
		if s.off != anywhere {
			s.off = max(s.off+n, anywhere)
		}
		out = union(out, one(s))
	}
	return out
}
