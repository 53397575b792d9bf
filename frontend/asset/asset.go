// Package asset serves the Remote Asset API: what stands behind a URI, as
// somebody pushed it or as it is fetched from where the configuration allows.
package asset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sync/singleflight"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// Config says what a Server serves.
type Config struct {
	Store cas.Store
	// Results keeps which content an asset is, and must not return those whose
	// content is gone.
	Results cas.ActionCache
	// Origins are what may be fetched. Nil: what was pushed is all there is.
	Origins *Origins
	// MayPush says who may say what an asset is, which others will take for true.
	// Nil: nobody.
	MayPush func(ctx context.Context, instance string) bool
	// MayFetch says whose requests may make the server fetch and store something.
	// Nil: everybody's.
	MayFetch func(ctx context.Context, instance string) bool
	// Dir is a folder for what is on its way. Empty: the system's.
	Dir string
	// MaxBytes bounds an asset, packed and unpacked. Zero: 16 GiB.
	MaxBytes int64
	// Timeout is for requests that have none, and the most that one may ask for.
	// Zero: 30 min.
	Timeout time.Duration
	// Log takes what is fetched. Nil: slog.Default.
	Log *slog.Logger
}

// Server implements the services Fetch and Push.
type Server struct {
	pb.UnimplementedFetchServer
	pb.UnimplementedPushServer

	cfg     Config
	flights singleflight.Group // of what is being fetched
}

// New returns a server. It has no state of its own that would need a Close.
func New(cfg Config) *Server {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 16 << 30
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Server{cfg: cfg}
}

// Register adds the services to g.
func (s *Server) Register(g *grpc.Server) {
	pb.RegisterFetchServer(g, s)
	pb.RegisterPushServer(g, s)
}

// FetchBlob returns the digest of the file that a URI stands for.
func (s *Server) FetchBlob(ctx context.Context, req *pb.FetchBlobRequest) (*pb.FetchBlobResponse, error) {
	a, err := s.fetch(ctx, blob, req)
	if err != nil {
		return nil, err
	}
	return &pb.FetchBlobResponse{Status: a.status, Uri: a.uri, Qualifiers: req.Qualifiers, ExpiresAt: a.expires,
		BlobDigest: a.digest, DigestFunction: a.function}, nil
}

// FetchDirectory returns the root of the tree that a URI stands for: one that was
// pushed, or an archive, unpacked.
func (s *Server) FetchDirectory(ctx context.Context, req *pb.FetchDirectoryRequest) (*pb.FetchDirectoryResponse, error) {
	a, err := s.fetch(ctx, directory, req)
	if err != nil {
		return nil, err
	}
	return &pb.FetchDirectoryResponse{Status: a.status, Uri: a.uri, Qualifiers: req.Qualifiers, ExpiresAt: a.expires,
		RootDirectoryDigest: a.digest, DigestFunction: a.function}, nil
}

// fetchRequest is what both requests have.
type fetchRequest interface {
	GetInstanceName() string
	GetTimeout() *durationpb.Duration
	GetOldestContentAccepted() *timestamppb.Timestamp
	GetUris() []string
	GetQualifiers() []*pb.Qualifier
	GetDigestFunction() repb.DigestFunction_Value
}

// answer is what both responses have.
type answer struct {
	status   *statuspb.Status
	uri      string
	expires  *timestamppb.Timestamp
	digest   *repb.Digest
	function repb.DigestFunction_Value
}

func (s *Server) fetch(ctx context.Context, kind kind, req fetchRequest) (*answer, error) {
	names, err := newNames(kind, req)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, status.Error(codes.InvalidArgument, "fetch: no URI")
	}
	for _, n := range names {
		found, err := s.find(ctx, n, req.GetOldestContentAccepted())
		if err == nil {
			return found.answer(n), nil
		}
		if !errors.Is(err, cas.ErrNotFound) {
			return nil, rev2.Status(err)
		}
	}
	a := &answer{uri: names[0].uri, status: status.New(codes.NotFound, "nobody has pushed it").Proto()}
	for _, n := range names {
		found, err := s.fromOrigin(ctx, n, req)
		if err == nil {
			return found.answer(n), nil
		}
		if ctx.Err() != nil { // the fetch itself goes on
			return nil, rev2.Status(ctx.Err())
		}
		if _, inline := refusals[status.Code(err)]; !inline {
			return nil, err
		}
		a.uri, a.status = n.uri, status.Convert(err).Proto()
	}
	return a, nil
}

// refusals are the codes that stand in a response: the server could not help it.
var refusals = map[codes.Code]struct{}{
	codes.DeadlineExceeded: {}, codes.NotFound: {}, codes.PermissionDenied: {}, codes.Aborted: {}, codes.ResourceExhausted: {},
}

// fromOrigin fetches an asset, or waits for a fetch that is underway. What is
// fetched is kept though this caller does not wait for it.
func (s *Server) fromOrigin(ctx context.Context, n *name, req fetchRequest) (*record, error) {
	from, err := s.cfg.Origins.find(n.uri)
	if err != nil {
		return nil, err
	}
	if s.cfg.MayFetch != nil && !s.cfg.MayFetch(ctx, n.instance) {
		return nil, status.Error(codes.PermissionDenied, "this caller may not have it fetched: that takes the permission \"write\"")
	}
	want, err := newWish(n)
	if err != nil {
		return nil, err
	}
	timeout := s.cfg.Timeout
	if t := req.GetTimeout(); t != nil {
		timeout = min(timeout, t.AsDuration())
	}
	done := s.flights.DoChan(string(n.key()), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		return s.download(ctx, n, from, want)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, rev2.Status(r.Err)
		}
		return r.Val.(*record), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// download fetches an asset, checks and stores it, and records what it is.
func (s *Server) download(ctx context.Context, n *name, from origin, want *wish) (*record, error) {
	begin := time.Now()
	file, err := s.spool(ctx, n, from, want)
	if err != nil {
		s.cfg.Log.Warn("asset not fetched", "uri", n.uri, "error", err)
		return nil, err
	}
	defer file.Close()
	r := &record{since: begin}
	if n.kind == directory {
		r.digest, err = s.unpack(ctx, file, n.function, want.subfolder)
	} else {
		r.digest, err = s.putFile(ctx, file, n.function)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", n.uri, err)
	}
	s.cfg.Log.Info("asset fetched", "uri", n.uri, "digest", r.digest.String(), "after", time.Since(begin))
	return r, s.keep(ctx, n, r)
}

// PushBlob says which file a URI stands for.
func (s *Server) PushBlob(ctx context.Context, req *pb.PushBlobRequest) (*pb.PushBlobResponse, error) {
	return &pb.PushBlobResponse{}, s.push(ctx, blob, req, req.BlobDigest)
}

// PushDirectory says which tree a URI stands for.
func (s *Server) PushDirectory(ctx context.Context, req *pb.PushDirectoryRequest) (*pb.PushDirectoryResponse, error) {
	return &pb.PushDirectoryResponse{}, s.push(ctx, directory, req, req.RootDirectoryDigest)
}

// pushRequest is what both requests have.
type pushRequest interface {
	named
	GetExpireAt() *timestamppb.Timestamp
	GetReferencesBlobs() []*repb.Digest
	GetReferencesDirectories() []*repb.Digest
}

func (s *Server) push(ctx context.Context, kind kind, req pushRequest, what *repb.Digest) error {
	if s.cfg.MayPush == nil || !s.cfg.MayPush(ctx, req.GetInstanceName()) {
		return status.Error(codes.PermissionDenied, "push: this caller may not: others would take it for true; that takes the permission \"update\"")
	}
	names, err := newNames(kind, req)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return status.Error(codes.InvalidArgument, "push: no URI")
	}
	r := &record{since: time.Now(), expires: req.GetExpireAt()}
	if r.expires != nil && !r.expires.AsTime().After(r.since) {
		return status.Errorf(codes.InvalidArgument, "push: it expired at %v", r.expires.AsTime())
	}
	f := names[0].function
	if r.digest, err = f.FromProto(what); err != nil {
		return status.Errorf(codes.InvalidArgument, "push: %v", err)
	}
	if r.files, err = digests(f, req.GetReferencesBlobs()); err != nil {
		return err
	}
	if r.trees, err = digests(f, req.GetReferencesDirectories()); err != nil {
		return err
	}
	for _, n := range names {
		if err := s.checkPush(ctx, n, r); err != nil {
			return err
		}
		if err := s.keep(ctx, n, r); err != nil {
			return rev2.Status(err)
		}
	}
	return nil
}

func digests(f digest.Function, ps []*repb.Digest) ([]digest.Digest, error) {
	var ds []digest.Digest
	for _, p := range ps {
		d, err := f.FromProto(p)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "push: reference: %v", err)
		}
		ds = append(ds, d)
	}
	return ds, nil
}
