//go:build !llvm

package bitcode

// Read returns ErrNoLLVM.
func Read([]string, string) ([]byte, error) { return nil, ErrNoLLVM }
