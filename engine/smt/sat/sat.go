// Package sat is the door to propositional solvers: clauses in, answers within
// a budget of conflicts out.
//
// Backends: CaDiCaL in process (build tag cadical) and one in Go. All of them
// pass the suite in smttest.
package sat

// Result is the answer of a solver.
type Result uint8

// The answers.
const (
	Unknown Result = iota // the budget is used up
	Sat
	Unsat
)

// String returns the answer in SMT-LIB's words.
func (r Result) String() string {
	return [...]string{"unknown", "sat", "unsat"}[r]
}

// Lit is a literal as in DIMACS: a variable from 1 on, negative when negated.
type Lit int32

// Solver is an incremental propositional solver. The same calls in the same
// order give the same answers, values and counts.
type Solver interface {
	// AddClause adds a disjunction for good. Variables exist by being mentioned.
	AddClause(lits ...Lit)
	// Solve decides the clauses under assumptions with at most about budget conflicts; it
	// returns Unknown when they do not suffice. conflicts is how many it used.
	Solve(budget int64, assumptions ...Lit) (r Result, conflicts int64)
	// Value returns l's value after Sat, and after Unsat whether assumption l was needed.
	Value(l Lit) bool
}

// Focuser is a Solver that need not give every variable a value.
type Focuser interface {
	// Focus says which variables matter from now on: Solve answers Sat when these have values
	// and no clause is false. The caller vouches that the others can then be given values too.
	Focus(vars []Lit)
}

// Releaser is a Solver that holds memory of its own. It must not be used after
// Release.
type Releaser interface{ Release() }
