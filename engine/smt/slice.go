package smt

import "github.com/kvfarm/kvfarm/engine/expr"

// slicer splits a conjunction into parts that share no source, and asks for
// each. Of a path condition most parts were asked for before.
type slicer struct {
	b     *expr.Builder
	next  Solver
	stats *Stats
}

// Check is Solver's.
func (s *slicer) Check(conds []expr.Expr) (Result, *expr.Model) {
	p := partition(s.b, conds)
	s.stats.Parts += int64(len(p.parts))
	if len(p.parts) == 1 {
		return s.next.Check(conds)
	}
	models := make([]*expr.Model, len(p.parts))
	result := Sat
	for i, part := range p.parts { // one that cannot hold settles all, even behind one left open
		var r Result
		switch r, models[i] = s.next.Check(part); r {
		case Unsat:
			return Unsat, nil
		case Unknown:
			result = Unknown
		}
	}
	if result != Sat {
		return result, nil
	}
	return Sat, p.combine(s.b, models)
}

// parts is a conjunction that was split.
type parts struct {
	parts   [][]expr.Expr // each in the order of the conjunction
	sources []expr.Source // of all of it
	part    []int         // by source: the part that depends on it
}

// partition groups conds: those that share a source, and what follows from that.
func partition(b *expr.Builder, conds []expr.Expr) parts {
	leader := make([]int, len(conds))
	find := func(i int) int {
		for leader[i] != i {
			leader[i] = leader[leader[i]]
			i = leader[i]
		}
		return i
	}
	var p parts
	user := map[expr.Source]int{} // a condition that depends on the source
	for i, e := range conds {
		leader[i] = i
		for _, src := range b.Support(e) {
			j, ok := user[src]
			if !ok {
				user[src] = i
				p.sources = append(p.sources, src)
				continue
			}
			x, y := find(i), find(j)
			leader[max(x, y)] = min(x, y)
		}
	}
	at := make([]int, len(conds)) // by leader: 1+its part
	for i, e := range conds {
		l := find(i)
		if at[l] == 0 {
			p.parts = append(p.parts, nil)
			at[l] = len(p.parts)
		}
		p.parts[at[l]-1] = append(p.parts[at[l]-1], e)
	}
	for _, src := range p.sources {
		p.part = append(p.part, at[find(user[src])]-1)
	}
	return p
}

// combine takes each source's values from the model of the part that depends
// on it; the model of a part may be about more than the part.
func (p *parts) combine(b *expr.Builder, models []*expr.Model) *expr.Model {
	all := expr.NewModel()
	for i, src := range p.sources {
		all.Take(b, models[p.part[i]], src)
	}
	return all
}
