package expr

import "slices"

// Source is something free that an expression depends on: a variable or a free array.
type Source uint32

// Support returns the sources of e in ascending order. It is kept per node, and
// the slice is shared: it must not be changed.
func (b *Builder) Support(e Expr) []Source {
	s := &b.support
	s.grow(len(b.nodes))
	b.Walk(e, func(x Expr) bool { return s.of[x.node()] != 0 }, func(x Expr) { s.of[x.node()] = b.supportOf(x) })
	return s.sets[s.of[e.node()]-1]
}

// supports keeps sets of sources, each once.
type supports struct {
	of     []uint32 // by node: 1+set, 0 if not yet known
	sets   [][]Source
	arrays []bool // by set: it holds a free array
	byHash map[uint64][]uint32
	unions map[[2]uint32]uint32
}

func (s *supports) grow(n int) {
	if s.sets == nil {
		s.sets, s.arrays = [][]Source{nil}, []bool{false}
		s.byHash = map[uint64][]uint32{}
		s.unions = map[[2]uint32]uint32{}
	}
	if n > len(s.of) {
		s.of = append(s.of, make([]uint32, n-len(s.of))...)
	}
}

// readsFree reports whether e, whose support is known, depends on a free array.
func (b *Builder) readsFree(e Expr) bool {
	s := &b.support
	return s.arrays[s.of[e.node()]-1]
}

const emptySupport = 1

func (b *Builder) supportOf(e Expr) uint32 {
	s := &b.support
	n := &b.nodes[e.node()]
	switch {
	case n.op == OpVar:
		return s.intern([]Source{Source(2 * n.aux)})
	case n.op == OpRead && b.arrays[n.aux].free:
		return s.union(s.intern([]Source{Source(2*n.aux + 1)}), s.of[n.a.node()])
	}
	set := uint32(emptySupport)
	args := [...]Expr{n.a, n.b, n.c}
	for _, arg := range args[:opArity[n.op]] {
		set = s.union(set, s.of[arg.node()])
	}
	return set
}

func (s *supports) union(x, y uint32) uint32 {
	switch {
	case x == y || y == emptySupport:
		return x
	case x == emptySupport:
		return y
	}
	key := [2]uint32{min(x, y), max(x, y)}
	set, ok := s.unions[key]
	if !ok {
		set = s.intern(merge(s.sets[x-1], s.sets[y-1]))
		s.unions[key] = set
	}
	return set
}

func merge(x, y []Source) []Source {
	out := make([]Source, 0, len(x)+len(y))
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] < y[0]:
			out, x = append(out, x[0]), x[1:]
		case x[0] > y[0]:
			out, y = append(out, y[0]), y[1:]
		default:
			out, x, y = append(out, x[0]), x[1:], y[1:]
		}
	}
	return append(append(out, x...), y...)
}

func (s *supports) intern(set []Source) uint32 {
	h := uint64(14695981039346656037)
	for _, src := range set {
		h = (h ^ uint64(src)) * 1099511628211
	}
	for _, id := range s.byHash[h] {
		if slices.Equal(s.sets[id-1], set) {
			return id
		}
	}
	s.sets = append(s.sets, set)
	s.arrays = append(s.arrays, slices.ContainsFunc(set, func(src Source) bool { return src%2 == 1 }))
	id := uint32(len(s.sets))
	s.byHash[h] = append(s.byHash[h], id)
	return id
}
