//go:build !cadical

package sat

import "errors"

// Backend names what New makes.
const Backend = "cdcl"

// New returns the default backend.
func New() Solver { return NewCDCL() }

// Prove needs CaDiCaL.
func Prove(string, int64, string) (Result, error) {
	return Unknown, errors.New("no proofs: this program was built without CaDiCaL")
}
