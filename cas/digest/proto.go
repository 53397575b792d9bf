package digest

import (
	"errors"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// Proto returns d as the API's message.
func (d Digest) Proto() *repb.Digest {
	return &repb.Digest{Hash: d.Hash, SizeBytes: d.Size}
}

// FromProto returns the digest that p names. Errors: p is missing or malformed.
func FromProto(p *repb.Digest) (Digest, error) {
	if p == nil {
		return Digest{}, errors.New("digest is missing")
	}
	d := Digest{Hash: p.Hash, Size: p.SizeBytes}
	return d, d.Validate()
}
