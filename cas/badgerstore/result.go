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
	r, err := s.result(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("result of %v: %w", d, err)
	}
	return r, nil
}

func (s *Store) result(ctx context.Context, d digest.Digest) (*repb.ActionResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k, err := keyOf(results, d)
	if err != nil {
		return nil, err
	}
	b, err := s.resultBytes(k)
	if errors.Is(err, cas.ErrCorrupt) {
		err = cas.ErrNotFound // it is dropped and logged; the action can run again
	}
	if err != nil {
		return nil, err
	}
	r := &repb.ActionResult{}
	return r, proto.Unmarshal(b, r)
}

func (s *Store) resultBytes(k key) ([]byte, error) {
	l, err := s.pinned(k)
	if err != nil {
		return nil, err
	}
	defer s.packs.unpin(l.extent())
	return s.content(k, l)
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
