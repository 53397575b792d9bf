package rev2

import (
	"context"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// GetActionResult returns a cached result, with the contents inlined that the
// client asks for, as far as they fit.
func (s *Server) GetActionResult(ctx context.Context, req *repb.GetActionResultRequest) (*repb.ActionResult, error) {
	d, err := named(req.ActionDigest, req.DigestFunction)
	if err != nil {
		return nil, s.fail(err)
	}
	result, err := s.cfg.Cache.Result(ctx, d)
	if err != nil {
		return nil, s.fail(err)
	}
	return s.inline(ctx, d.Function, result, req), nil
}

// UpdateActionResult stores a result, if clients may.
func (s *Server) UpdateActionResult(ctx context.Context, req *repb.UpdateActionResultRequest) (*repb.ActionResult, error) {
	if !s.mayUpdate(ctx, req.InstanceName) {
		return nil, status.Error(codes.PermissionDenied, "update action result: this caller may not; workers write the action cache")
	}
	d, err := named(req.ActionDigest, req.DigestFunction)
	if err != nil {
		return nil, s.fail(err)
	}
	if req.ActionResult == nil {
		return nil, s.fail(invalid("update action result %v: no result", d))
	}
	if err := s.cfg.Cache.SetResult(ctx, d, req.ActionResult); err != nil {
		return nil, s.fail(err)
	}
	return req.ActionResult, nil
}

func (s *Server) mayUpdate(ctx context.Context, instance string) bool {
	return s.cfg.MayUpdate != nil && s.cfg.MayUpdate(ctx, instance)
}

// wishes is what a request wants inlined.
type wishes interface {
	GetInlineStdout() bool
	GetInlineStderr() bool
	GetInlineOutputFiles() []string
}

// inline returns result, of an action by f, with contents filled in. A content that is too large
// or cannot be read stays behind its digest.
func (s *Server) inline(ctx context.Context, by digest.Function, result *repb.ActionResult, w wishes) *repb.ActionResult {
	if !w.GetInlineStdout() && !w.GetInlineStderr() && len(w.GetInlineOutputFiles()) == 0 {
		return result
	}
	r := proto.CloneOf(result)
	room := int64(maxInlining)
	fill := func(wanted bool, have []byte, p *repb.Digest) []byte {
		if !wanted || len(have) > 0 || p == nil || p.SizeBytes > room {
			return have
		}
		d, err := by.FromProto(p)
		if err != nil {
			return have
		}
		b, err := cas.ReadBlob(ctx, s.cfg.Store, d, room)
		if err != nil {
			return have
		}
		room -= int64(len(b))
		return b
	}
	r.StdoutRaw = fill(w.GetInlineStdout(), r.StdoutRaw, r.StdoutDigest)
	r.StderrRaw = fill(w.GetInlineStderr(), r.StderrRaw, r.StderrDigest)
	for _, f := range r.OutputFiles {
		f.Contents = fill(slices.Contains(w.GetInlineOutputFiles(), f.Path), f.Contents, f.Digest)
	}
	return r
}
