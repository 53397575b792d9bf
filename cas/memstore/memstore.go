// Package memstore is the Store and the ActionCache in maps: the reference
// that the others are compared with, and the double in tests.
package memstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Store is a cas.Store in memory. The zero value is ready for use.
type Store struct {
	mu    sync.RWMutex
	blobs map[digest.Digest][]byte
}

// New returns an empty Store.
func New() *Store { return &Store{} }

// Get implements cas.Store.
func (s *Store) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	if err := check(ctx, d); err != nil {
		return nil, fmt.Errorf("get %v: %w", d, err)
	}
	b, ok := s.blob(d)
	if !ok {
		return nil, fmt.Errorf("get %v: %w", d, cas.ErrNotFound)
	}
	if offset < 0 || offset > d.Size {
		return nil, fmt.Errorf("get %v from %d: %w", d, offset, cas.ErrRange)
	}
	return io.NopCloser(&reader{ctx: ctx, r: bytes.NewReader(b[offset:])}), nil
}

// Put implements cas.Store.
func (s *Store) Put(ctx context.Context, d digest.Digest, r io.Reader) error {
	if err := check(ctx, d); err != nil {
		return fmt.Errorf("put %v: %w", d, err)
	}
	if _, ok := s.blob(d); ok {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(&reader{ctx: ctx, r: r}, d.Size+1))
	if err != nil {
		return fmt.Errorf("put %v: %w", d, err)
	}
	if got := d.Function.Of(b); got != d {
		return fmt.Errorf("put %v: %w", d, cas.ErrMismatch)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs == nil {
		s.blobs = map[digest.Digest][]byte{}
	}
	s.blobs[d] = b
	return nil
}

// Missing implements cas.Store.
func (s *Store) Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error) {
	var missing []digest.Digest
	seen := map[digest.Digest]bool{}
	for _, d := range ds {
		if err := check(ctx, d); err != nil {
			return nil, fmt.Errorf("look for %v: %w", d, err)
		}
		if _, ok := s.blob(d); !ok && !seen[d] {
			seen[d] = true
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// Delete drops blobs, as garbage collection does elsewhere.
func (s *Store) Delete(ds ...digest.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range ds {
		delete(s.blobs, d)
	}
}

// Digests returns what is stored, sorted by hash.
func (s *Store) Digests() []digest.Digest {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ds := make([]digest.Digest, 0, len(s.blobs))
	for d := range s.blobs {
		ds = append(ds, d)
	}
	slices.SortFunc(ds, digest.Compare)
	return ds
}

func (s *Store) blob(d digest.Digest) ([]byte, bool) {
	if d.IsEmpty() {
		return nil, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.blobs[d]
	return b, ok
}

func check(ctx context.Context, d digest.Digest) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.Validate()
}

// reader ends r when the context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// ActionCache is a cas.ActionCache in memory. The zero value is ready for use.
type ActionCache struct {
	mu      sync.RWMutex
	results map[digest.Digest]*repb.ActionResult
}

// NewActionCache returns an empty ActionCache.
func NewActionCache() *ActionCache { return &ActionCache{} }

// Result implements cas.ActionCache.
func (c *ActionCache) Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error) {
	if err := check(ctx, d); err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, err)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, ok := c.results[d]
	if !ok {
		return nil, fmt.Errorf("result of %v: %w", d, cas.ErrNotFound)
	}
	return proto.CloneOf(r), nil
}

// SetResult implements cas.ActionCache.
func (c *ActionCache) SetResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error {
	if err := check(ctx, d); err != nil {
		return fmt.Errorf("set result of %v: %w", d, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results = map[digest.Digest]*repb.ActionResult{}
	}
	c.results[d] = proto.CloneOf(r)
	return nil
}
