// Package cas holds the nouns of storage: a content-addressed Store and an
// ActionCache. Implementations and decorators live in the folders below; all
// of them pass the suite in castest.
package cas

import (
	"context"
	"errors"
	"io"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Errors that every implementation returns, wrapped with what was asked for.
var (
	ErrNotFound = errors.New("not found")
	ErrMismatch = errors.New("content does not match its digest")
	ErrRange    = errors.New("offset outside of the blob")
	ErrFull     = errors.New("store is full")
	ErrCorrupt  = errors.New("stored content is corrupt")
)

// Store keeps blobs by digest. The empty blob is always present. All methods
// may be called concurrently. A malformed digest is an error of its own.
type Store interface {
	// Get opens blob d from byte offset on. Offset d.Size yields no bytes. No byte of a corrupt
	// blob's damaged part is ever handed out: that read returns ErrCorrupt, and the blob counts as
	// missing from then on. Errors: ErrNotFound, ErrRange, ErrCorrupt.
	Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error)
	// Put stores r's bytes as blob d. It returns nil only once they are on disk, or were there before;
	// in the latter case r may be left unread. Errors: ErrMismatch if r's bytes are not d's, ErrFull,
	// r's own error.
	Put(ctx context.Context, d digest.Digest, r io.Reader) error
	// Missing returns those of ds that are absent, each once and in the order of ds, and marks the
	// others as used.
	Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error)
}

// ActionCache keeps the results of actions by action digest.
type ActionCache interface {
	// Result returns the cached result of action d; the caller owns it. Errors: ErrNotFound.
	Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error)
	// SetResult stores r as the result of action d, durably, in place of an earlier one. Errors: ErrFull.
	SetResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error
}
