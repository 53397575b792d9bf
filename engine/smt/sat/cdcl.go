package sat

// cdcl is a solver with conflict-driven clause learning, as in MiniSat: two
// watched literals, first unique implication points, decaying activities,
// saved phases, Luby restarts, learnt clauses kept by how many levels they
// touch. All arithmetic is on integers, so that every machine counts the same.
type cdcl struct {
	arena   []uint32  // clauses: size, grade, literals; see clause.go
	watches [][]watch // by literal: clauses to look at when it becomes false
	vals    []int8    // by literal: 1 true, -1 false, 0 open
	vars    []variable
	trail   []lit
	limits  []int // by decision level: where in trail it starts
	head    int   // of trail: what is not yet propagated
	order   queue
	phase   []bool
	failed  marks // assumptions behind the last Unsat
	focus   marks // variables that matter; see Focus
	focused bool  // not all do
	broken  bool  // the clauses contradict each other
	last    Result
	learnt  int // learnt clauses in arena
	keep    int // reduce above this many
	seen    []bool
	clause  []lit // being learnt, or added
	want    []lit // what is assumed
	clear   []lit // whose seen mark is set
	touched marks // levels of the clause that is learnt
	stack   []lit
	slab    []watch // where the first watches of literals come from
}

// lit is 2*variable, plus 1 when negated.
type lit uint32

func (l lit) v() int { return int(l >> 1) }

type variable struct {
	level  int32
	reason uint32 // clause that implied it, 0 for decisions
}

type watch struct {
	clause  uint32 // and a mark: blocker is all else there is to the clause
	blocker lit    // if true the clause is
}

// isPair marks the watch of a clause of two literals.
const isPair = 1 << 31

// firstWatches is how many watches a literal has room for before it needs more.
const firstWatches = 4

// NewCDCL returns the backend in Go.
func NewCDCL() Solver {
	s := &cdcl{keep: 4000, arena: make([]uint32, 1)}
	s.order.inc = 1 << 20
	return s
}

func (s *cdcl) lit(l Lit) lit {
	v := int(max(l, -l)) - 1
	for len(s.vars) <= v {
		s.vars = append(s.vars, variable{})
		s.vals = append(s.vals, 0, 0)
		s.watches = append(s.watches, s.room(), s.room())
		s.phase = append(s.phase, false)
		s.seen = append(s.seen, false)
		if s.order.know(len(s.vars) - 1); !s.focused {
			s.order.add(len(s.vars) - 1)
		}
	}
	if l < 0 {
		return lit(2*v + 1)
	}
	return lit(2 * v)
}

// room returns an empty list that its first watches fit.
func (s *cdcl) room() []watch {
	if len(s.slab) < firstWatches {
		s.slab = make([]watch, 256*firstWatches)
	}
	out := s.slab[:0:firstWatches]
	s.slab = s.slab[firstWatches:]
	return out
}

// AddClause is Solver's.
func (s *cdcl) AddClause(lits ...Lit) {
	s.backtrack(0)
	c := s.clause[:0]
	for _, l := range lits {
		x := s.lit(l)
		switch {
		case s.vals[x] == 1 || contains(c, x^1):
			return
		case s.vals[x] == 0 && !contains(c, x):
			c = append(c, x)
		}
	}
	s.clause = c
	switch len(c) {
	case 0:
		s.broken = true
	case 1:
		s.assign(c[0], 0)
		s.broken = s.broken || s.propagate() != 0
	default:
		s.attach(s.store(c, 0))
	}
}

// Focus is Focuser's.
func (s *cdcl) Focus(vars []Lit) {
	s.backtrack(0)
	s.focused = true
	s.focus.clear()
	for _, l := range vars {
		v := s.lit(l).v()
		s.focus.set(v)
		if s.vals[2*v] == 0 {
			s.order.add(v)
		}
	}
}

// matters reports whether v must have a value before the answer is Sat.
func (s *cdcl) matters(v int) bool { return !s.focused || s.focus.has(v) }

func contains(c []lit, x lit) bool {
	for _, l := range c {
		if l == x {
			return true
		}
	}
	return false
}

// Value is Solver's.
func (s *cdcl) Value(l Lit) bool {
	if s.last == Unsat {
		return s.failed.has(int(s.lit(l)))
	}
	return s.vals[s.lit(l)] == 1
}

// Solve is Solver's.
func (s *cdcl) Solve(budget int64, assumptions ...Lit) (Result, int64) {
	s.backtrack(0)
	s.failed.clear()
	s.want = s.want[:0]
	for _, l := range assumptions {
		s.want = append(s.want, s.lit(l))
	}
	var used int64
	s.last = Unknown
	if s.broken {
		s.last = Unsat
	}
	for round := int64(1); s.last == Unknown && used < budget; round++ {
		r, n := s.search(min(128*luby(round), budget-used), s.want)
		s.last = r
		used += n
	}
	if s.last != Sat {
		s.backtrack(0)
	}
	return s.last, used
}

// luby returns element i, from 1 on, of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ...
func luby(i int64) int64 {
	for k := int64(1); ; k++ {
		switch end := int64(1)<<k - 1; {
		case i == end:
			return 1 << (k - 1)
		case i < end:
			return luby(i - (1<<(k-1) - 1))
		}
	}
}

// search works until it has an answer or has met limit conflicts.
func (s *cdcl) search(limit int64, want []lit) (Result, int64) {
	var conflicts int64
	for {
		if clash := s.propagate(); clash != 0 {
			conflicts++
			if len(s.limits) == 0 {
				s.broken = true
				return Unsat, conflicts
			}
			s.learn(clash)
			continue
		}
		if conflicts >= limit {
			s.backtrack(0)
			return Unknown, conflicts
		}
		if s.learnt > s.keep {
			s.reduce()
		}
		next, r := s.decide(want)
		if r != Unknown {
			return r, conflicts
		}
		s.limits = append(s.limits, len(s.trail))
		if next != none {
			s.assign(next, 0)
		}
	}
}

const none = ^lit(0)

// decide returns what to assign on a new level: the next assumption, none if
// that holds already, or the most active variable.
func (s *cdcl) decide(want []lit) (lit, Result) {
	if n := len(s.limits); n < len(want) {
		switch p := want[n]; s.vals[p] {
		case 1:
			return none, Unknown
		case -1:
			s.explain(p)
			return none, Unsat
		default:
			return p, Unknown
		}
	}
	for {
		v, ok := s.order.pop()
		if !ok {
			return none, Sat
		}
		if s.vals[2*v] == 0 && s.matters(v) {
			if s.phase[v] {
				return lit(2 * v), Unknown
			}
			return lit(2*v + 1), Unknown
		}
	}
}

func (s *cdcl) assign(l lit, reason uint32) {
	s.vals[l], s.vals[l^1] = 1, -1
	s.vars[l.v()] = variable{int32(len(s.limits)), reason}
	s.trail = append(s.trail, l)
}

func (s *cdcl) backtrack(level int) {
	if len(s.limits) <= level {
		return
	}
	for i := len(s.trail) - 1; i >= s.limits[level]; i-- {
		l := s.trail[i]
		s.vals[l], s.vals[l^1] = 0, 0
		s.phase[l.v()] = l&1 == 0
		if s.matters(l.v()) {
			s.order.add(l.v())
		}
	}
	s.trail = s.trail[:s.limits[level]]
	s.limits = s.limits[:level]
	s.head = len(s.trail)
}

// propagate assigns what clauses imply and returns a clause that is false, or 0.
func (s *cdcl) propagate() uint32 {
	for s.head < len(s.trail) {
		p := s.trail[s.head] ^ 1 // became false
		s.head++
		ws := s.watches[p]
		kept := 0
		for i, w := range ws {
			moved, clash := false, false
			switch is := s.vals[w.blocker]; {
			case is == 1:
			case w.clause&isPair == 0:
				moved, clash = s.visit(p, w.clause, &w)
			case is == 0:
				s.assign(w.blocker, w.clause&^isPair)
			default:
				clash = true
			}
			if !moved {
				ws[kept] = w
				kept++
			}
			if clash {
				s.watches[p] = append(ws[:kept], ws[i+1:]...)
				s.head = len(s.trail)
				return w.clause &^ isPair
			}
		}
		s.watches[p] = ws[:kept]
	}
	return 0
}

// visit looks at a clause whose watched literal p became false: it watches
// another literal, or the clause implies its first one, or it is false.
func (s *cdcl) visit(p lit, at uint32, w *watch) (moved, clash bool) {
	c := s.lits(at)
	if lit(c[0]) == p {
		c[0], c[1] = c[1], c[0]
	}
	first := lit(c[0])
	w.blocker = first
	if s.vals[first] == 1 {
		return false, false
	}
	for k := 2; k < len(c); k++ {
		if q := lit(c[k]); s.vals[q] != -1 {
			c[1], c[k] = c[k], c[1]
			s.watches[q] = append(s.watches[q], watch{at, first})
			return true, false
		}
	}
	if s.vals[first] == -1 {
		return false, true
	}
	s.assign(first, at)
	return false, false
}
