package smt

import (
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// corer is a last stage that can say why a conjunction cannot hold.
type corer interface {
	Solver
	// Core returns those of the conditions of the last Check that cannot hold together; it
	// answered Unsat.
	Core() []expr.Expr
}

// cache keeps answers, Unknown too, which is good for queries that may spend no
// more; not that of a brief one. It also knows a conjunction to be contradictory
// that contains one that was.
type cache struct {
	next    corer
	left    *budget
	stats   *Stats
	answers map[uint64][]answer
	size    int                         // conditions in answers
	cores   map[expr.Expr][][]expr.Expr // by their youngest condition
}

type answer struct {
	conds  []expr.Expr
	result Result
	model  *expr.Model
	limit  int64 // conflicts that the query could spend
}

// cacheSize bounds the memory of a cache, in conditions of 4 bytes.
const cacheSize = 1 << 24

func newCache(next corer, st *Stats, left *budget) *cache {
	return &cache{next: next, left: left, stats: st, answers: map[uint64][]answer{}, cores: map[expr.Expr][][]expr.Expr{}}
}

// Check is Solver's. conds are ascending.
func (c *cache) Check(conds []expr.Expr) (Result, *expr.Model) {
	key := hash(conds)
	for _, a := range c.answers[key] {
		if slices.Equal(a.conds, conds) && (a.result != Unknown || a.limit >= c.left.left()) {
			c.stats.Cached++
			return a.result, a.model
		}
	}
	if c.hasCore(conds) {
		c.stats.Cached++
		return Unsat, nil
	}
	if c.left.total <= 0 {
		return Unknown, nil // what is yet to be made before SAT is asked costs too
	}
	limit := c.left.left()
	r, m := c.next.Check(conds)
	switch {
	case r == Unsat:
		c.addCore(c.next.Core())
	case r == Unknown && c.left.brief:
		return r, m
	}
	if c.size += len(conds); c.size > cacheSize {
		clear(c.answers)
		c.size = len(conds)
	}
	c.answers[key] = append(c.answers[key], answer{slices.Clone(conds), r, m, limit})
	return r, m
}

func (c *cache) addCore(core []expr.Expr) {
	last := core[len(core)-1]
	c.cores[last] = append(c.cores[last], core)
}

func (c *cache) hasCore(conds []expr.Expr) bool {
	for i, e := range conds {
		for _, core := range c.cores[e] {
			if subset(core, conds[:i+1]) {
				return true
			}
		}
	}
	return false
}

// subset reports whether all of x are in y; both are ascending.
func subset(x, y []expr.Expr) bool {
	for _, e := range x {
		i, ok := slices.BinarySearch(y, e)
		if !ok {
			return false
		}
		y = y[i+1:]
	}
	return true
}

func hash(conds []expr.Expr) uint64 {
	h := uint64(14695981039346656037)
	for _, e := range conds {
		h = (h ^ uint64(e)) * 1099511628211
	}
	return h
}
