// Package digest names blobs by content, as the Remote Execution API does: a
// hash and a size, which belong together, and the function that the hash is of.
package digest

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Digest names a blob. The zero value names nothing.
type Digest struct {
	Hash     string   // lower-case hex
	Size     int64    // bytes
	Function Function `json:",omitempty"`
}

// Empty is the SHA-256 digest of the blob of no bytes.
var Empty = Of(nil)

// Of returns the SHA-256 digest of b.
func Of(b []byte) Digest { return SHA256.Of(b) }

// OfReader returns the SHA-256 digest of r's bytes, up to its end.
func OfReader(r io.Reader) (Digest, error) { return SHA256.OfReader(r) }

// String returns "hash/size", the form that REv2 resource names use, and as in
// these the function's name before that if the hash alone does not tell it:
// "blake3/hash/size".
func (d Digest) String() string {
	plain := d.Hash + "/" + strconv.FormatInt(d.Size, 10)
	if d.Function == SHA256 {
		return plain
	}
	return d.Function.String() + "/" + plain
}

// IsZero reports whether d names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// IsEmpty reports whether d is the blob of no bytes, by its function.
func (d Digest) IsEmpty() bool { return d.Size == 0 && d == d.Function.Empty() }

// Parse is the inverse of String. A SHA-256 may be named as such.
func Parse(s string) (Digest, error) {
	rest, function := s, SHA256
	for f := range functions {
		if after, ok := strings.CutPrefix(s, Function(f).String()+"/"); ok {
			rest, function = after, Function(f)
		}
	}
	hash, size, ok := strings.Cut(rest, "/")
	if !ok {
		return Digest{}, fmt.Errorf("parse digest %q: want hash/size", s)
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return Digest{}, fmt.Errorf("parse digest %q: size is no number", s)
	}
	d := Digest{Hash: hash, Size: n, Function: function}
	if err := d.Validate(); err != nil {
		return Digest{}, err
	}
	if strconv.FormatInt(n, 10) != size {
		return Digest{}, fmt.Errorf("parse digest %q: size is not in plain decimal", s)
	}
	return d, nil
}

// Validate reports what is wrong with d's form: the hash is 64 lower-case hex
// digits, the size is not negative.
func (d Digest) Validate() error {
	if !d.decode(new([hashLen]byte)) {
		return fmt.Errorf("digest %q: hash is not %d lower-case hex digits", d.Hash, 2*hashLen)
	}
	if d.Size < 0 {
		return fmt.Errorf("digest %v: negative size", d)
	}
	return nil
}

// Compare orders digests by hash, then by size, then by function.
func Compare(a, b Digest) int {
	return cmp.Or(strings.Compare(a.Hash, b.Hash), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Function, b.Function))
}
