//go:build !llvm

package bitcode

// Read returns ErrNoLLVM.
func Read(_, _ []string) ([]byte, error) { return nil, ErrNoLLVM }
