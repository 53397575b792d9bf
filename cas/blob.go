package cas

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// ReadBlob returns all of blob d, which must not be larger than limit bytes.
func ReadBlob(ctx context.Context, s Store, d digest.Digest, limit int64) ([]byte, error) {
	if d.Size > limit {
		return nil, fmt.Errorf("read %v: larger than the limit of %d bytes", d, limit)
	}
	r, err := s.Get(ctx, d, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, d.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read %v: %w", d, err)
	}
	return b, nil
}

// PutBlob stores b and returns its digest.
func PutBlob(ctx context.Context, s Store, b []byte) (digest.Digest, error) {
	d := digest.Of(b)
	return d, s.Put(ctx, d, bytes.NewReader(b))
}

// Blob is content in memory under the digest it claims to have.
type Blob struct {
	Digest digest.Digest
	Data   []byte
}

// Batcher is a Store that takes many small blobs at the price of one flush.
type Batcher interface {
	// PutBatch puts every blob as Put would and returns one error (or nil) for each.
	PutBatch(ctx context.Context, blobs []Blob) []error
}

// Reader is a Store that reads many small blobs at the price of few.
type Reader interface {
	// ReadBatch reads every blob as Get would, and returns the content or the error of each.
	ReadBatch(ctx context.Context, ds []digest.Digest) ([][]byte, []error)
}

// ReadBlobs reads whole blobs from s, all at once if s can, and returns the content
// or the error of each. The caller bounds their sizes.
func ReadBlobs(ctx context.Context, s Store, ds []digest.Digest) ([][]byte, []error) {
	if r, ok := s.(Reader); ok {
		return r.ReadBatch(ctx, ds)
	}
	contents, errs := make([][]byte, len(ds)), make([]error, len(ds))
	for i, d := range ds {
		contents[i], errs[i] = ReadBlob(ctx, s, d, d.Size)
	}
	return contents, errs
}

// OneError is the error of a batch, nil if none of its blobs has one. The first
// speaks for all: what keeps out one, such as a full disk, keeps out hundreds.
func OneError(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return fmt.Errorf("%w (and %d more blobs)", errs[0], len(errs)-1)
}

// parallelPuts bounds the puts in flight towards a store that takes no batches.
const parallelPuts = 32

// PutBatch puts blobs into s, all at once if s can, and returns one error (or nil) for each.
func PutBatch(ctx context.Context, s Store, blobs []Blob) []error {
	if b, ok := s.(Batcher); ok {
		return b.PutBatch(ctx, blobs)
	}
	errs := make([]error, len(blobs))
	var g errgroup.Group
	g.SetLimit(parallelPuts)
	for i, b := range blobs {
		g.Go(func() error {
			errs[i] = s.Put(ctx, b.Digest, bytes.NewReader(b.Data))
			return nil
		})
	}
	_ = g.Wait() // each put's error is in errs
	return errs
}
