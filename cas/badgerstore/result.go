package badgerstore

import (
	"context"
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// maxResult bounds the size in bytes of an encoded ActionResult: it is held in
// memory whole.
const maxResult = 64 << 20

// Result implements cas.ActionCache.
func (s *Store) Result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error) {
	k, err := keyOf(results, d)
	if err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, err)
	}
	r, err := s.result(ctx, k, use)
	if err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, err)
	}
	return r, nil
}

// result reads entry k. A damaged one is dropped and logged, and not found: the
// action can run again.
func (s *Store) result(ctx context.Context, k key, why purpose) (*repb.ActionResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, err := s.pinned(k, why)
	if err != nil {
		return nil, err
	}
	defer s.packs.unpin(l.extent())
	b, err := s.content(k, l)
	if errors.Is(err, cas.ErrCorrupt) {
		return nil, cas.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	r := &repb.ActionResult{}
	if err := proto.Unmarshal(b, r); err != nil {
		_ = s.corrupt(k, l, err)
		return nil, cas.ErrNotFound
	}
	return r, nil
}

// SetResult implements cas.ActionCache.
func (s *Store) SetResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error {
	if err := s.setResult(ctx, d, r); err != nil {
		return fmt.Errorf("set result of %v: %w", d, err)
	}
	return nil
}

func (s *Store) setResult(ctx context.Context, d digest.Digest, r *repb.ActionResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k, err := keyOf(results, d)
	if err != nil {
		return err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte{}, r)
	if err != nil {
		return err
	}
	if len(b) > maxResult {
		return fmt.Errorf("%d bytes are more than the limit of %d", len(b), maxResult)
	}
	return s.putItem(item{key: k, content: b})
}

// Results lists the actions that have a result, those of each digest
// function in the order of their hashes. It counts as no use of them.
func (s *Store) Results(ctx context.Context) ([]digest.Digest, error) {
	var out []digest.Digest
	err := s.index.scan(results, func(k key, _ loc) error {
		out = append(out, k.digest())
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list results: %w", err)
	}
	return out, nil
}
