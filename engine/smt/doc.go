// Package smt decides whether bit-vector conditions can hold together.
//
// New composes the chain; each stage is a Solver around the next: fold.go
// (conjuncts, contradictions), recent.go (models found before), slice.go
// (independent parts), cache.go (answers given before), numbers.go (whole
// numbers), lazy.go (as few conditions as will do), query.go (SAT). Below that
// are blast.go and words.go (expressions to circuits), gates.go, divide.go and
// cnf.go (circuits to clauses). refute.go makes formulas whose proofs others can
// check. README.md says what each is for and what it costs.
package smt
