// Package smt decides whether bit-vector conditions can hold together.
//
// New composes the chain; each stage is a Solver around the next: fold.go
// (conjuncts, contradictions), recent.go (models found before), slice.go
// (independent parts), cache.go (answers given before), blast.go (gates and
// SAT). README.md says what each is for and what it costs.
package smt
