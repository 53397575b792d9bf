//go:build !amd64

package stage

// Text returns nil: there is no interpreter in the language of this machine.
func Text() []byte { return nil }
