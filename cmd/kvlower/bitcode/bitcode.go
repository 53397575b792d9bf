// Package bitcode reads LLVM bitcode. Reading needs LLVM 22 and the build tag
// "llvm" (README.md of the command says how to build); decoding the stream that
// it writes needs neither.
package bitcode

import "errors"

// ErrNoLLVM is returned by Read in a binary that was built without LLVM.
var ErrNoLLVM = errors.New("built without LLVM: build with -tags llvm")
