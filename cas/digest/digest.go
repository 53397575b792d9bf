// Package digest names blobs by content, as the Remote Execution API does: a
// hash and a size, which belong together.
package digest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Digest names a blob. The zero value names nothing.
type Digest struct {
	Hash string // lower-case hex
	Size int64  // bytes
}

// Empty is the digest of the blob of no bytes.
var Empty = Of(nil)

// Of returns the SHA-256 digest of b.
func Of(b []byte) Digest {
	h := sha256.Sum256(b)
	return Digest{Hash: hex.EncodeToString(h[:]), Size: int64(len(b))}
}

// OfReader digests r up to its end.
func OfReader(r io.Reader) (Digest, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return Digest{}, fmt.Errorf("digest stream: %w", err)
	}
	return Digest{Hash: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// String returns "hash/size", the form that REv2 resource names use.
func (d Digest) String() string { return d.Hash + "/" + strconv.FormatInt(d.Size, 10) }

// IsZero reports whether d names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// Parse is the inverse of String.
func Parse(s string) (Digest, error) {
	hash, size, ok := strings.Cut(s, "/")
	if !ok {
		return Digest{}, fmt.Errorf("parse digest %q: want hash/size", s)
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return Digest{}, fmt.Errorf("parse digest %q: size is no number", s)
	}
	d := Digest{Hash: hash, Size: n}
	if err := d.Validate(); err != nil {
		return Digest{}, err
	}
	if d.String() != s {
		return Digest{}, fmt.Errorf("parse digest %q: size is not in plain decimal", s)
	}
	return d, nil
}

// Validate reports what is wrong with d's form: the hash is 64 lower-case hex
// digits, the size is not negative.
func (d Digest) Validate() error {
	if _, ok := d.raw(); !ok {
		return fmt.Errorf("digest %q: hash is not %d lower-case hex digits", d.Hash, 2*sha256.Size)
	}
	if d.Size < 0 {
		return fmt.Errorf("digest %v: negative size", d)
	}
	return nil
}

// Compare orders digests by hash, then by size.
func Compare(a, b Digest) int {
	return cmp.Or(strings.Compare(a.Hash, b.Hash), cmp.Compare(a.Size, b.Size))
}
