package smt

import (
	"math"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/linear"
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
	QueryEffort int64 // what one query may cost, in units of effort.go; 0 means DefaultQueryEffort
	TotalEffort int64 // what all queries together may cost; 0 means no limit
	NewSAT      func() sat.Solver
	Quick       func() sat.Solver // a backend that is asked first, for few conflicts; nil: none, or sat.Quick if NewSAT is nil too
	// Watch is told of every query of a chain and its answer. The conditions must not be changed.
	Watch func(conds []expr.Expr, r Result)

	without string // a stage that benchmarks leave out
}

// DefaultQueryEffort bounds one query where Config does not.
const DefaultQueryEffort = 1_000_000

// Stats counts what a chain did. All counts repeat exactly.
type Stats struct {
	Queries     int64 // calls of Chain.Check
	Folded      int64 // decided by folding conjuncts
	Recent      int64 // decided by a recent model
	Parts       int64 // independent parts that were looked at
	RecentParts int64 // parts decided by a recent model
	Cached      int64 // parts decided by the cache
	Repaired    int64 // models that were made of others
	Blasted     int64 // rounds of SAT: a part may take several
	Sketched    int64 // of these, decided by less than all of the circuits
	Unknown     int64 // rounds that SAT left open
	Ranges      int64 // parts refuted by ranges
	Linear      int64 // of these, refuted as numbers
	Conflicts   int64 // conflicts in SAT
	Effort      int64 // what all of it cost, in units of effort.go
	Sessions    int64 // SAT solvers begun
	Gates       int64 // gates made
	Walked      int64 // gates looked at
	Clauses     int64 // clauses given to SAT
	Bound       int64 // equalities of array elements added
}

// Chain is the whole solver for expressions of one Builder.
type Chain struct {
	first  Solver
	stats  *Stats
	query  int64 // effort
	budget *budget
	watch  func([]expr.Expr, Result)
}

// New returns the chain of all stages for expressions of b.
func New(b *expr.Builder, cfg Config) *Chain {
	if cfg.QueryEffort == 0 {
		cfg.QueryEffort = DefaultQueryEffort
	}
	if cfg.TotalEffort == 0 {
		cfg.TotalEffort = math.MaxInt64
	}
	if cfg.NewSAT == nil {
		cfg.NewSAT, cfg.Quick = sat.New, sat.Quick
	}
	st := new(Stats)
	left := &budget{total: cfg.TotalEffort, stats: st}
	bl := newBlaster(b)
	use := func(stage string) bool { return stage != cfg.without }
	blast := newBlast(bl, cfg, st, left)
	var last corer = blast
	var fix *repair
	if use("repair") {
		fix = &repair{b: b, bl: bl, next: last, left: left, stats: st, luck: mostLuck, odds: mostLuck}
		last = fix
	}
	var bound *ranges
	if use("ranges") {
		bound = &ranges{b: b, next: last, left: left, stats: st, fresh: blast.fresh}
		last = bound
	}
	if use("lazy") {
		last = &lazy{bl: bl, next: last, fix: fix, stats: st}
	}
	if use("numbers") {
		last = &numbers{b: b, gauge: linear.NewGauge(b), bound: bound, next: last, left: left, stats: st}
	}
	var s Solver = last
	if use("cache") {
		s = newCache(last, st, left)
	}
	if use("slicer") {
		s = &slicer{b: b, next: s, stats: st}
	}
	if use("recent") {
		s = &recent{b: b, next: s, stats: st}
	}
	s = &folder{b: b, next: s, stats: st}
	watch := cfg.Watch
	if watch == nil {
		watch = func([]expr.Expr, Result) {}
	}
	return &Chain{s, st, cfg.QueryEffort, left, watch}
}

// Check is Solver's.
func (c *Chain) Check(conds []expr.Expr) (Result, *expr.Model) {
	return c.check(conds, budget{query: c.query})
}

// CheckWithin is Check with an effort of n at most, for questions that are not worth more.
func (c *Chain) CheckWithin(conds []expr.Expr, n int64) (Result, *expr.Model) {
	return c.check(conds, budget{query: min(n, c.query), brief: n < c.query})
}

// CheckDoubted is Check for conditions that most likely contradict each other:
// not much is tried to come to a model cheaply. The effort is n at most; if that is less than
// other queries may use, CaDiCaL is not told of what the quick backend has spent it on.
func (c *Chain) CheckDoubted(conds []expr.Expr, n int64) (Result, *expr.Model) {
	return c.check(conds, budget{query: min(n, c.query), doubt: true, hasty: n < c.query})
}

func (c *Chain) check(conds []expr.Expr, of budget) (Result, *expr.Model) {
	c.stats.Queries++
	c.budget.query, c.budget.brief, c.budget.doubt, c.budget.hasty = of.query, of.brief, of.doubt, of.hasty
	r, m := c.first.Check(conds)
	c.watch(conds, r)
	return r, m
}

// Limit sets what each later query may cost.
func (c *Chain) Limit(effort int64) { c.query = effort }

// Stats returns the counts so far.
func (c *Chain) Stats() Stats { return *c.stats }
