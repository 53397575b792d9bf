// Package remote is a Store and an ActionCache at the other end of a Remote
// Execution API connection.
package remote

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/bazelbuild/remote-apis-sdks/go/pkg/client"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Store is a cas.Store and a cas.ActionCache behind a connection. Calls are
// tried again as the connection's settings say.
type Store struct {
	c   *sdk.Client
	put batch
}

// New returns the store that c is connected to.
func New(c *sdk.Client) *Store { return &Store{c: c} }

// Missing implements cas.Store.
func (s *Store) Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error) {
	seen := make(map[digest.Digest]bool, len(ds))
	asked := make([]digest.Digest, 0, len(ds))
	by := map[digest.Function][]digest.Digest{}
	for _, d := range ds {
		if err := d.Validate(); err != nil {
			return nil, fmt.Errorf("look for %v: %w", d, err)
		}
		if !d.IsEmpty() && !seen[d] {
			seen[d] = true
			asked = append(asked, d)
			by[d.Function] = append(by[d.Function], d)
		}
	}
	lacks := map[digest.Digest]bool{}
	for f, part := range by {
		for some := range slices.Chunk(part, max(1, int(s.c.MaxQueryBatchDigests))) {
			if err := s.ask(ctx, f, some, lacks); err != nil {
				return nil, fmt.Errorf("look for %d blobs: %w", len(asked), translate(err))
			}
		}
	}
	var missing []digest.Digest
	for _, d := range asked {
		if lacks[d] {
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// ask adds to lacks those of ds, all of one function, that the farm does not have.
func (s *Store) ask(ctx context.Context, f digest.Function, ds []digest.Digest, lacks map[digest.Digest]bool) error {
	req := &repb.FindMissingBlobsRequest{InstanceName: s.c.InstanceName, DigestFunction: f.Proto()}
	for _, d := range ds {
		req.BlobDigests = append(req.BlobDigests, d.Proto())
	}
	resp, err := s.c.FindMissingBlobs(ctx, req)
	if err != nil {
		return err
	}
	for _, p := range resp.MissingBlobDigests {
		d, err := f.FromProto(p)
		if err != nil {
			return fmt.Errorf("farm answers with what is no digest: %w", err)
		}
		lacks[d] = true
	}
	return nil
}

// Result implements cas.ActionCache.
func (s *Store) Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error) {
	r, err := s.c.GetActionResult(ctx, &repb.GetActionResultRequest{
		InstanceName: s.c.InstanceName, ActionDigest: d.Proto(), DigestFunction: d.Function.Proto(), InlineStdout: true, InlineStderr: true})
	if err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, translate(err))
	}
	return r, nil
}

// SetResult implements cas.ActionCache. Farms may refuse it.
func (s *Store) SetResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error {
	_, err := s.c.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{
		InstanceName: s.c.InstanceName, ActionDigest: d.Proto(), DigestFunction: d.Function.Proto(), ActionResult: r})
	if err != nil {
		return fmt.Errorf("set result of %v: %w", d, translate(err))
	}
	return nil
}

// translate gives errors of the farm the names that callers look for.
func translate(err error) error {
	names := map[codes.Code]error{
		codes.NotFound:          cas.ErrNotFound,
		codes.OutOfRange:        cas.ErrRange,
		codes.ResourceExhausted: cas.ErrFull,
		codes.DataLoss:          cas.ErrCorrupt,
		codes.Canceled:          context.Canceled,
		codes.DeadlineExceeded:  context.DeadlineExceeded,
	}
	if name, ok := names[status.Code(err)]; ok {
		return fmt.Errorf("%w (%s)", name, status.Convert(err).Message())
	}
	return err
}
