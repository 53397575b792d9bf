package asset

import (
	"context"
	"fmt"
	"time"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// record is what an asset is. It is kept as the result of an action that nobody
// can run: what results promise, that all of their contents are there or none,
// is what assets promise, in collection, too.
type record struct {
	digest  digest.Digest
	since   time.Time              // of the push, or when the fetch began
	expires *timestamppb.Timestamp // nil: never
	files   []digest.Digest        // what else it needs
	trees   []digest.Digest
}

func (r *record) answer(n *name) *answer {
	return &answer{status: &statuspb.Status{}, uri: n.uri, expires: r.expires, digest: r.digest.Proto(), function: n.function.Proto()}
}

// result is r as it is kept.
func (r *record) result(k kind) (*repb.ActionResult, error) {
	times, err := proto.Marshal(&pb.FetchBlobResponse{ExpiresAt: r.expires})
	if err != nil {
		return nil, err
	}
	res := &repb.ActionResult{StdoutRaw: times,
		ExecutionMetadata: &repb.ExecutedActionMetadata{QueuedTimestamp: timestamppb.New(r.since)}}
	files, trees := r.files, r.trees
	if k == blob {
		files = append([]digest.Digest{r.digest}, files...)
	} else {
		trees = append([]digest.Digest{r.digest}, trees...)
	}
	for i, d := range files {
		res.OutputFiles = append(res.OutputFiles, &repb.OutputFile{Path: fmt.Sprint("file", i), Digest: d.Proto()})
	}
	for i, d := range trees {
		res.OutputDirectories = append(res.OutputDirectories, &repb.OutputDirectory{Path: fmt.Sprint("tree", i), RootDirectoryDigest: d.Proto()})
	}
	return res, nil
}

// keep records that n is r.
func (s *Server) keep(ctx context.Context, n *name, r *record) error {
	res, err := r.result(n.kind)
	if err != nil {
		return err
	}
	return s.cfg.Results.SetResult(ctx, n.function.Of(n.key()), res)
}

// find returns what n is, if that is known, is all there, has not expired and is
// not older than the caller accepts. Error: cas.ErrNotFound.
func (s *Server) find(ctx context.Context, n *name, oldest *timestamppb.Timestamp) (*record, error) {
	res, err := s.cfg.Results.Result(ctx, n.function.Of(n.key()))
	if err != nil {
		return nil, err
	}
	var times pb.FetchBlobResponse
	if err := proto.Unmarshal(res.StdoutRaw, &times); err != nil {
		return nil, fmt.Errorf("asset %s: %w", n.uri, err)
	}
	since := res.GetExecutionMetadata().GetQueuedTimestamp().AsTime()
	if times.ExpiresAt != nil && !time.Now().Before(times.ExpiresAt.AsTime()) {
		return nil, fmt.Errorf("asset %s: expired: %w", n.uri, cas.ErrNotFound)
	}
	if oldest != nil && since.Before(oldest.AsTime()) {
		return nil, fmt.Errorf("asset %s: older than asked for: %w", n.uri, cas.ErrNotFound)
	}
	var p *repb.Digest
	if n.kind == blob && len(res.OutputFiles) > 0 {
		p = res.OutputFiles[0].Digest
	} else if n.kind == directory && len(res.OutputDirectories) > 0 {
		p = res.OutputDirectories[0].RootDirectoryDigest
	}
	d, err := n.function.FromProto(p)
	if err != nil {
		return nil, fmt.Errorf("asset %s: %w", n.uri, err)
	}
	return &record{digest: d, since: since, expires: times.ExpiresAt}, nil
}

// checkPush checks that what is pushed as n is there, and has the checksum that
// it is said to have.
func (s *Server) checkPush(ctx context.Context, n *name, r *record) error {
	need := append([]digest.Digest{}, r.files...)
	trees := r.trees
	if n.kind == blob {
		need = append(need, r.digest)
	} else {
		trees = append([]digest.Digest{r.digest}, trees...)
	}
	for _, d := range trees {
		all, err := tree.Closure(ctx, s.cfg.Store, d, tree.Limits{})
		if err != nil {
			return status.Errorf(codes.FailedPrecondition, "push: upload the whole tree first: %v", err)
		}
		need = append(need, all...)
	}
	missing, err := s.cfg.Store.Missing(ctx, need)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if len(missing) > 0 {
		return status.Errorf(codes.FailedPrecondition, "push: %d blobs are missing, such as %v: upload them first", len(missing), missing[0])
	}
	sri := n.qualifier(checksum)
	if n.kind != blob || sri == "" {
		return nil
	}
	sums, err := parseSRI(sri)
	if err != nil {
		return err
	}
	content, err := s.cfg.Store.Get(ctx, r.digest, 0)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	defer content.Close()
	if err := sums.read(content); err != nil {
		return status.Errorf(codes.InvalidArgument, "push %v: %v", r.digest, err)
	}
	return nil
}
