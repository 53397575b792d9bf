package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/zeebo/blake3"
)

// Function is how a hash is computed. All functions give 32 bytes, so a hash
// does not tell its function; messages of the API that hold digests do not
// either: whoever reads one knows the function of the digest that led to it.
type Function uint8

// The functions. SHA256 is the zero value: what names none is one.
const (
	SHA256 Function = iota
	BLAKE3
)

// hashLen is the length in bytes of every function's hash.
const hashLen = sha256.Size

// functions says what differs between them.
var functions = [...]struct {
	name  string // in resource names
	value repb.DigestFunction_Value
	new   func() hash.Hash
	sum   func([]byte) [hashLen]byte
	empty Digest
}{
	SHA256: {name: "sha256", value: repb.DigestFunction_SHA256, new: sha256.New, sum: sha256.Sum256, empty: emptyOf(SHA256, sha256.Sum256)},
	BLAKE3: {name: "blake3", value: repb.DigestFunction_BLAKE3, new: newBLAKE3, sum: blake3.Sum256, empty: emptyOf(BLAKE3, blake3.Sum256)},
}

func newBLAKE3() hash.Hash { return blake3.New() }

func emptyOf(f Function, sum func([]byte) [hashLen]byte) Digest { return f.FromRaw(sum(nil), 0) }

// Functions returns all functions.
func Functions() []Function { return []Function{SHA256, BLAKE3} }

// String returns the name that f has in resource names.
func (f Function) String() string {
	if int(f) >= len(functions) {
		return fmt.Sprintf("function %d", uint8(f))
	}
	return functions[f].name
}

// New returns a hash to write to.
func (f Function) New() hash.Hash { return functions[f].new() }

// Sum returns the hash of b.
func (f Function) Sum(b []byte) [hashLen]byte { return functions[f].sum(b) }

// Empty is the digest of the blob of no bytes.
func (f Function) Empty() Digest { return functions[f].empty }

// Of returns the digest of b.
func (f Function) Of(b []byte) Digest { return f.FromRaw(f.Sum(b), int64(len(b))) }

// OfReader digests r up to its end.
func (f Function) OfReader(r io.Reader) (Digest, error) {
	h := f.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return Digest{}, fmt.Errorf("digest stream: %w", err)
	}
	return f.OfHash(h, n), nil
}

// OfHash returns the digest of the size bytes that have been written to h, which
// is f's.
func (f Function) OfHash(h hash.Hash, size int64) Digest {
	return Digest{Hash: hex.EncodeToString(h.Sum(nil)), Size: size, Function: f}
}

// FromRaw is the inverse of Raw.
func (f Function) FromRaw(raw [hashLen]byte, size int64) Digest {
	return Digest{Hash: hex.EncodeToString(raw[:]), Size: size, Function: f}
}
