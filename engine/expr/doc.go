// Package expr holds bit-vector expressions: the values of registers, memory
// bytes and path conditions while a slice is executed on symbols.
//
// An Expr is a handle into a Builder. Equal expressions have equal handles, so
// comparing two is comparing two integers. There is no type of booleans: a
// truth value is an expression of width 1. Constructors simplify; README.md
// says which form results (the normal form).
//
// Where to look: op.go (operators), builder.go (interning), value.go and
// semantics.go (what the operators mean, on numbers), logic.go, arith.go,
// compare.go, ite.go, shape.go (constructors with their rewrite rules),
// derived.go (constructors made of others), facts.go (known bits and
// intervals), eval.go (models), support.go (free variables), subst.go,
// print.go and smtlib.go.
//
// Handles and everything computed from them are deterministic: the same calls
// in the same order give the same handles. A Builder is not safe for
// concurrent use.
package expr
