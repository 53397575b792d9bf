package rev2_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	longrunning "cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/executor/queue"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// stream is a server's end of a stream, without a network. It yields messages
// and swallows what is sent.
type stream[Req any, Resp any] struct {
	grpc.ServerStream
	ctx  context.Context
	reqs []*Req
}

func (s *stream[Req, Resp]) Context() context.Context { return s.ctx }
func (s *stream[Req, Resp]) Send(*Resp) error         { return nil }
func (s *stream[Req, Resp]) SendAndClose(*Resp) error { return nil }
func (s *stream[Req, Resp]) Recv() (*Req, error) {
	if len(s.reqs) == 0 {
		return nil, io.EOF
	}
	req := s.reqs[0]
	s.reqs = s.reqs[1:]
	return req, nil
}

// RecvMsg is for messages that the server does not take as gRPC decodes them.
func (s *stream[Req, Resp]) RecvMsg(m any) error {
	req, err := s.Recv()
	if err != nil {
		return err
	}
	body, err := proto.Marshal(any(req).(proto.Message))
	if err != nil {
		return err
	}
	return rev2.Unmarshal(mem.BufferSlice{mem.SliceBuffer(body)}, m)
}

// handlers answer the bytes of a request as each method would.
var handlers = []func(ctx context.Context, s *rev2.Server, body []byte) error{
	unary((*rev2.Server).GetCapabilities),
	rev2.FindMissing,
	unary((*rev2.Server).SplitBlob),
	unary((*rev2.Server).SpliceBlob),
	unary((*rev2.Server).BatchUpdateBlobs),
	unary(rev2.BatchRead),
	unary((*rev2.Server).GetActionResult),
	unary((*rev2.Server).UpdateActionResult),
	unary((*rev2.Server).QueryWriteStatus),
	unary((*rev2.Server).GetOperation),
	unary((*rev2.Server).CancelOperation),
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := &bspb.ReadRequest{}
		return parsed(body, req, func() error { return s.Read(req, &stream[bspb.ReadRequest, bspb.ReadResponse]{ctx: ctx}) })
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		first, second := &bspb.WriteRequest{}, &bspb.WriteRequest{}
		half := len(body) / 2
		return parsed(body[:half], first, func() error {
			return parsed(body[half:], second, func() error {
				return s.Write(&stream[bspb.WriteRequest, bspb.WriteResponse]{ctx: ctx, reqs: []*bspb.WriteRequest{first, second}})
			})
		})
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := &repb.GetTreeRequest{}
		return parsed(body, req, func() error { return s.GetTree(req, &stream[repb.GetTreeRequest, repb.GetTreeResponse]{ctx: ctx}) })
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := &repb.GetChunkMappingRequest{}
		return parsed(body, req, func() error {
			return s.GetChunkMapping(req, &stream[repb.GetChunkMappingRequest, repb.GetChunkMappingResponse]{ctx: ctx})
		})
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		first, second := &repb.RegisterChunkMappingRequest{}, &repb.RegisterChunkMappingRequest{}
		half := len(body) / 2
		return parsed(body[:half], first, func() error {
			return parsed(body[half:], second, func() error {
				return s.RegisterChunkMapping(&stream[repb.RegisterChunkMappingRequest, repb.RegisterChunkMappingResponse]{ctx: ctx,
					reqs: []*repb.RegisterChunkMappingRequest{first, second}})
			})
		})
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := &repb.ExecuteRequest{}
		return parsed(body, req, func() error { return s.Execute(req, &stream[repb.ExecuteRequest, longrunning.Operation]{ctx: ctx}) })
	},
	func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := &repb.WaitExecutionRequest{}
		return parsed(body, req, func() error {
			return s.WaitExecution(req, &stream[repb.WaitExecutionRequest, longrunning.Operation]{ctx: ctx})
		})
	},
	// Execute with the bytes as Action, as Command and as Directory.
	stored(func(d *repb.Digest, a *repb.Action) *repb.Digest { return d }),
	stored(func(d *repb.Digest, a *repb.Action) *repb.Digest { a.CommandDigest = d; return nil }),
	stored(func(d *repb.Digest, a *repb.Action) *repb.Digest { a.InputRootDigest = d; return nil }),
}

func parsed(body []byte, req proto.Message, handle func() error) error {
	if proto.Unmarshal(body, req) != nil {
		return nil // gRPC would not have passed it on
	}
	return handle()
}

// unary is a method with one answer.
func unary[Req any, Resp any, P interface {
	*Req
	proto.Message
}](method func(*rev2.Server, context.Context, P) (*Resp, error)) func(context.Context, *rev2.Server, []byte) error {
	return func(ctx context.Context, s *rev2.Server, body []byte) error {
		req := P(new(Req))
		return parsed(body, req, func() error {
			_, err := method(s, ctx, req)
			return err
		})
	}
}

// stored has an action executed of which put has made the blob a part.
func stored(put func(blob *repb.Digest, a *repb.Action) (action *repb.Digest)) func(context.Context, *rev2.Server, []byte) error {
	return func(ctx context.Context, s *rev2.Server, body []byte) error {
		blob := upload(ctx, s, body)
		a := &repb.Action{CommandDigest: digest.Empty.Proto(), InputRootDigest: digest.Empty.Proto()}
		d := put(blob, a)
		if d == nil {
			b, err := proto.Marshal(a)
			if err != nil {
				return err
			}
			d = upload(ctx, s, b)
		}
		return s.Execute(&repb.ExecuteRequest{ActionDigest: d}, &stream[repb.ExecuteRequest, longrunning.Operation]{ctx: ctx})
	}
}

func upload(ctx context.Context, s *rev2.Server, body []byte) *repb.Digest {
	d := digest.Of(body).Proto()
	_, _ = s.BatchUpdateBlobs(ctx, &repb.BatchUpdateBlobsRequest{ // too large a body is missing then
		Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: d, Data: body}}})
	return d
}

// FuzzRequests: whatever comes, the server answers, and never that the fault is
// its own.
func FuzzRequests(f *testing.F) {
	some := digest.Of([]byte("some")).Proto()
	write := "uploads/00000000-0000-4000-8000-000000000000/blobs/" + digest.Of([]byte("some")).String()
	for i, m := range []proto.Message{
		&repb.GetCapabilitiesRequest{InstanceName: "x"},
		&repb.FindMissingBlobsRequest{BlobDigests: []*repb.Digest{some, nil, {Hash: "x", SizeBytes: -1}}},
		&repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: some, Data: []byte("some")}, {Compressor: repb.Compressor_ZSTD, Digest: some, Data: []byte("x")}}},
		&repb.BatchReadBlobsRequest{Digests: []*repb.Digest{some}},
		&repb.GetActionResultRequest{ActionDigest: some, InlineStdout: true, InlineOutputFiles: []string{"x"}},
		&repb.UpdateActionResultRequest{ActionDigest: some, ActionResult: &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: "x"}}}},
		&bspb.QueryWriteStatusRequest{ResourceName: write},
		&longrunning.GetOperationRequest{Name: "x"},
		&longrunning.CancelOperationRequest{Name: "x"},
		&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + digest.Of([]byte("some")).String(), ReadOffset: 1},
		&bspb.WriteRequest{ResourceName: write, Data: []byte("some"), FinishWrite: true},
		&repb.GetTreeRequest{RootDigest: some, PageToken: "1", PageSize: -1},
		&repb.ExecuteRequest{ActionDigest: some},
		&repb.WaitExecutionRequest{Name: "x"},
		&repb.Action{CommandDigest: some, InputRootDigest: some},
		&repb.Command{Arguments: []string{"x"}, OutputPaths: []string{"../x"}},
		&repb.Directory{Directories: []*repb.DirectoryNode{{Name: "..", Digest: some}}},
	} {
		body, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), body)
	}
	f.Fuzz(func(t *testing.T, method byte, body []byte) {
		store, q := memstore.New(), queue.New(queue.Config{Properties: []string{"x"}})
		defer q.Close()
		if _, err := cas.PutBlob(t.Context(), store, []byte("some")); err != nil {
			t.Fatal(err)
		}
		s := rev2.New(rev2.Config{Store: store, Cache: memstore.NewActionCache(), Queue: q, Log: slog.New(slog.DiscardHandler),
			MayUpdate: func(context.Context, string) bool { return true }})
		go refuseAll(q)
		err := handlers[int(method)%len(handlers)](t.Context(), s, body)
		if c := status.Code(err); c == codes.Internal || c == codes.Unknown {
			t.Errorf("method %d: %v", int(method)%len(handlers), err)
		}
	})
}

// refuseAll is a worker for whom every action is invalid.
func refuseAll(q *queue.Queue) {
	for {
		l, err := q.Lease(context.Background(), queue.Worker{Name: "w", Properties: []queue.Property{{Name: "x", Value: queue.Any}}})
		if err != nil {
			return
		}
		_ = q.Complete(context.Background(), l.ID, &queue.Outcome{Failure: &queue.Failure{Kind: queue.Invalid, Reason: "told to"}})
	}
}
