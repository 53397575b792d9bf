// Package module holds a linked LLVM module as the stream of package bitcode
// brings it, and decodes that stream. In a module, the Index of an ir.Value of
// kind FuncAddr or ExternAddr counts Module.Funcs, that of GlobalAddr Module.Globals.
package module

import "github.com/kvfarm/kvfarm/engine/ir"

// Module is a linked module.
type Module struct {
	Triple    string
	Positions []Position
	Globals   []*Global
	Funcs     []*Func
	Roots     []string // symbols of the functions that the last file defines and other modules may call
	// ParamTypes are the types of parameters as debug information lists them, by symbol:
	// with those of size zero, without an indirect result.
	ParamTypes map[string][]*DebugType
}

// Global is an ir.Global with the name that it has in LLVM.
type Global struct {
	ir.Global
	Name string
}

// Func is a function or declaration.
type Func struct {
	Symbol    string // mangled
	Name      string // demangled path without hashes; for an intrinsic the name without type suffixes
	Defined   bool
	Intrinsic bool
	Own       bool   // the last file defines it
	File      string // that declares it, empty if unknown
	Line      int
	Sig       ir.Sig
	// ParamNames are the names that rustc gives to parameters, empty where it gives none.
	// The two halves of a pair have the suffixes .0 and .1.
	ParamNames []string
	Regs       []*ir.Type
	Blocks     []*ir.Block
	At         [][]int // by block and instruction: 1 + index in Positions, 0 if unknown
}

// Position is a place in the source. An inlined place has a Parent: 1 + the
// index of the place that it was inlined into.
type Position struct {
	File      string
	Line, Col int
	Func      string // demangled
	Parent    int
}
