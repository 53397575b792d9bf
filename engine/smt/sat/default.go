//go:build !cadical

package sat

// Backend names what New makes.
const Backend = "cdcl"

// New returns the default backend.
func New() Solver { return NewCDCL() }
