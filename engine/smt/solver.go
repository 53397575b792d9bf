package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// Result is the answer to a query.
type Result = sat.Result

// The answers. Unknown is the zero value: a budget is used up, or no stage of
// the chain can decide.
const (
	Unknown = sat.Unknown
	Sat     = sat.Sat
	Unsat   = sat.Unsat
)

// Solver decides conjunctions.
type Solver interface {
	// Check reports whether all conds, of width 1, can hold together. The model is nil unless the
	// answer is Sat; then all conds hold under it. It must not be changed.
	Check(conds []expr.Expr) (Result, *expr.Model)
}

// Config sets budgets and the backend. The zero Config is usable.
type Config struct {
	QueryConflicts int64 // SAT conflicts that one query may use; 0 means DefaultQueryConflicts
	TotalConflicts int64 // SAT conflicts that all queries together may use; 0 means no limit
	NewSAT         func() sat.Solver
}

// DefaultQueryConflicts bounds one query where Config does not.
const DefaultQueryConflicts = 200_000

// Stats counts what a chain did. All counts repeat exactly.
type Stats struct {
	Queries     int64 // calls of Chain.Check
	Folded      int64 // decided by folding conjuncts
	Recent      int64 // decided by a recent model
	Parts       int64 // independent parts that were looked at
	RecentParts int64 // parts decided by a recent model
	Cached      int64 // parts decided by the cache
	Blasted     int64 // parts given to SAT
	Unknown     int64 // parts that SAT left open
	Conflicts   int64 // conflicts in SAT
	Restarts    int64 // times SAT began anew because most of what it knew had become irrelevant
	Gates       int64 // gates made
	Clauses     int64 // clauses given to SAT
	Lemmas      int64 // equalities of array elements added
}

// Chain is the whole solver for expressions of one Builder.
type Chain struct {
	Solver
	stats *Stats
}

// New returns the chain of all stages for expressions of b.
func New(b *expr.Builder, cfg Config) *Chain {
	if cfg.QueryConflicts == 0 {
		cfg.QueryConflicts = DefaultQueryConflicts
	}
	if cfg.NewSAT == nil {
		cfg.NewSAT = sat.New
	}
	st := new(Stats)
	var s Solver = newCache(newBlast(b, cfg, st), st)
	s = &recent{b: b, next: s, count: &st.RecentParts}
	s = &slicer{b: b, next: s, stats: st}
	s = &recent{b: b, next: s, count: &st.Recent}
	s = &folder{b: b, next: s, stats: st}
	return &Chain{s, st}
}

// Check is Solver's.
func (c *Chain) Check(conds []expr.Expr) (Result, *expr.Model) {
	c.stats.Queries++
	return c.Solver.Check(conds)
}

// Stats returns the counts so far.
func (c *Chain) Stats() Stats { return *c.stats }
