package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// readAnywhere reads byte by byte from an object that is too large to look at every place.
func (x *exec) readAnywhere(s *state, a alt, n int) (*value, error) {
	var out *value
	var poisons []expr.Expr
	uniform := true
	for i := 0; i < n; i++ {
		v, err := x.byteAnywhere(s, a.obj, x.someAfter(a, int64(i)))
		if err != nil {
			return nil, err
		}
		poisons = append(poisons, v.poison)
		uniform = uniform && v.poison == poisons[0]
		if out == nil {
			out = v
			continue
		}
		out = &value{e: x.b.Concat(x.asInt(v), x.asInt(out)), poison: x.b.Or(v.poison, out.poison), exact: v.certain() && out.certain()}
	}
	if !uniform {
		out.bytes = poisons
	}
	return out, nil
}

// some is an offset that is not known. lin is what is known of it, in the runs that come to the access: not elsewhere.
type some struct {
	off expr.Expr
	lin linear
}

// someAfter is the offset that is i bytes after that of a.
func (x *exec) someAfter(a alt, i int64) some {
	at := some{x.b.Add(a.off, x.b.Const(uint64(i), 64)), x.linearOf(a)}
	at.lin.rem += i
	return at
}

func (x *exec) byteAnywhere(s *state, obj int, off some) (*value, error) {
	x.look(s, obj)
	if x.infos[obj].device != "" {
		return x.deviceByte(obj), nil
	}
	if o := s.object(obj); o != nil {
		return x.layerAnywhere(o.top, off)
	}
	return x.baseAnywhere(x.infos[obj].base, off)
}

// layerAnywhere reads over the writes, newest first in effect.
func (x *exec) layerAnywhere(l *layer, place some) (*value, error) {
	off := place.off
	out, err := x.beneath(l, place)
	if err != nil {
		return nil, err
	}
	n := 0
	lo, hi := x.bounds(off)
	for _, k := range changedPages(l, l) {
		for i, sl := range l.pages[k].slots {
			at := k*pageBytes + int64(i)
			if sl.c == nil || uint64(at) < lo || uint64(at) > hi {
				continue
			}
			if n++; n > maxPlaces {
				return nil, stopf("read at an unknown offset over more than %d written bytes", maxPlaces)
			}
			out = x.choose(x.b.Eq(off, x.b.Const(uint64(at), 64)), x.slotByte(sl), out)
		}
	}
	return out, nil
}

func (x *exec) beneath(l *layer, place some) (*value, error) {
	if l.below == nil {
		return x.baseAnywhere(l.base, place)
	}
	off := place.off
	out, err := x.layerAnywhere(l.below, place)
	if err != nil || l.under == nil {
		return out, err
	}
	in := x.covers(l.under, off)
	if in == expr.False {
		return out, nil
	}
	v, err := l.under.at(x.b.Sub(off, l.under.start))
	if err != nil {
		return nil, err
	}
	return x.choose(in, v, out), nil
}

func (x *exec) baseAnywhere(c *base, place some) (*value, error) {
	off := place.off
	switch c.kind {
	case baseUninit:
		return &value{e: x.b.Const(0, 8), poison: expr.True, exact: true}, nil
	case baseZero:
		return intValue(x.b.Const(0, 8)), nil
	case baseFree:
		return x.freeByte(c, off), nil
	case baseInput:
		return x.inputAnywhere(c.input, place)
	case baseUnknown:
		return x.unknownByte(c, off), nil
	case baseChoice:
		return x.choiceAnywhere(c.choice, place)
	case baseGlobal:
		if v, ok := x.tableAnywhere(c, off); ok {
			return v, nil
		}
	}
	return nil, stopf("read at an unknown offset in a large object")
}

// maxTable bounds the constants that are read through a table, in bytes.
const maxTable = 1 << 16

// tableAnywhere reads a large constant without pointers or undefined bytes.
func (x *exec) tableAnywhere(c *base, off expr.Expr) (*value, bool) {
	g := c.global
	if len(g.Relocs) > 0 || len(g.Undef) > 0 || len(g.Data) > maxTable {
		return nil, false
	}
	if !c.made {
		elems := make([]uint64, len(g.Data))
		for i, v := range g.Data {
			elems[i] = uint64(v)
		}
		c.array, c.made = x.b.Table(64, 8, elems), true
	}
	return intValue(x.b.Read(c.array, off)), true
}

func (x *exec) choiceAnywhere(c *choice, off some) (*value, error) {
	v, err := x.baseAnywhere(c.a, off)
	if err != nil {
		return nil, err
	}
	w, err := x.baseAnywhere(c.b, off)
	if err != nil {
		return nil, err
	}
	return x.choose(c.sel, v, w), nil
}
