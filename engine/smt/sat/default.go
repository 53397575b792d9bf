//go:build !cadical

package sat

import "errors"

// Backend names what New makes.
const Backend = "cdcl"

// Quick makes a backend for queries that take few conflicts, nil if New's is as good.
var Quick func() Solver

// New returns the default backend.
func New() Solver { return NewCDCL() }

// Prove needs CaDiCaL.
func Prove(string, int64, string) (Result, error) {
	return Unknown, errors.New("no proofs: this program was built without CaDiCaL")
}
