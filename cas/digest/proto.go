package digest

import (
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// Proto returns d as the API's message, which does not say the function.
func (d Digest) Proto() *repb.Digest {
	return &repb.Digest{Hash: d.Hash, SizeBytes: d.Size}
}

// Proto returns f as the API's value.
func (f Function) Proto() repb.DigestFunction_Value { return functions[f].value }

// FunctionFromProto returns the function that a message names. One that names
// none has it told by the hash's length, and 32 bytes are then a SHA-256.
func FunctionFromProto(v repb.DigestFunction_Value) (Function, error) {
	if v == repb.DigestFunction_UNKNOWN {
		return SHA256, nil
	}
	for f := range functions {
		if functions[f].value == v {
			return Function(f), nil
		}
	}
	return SHA256, fmt.Errorf("digest function %v is not supported: SHA256 and BLAKE3 are", v)
}

// FromProto returns the digest by f that p names. Errors: p is missing or
// malformed.
func (f Function) FromProto(p *repb.Digest) (Digest, error) {
	if p == nil {
		return Digest{}, errors.New("digest is missing")
	}
	d := Digest{Hash: p.Hash, Size: p.SizeBytes, Function: f}
	return d, d.Validate()
}

// FromProto returns the SHA-256 digest that p names, as Function.FromProto does.
// It is for messages that our own client made.
func FromProto(p *repb.Digest) (Digest, error) { return SHA256.FromProto(p) }
