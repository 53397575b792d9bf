// Package complete makes action results whose outputs are gone misses.
package complete

import (
	"context"
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// ActionCache is a cas.ActionCache that returns only results all of whose
// blobs are in a Store, and marks those as used.
type ActionCache struct {
	cas.ActionCache
	store cas.Store
}

// New returns ac's results as far as they are complete in s.
func New(ac cas.ActionCache, s cas.Store) *ActionCache {
	return &ActionCache{ActionCache: ac, store: s}
}

// Result implements cas.ActionCache.
func (c *ActionCache) Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error) {
	r, err := c.ActionCache.Result(ctx, d)
	if err != nil {
		return nil, err
	}
	ok, err := Check(ctx, c.store, d.Function, r)
	if err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, err)
	}
	if !ok {
		return nil, fmt.Errorf("result of %v: outputs are gone: %w", d, cas.ErrNotFound)
	}
	return r, nil
}

// Check reports whether s holds all of Blobs(f, r), and marks them as used. A
// result with malformed digests or trees is not complete; an error is the
// store's.
func Check(ctx context.Context, s cas.Store, f digest.Function, r *repb.ActionResult) (bool, error) {
	blobs, err := Blobs(ctx, s, f, r)
	if IsGone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	missing, err := s.Missing(ctx, blobs)
	return len(missing) == 0, err
}

// IsGone reports whether err says that something is absent or no proper message,
// and not that the store has a problem.
func IsGone(err error) bool {
	return errors.Is(err, cas.ErrNotFound) || errors.Is(err, cas.ErrCorrupt) ||
		errors.Is(err, tree.ErrMalformed) || errors.Is(err, ErrMalformed)
}

// ErrMalformed says that a result holds something that is no digest.
var ErrMalformed = errors.New("malformed action result")

// Blobs returns the digests, by f as its action's is, of all that r promises: output files, stdout and
// stderr, Tree messages and the files inside them, and where r names a root
// directory, that with all below it. Errors: those of the store where a Tree or
// Directory cannot be read, tree.ErrMalformed, ErrMalformed.
func Blobs(ctx context.Context, s cas.Store, f digest.Function, r *repb.ActionResult) ([]digest.Digest, error) {
	var all []digest.Digest
	direct := []*repb.Digest{r.StdoutDigest, r.StderrDigest}
	for _, o := range r.OutputFiles {
		if o.Digest == nil {
			return nil, fmt.Errorf("%w: output file %q has no digest", ErrMalformed, o.Path)
		}
		direct = append(direct, o.Digest)
	}
	for _, p := range direct {
		if p == nil {
			continue // stdout and stderr may be inline
		}
		d, err := f.FromProto(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		all = append(all, d)
	}
	for _, o := range r.OutputDirectories {
		blobs, err := directory(ctx, s, f, o)
		if err != nil {
			return nil, fmt.Errorf("output directory %q: %w", o.Path, err)
		}
		all = append(all, blobs...)
	}
	return all, nil
}

// directory returns the blobs of one output directory, which is named by a
// Tree, by its root, or by both.
func directory(ctx context.Context, s cas.Store, f digest.Function, o *repb.OutputDirectory) ([]digest.Digest, error) {
	var all []digest.Digest
	if o.TreeDigest != nil {
		d, err := f.FromProto(o.TreeDigest)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		msg, err := tree.ReadTree(ctx, s, d)
		if err != nil {
			return nil, err
		}
		all = append(tree.TreeFiles(f, msg), d)
	}
	if o.RootDirectoryDigest != nil {
		d, err := f.FromProto(o.RootDirectoryDigest)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		blobs, err := tree.Closure(ctx, s, d, tree.Limits{})
		if err != nil {
			return nil, err
		}
		all = append(all, blobs...)
	}
	return all, nil
}
