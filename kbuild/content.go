package kbuild

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// Blobs is Content in memory.
type Blobs map[digest.Digest][]byte

// Open implements Content.
func (b Blobs) Open(d digest.Digest) (io.ReadCloser, error) {
	data, ok := b[d]
	if !ok {
		return nil, fmt.Errorf("open %v: %w", d, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// Add makes data part of b and returns an entry for it.
func (b Blobs) Add(data []byte) tree.Entry {
	d := digest.Of(data)
	b[d] = data
	return tree.Entry{Digest: d}
}

// Either is the content of a and b, of which either may be nil.
func Either(a, b Content) Content {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return either{a, b}
}

type either [2]Content

func (e either) Open(d digest.Digest) (io.ReadCloser, error) {
	r, err := e[0].Open(d)
	if errors.Is(err, fs.ErrNotExist) {
		return e[1].Open(d)
	}
	return r, err
}
