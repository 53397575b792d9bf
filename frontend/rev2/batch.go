package rev2

import (
	"context"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// batch is a BatchReadBlobsResponse whose blobs stay where the store has read
// them, where a message has them copied together.
type batch struct {
	parts []*repb.BatchReadBlobsResponse_Response
}

// Fields of the messages.
const (
	fieldResponses    = 1
	fieldAnswerDigest = 1
	fieldAnswerData   = 2
	fieldAnswerStatus = 3
	fieldAnswerPacked = 4
)

// readBlobs reads several small blobs, each with a status of its own.
func (s *Server) readBlobs(ctx context.Context, req *repb.BatchReadBlobsRequest) (*batch, error) {
	f, err := functionOf(req.DigestFunction)
	if err != nil {
		return nil, s.fail(err)
	}
	var total int64
	for _, p := range req.Digests {
		if total += max(p.GetSizeBytes(), 0); total > maxBatch {
			return nil, s.fail(invalid("batch of over %d bytes: more than advertised", maxBatch))
		}
	}
	resp := &batch{}
	ds, at := make([]digest.Digest, 0, len(req.Digests)), make([]int, 0, len(req.Digests))
	for i, p := range req.Digests {
		d, err := digestOf(f, p)
		answer := &repb.BatchReadBlobsResponse_Response{Digest: p}
		resp.parts = append(resp.parts, answer)
		if err != nil {
			answer.Status = batchStatus(s.fail(err))
			continue
		}
		ds, at = append(ds, d), append(at, i)
	}
	contents, errs := cas.ReadBlobs(ctx, s.cfg.Store, ds)
	if ctx.Err() != nil {
		return nil, s.fail(ctx.Err())
	}
	for j, i := range at {
		resp.parts[i].Data, resp.parts[i].Status = contents[j], batchStatus(s.fail(errs[j]))
	}
	if slices.Contains(req.AcceptableCompressors, repb.Compressor_ZSTD) {
		resp.pack()
	}
	return resp, nil
}

// pack compresses what gets smaller by it.
func (b *batch) pack() {
	for _, r := range b.parts {
		if packed := compress(r.Data); len(packed) < len(r.Data) {
			r.Data, r.Compressor = packed, repb.Compressor_ZSTD
		}
	}
}

// marshal encodes b; the blobs are parts of what it returns.
func (b *batch) marshal() (mem.BufferSlice, error) {
	out := make(mem.BufferSlice, 0, 2*len(b.parts))
	for _, r := range b.parts {
		digest, err := proto.Marshal(r.Digest)
		if err != nil {
			return nil, err
		}
		status, err := proto.Marshal(r.Status)
		if err != nil {
			return nil, err
		}
		body := make([]byte, 0, len(digest)+len(status)+32)
		body = appendField(body, fieldAnswerDigest, digest)
		body = appendField(body, fieldAnswerStatus, status)
		if r.Compressor != repb.Compressor_IDENTITY {
			body = protowire.AppendTag(body, fieldAnswerPacked, protowire.VarintType)
			body = protowire.AppendVarint(body, uint64(r.Compressor))
		}
		if len(r.Data) > 0 {
			body = protowire.AppendTag(body, fieldAnswerData, protowire.BytesType)
			body = protowire.AppendVarint(body, uint64(len(r.Data)))
		}
		head := protowire.AppendTag(make([]byte, 0, len(body)+16), fieldResponses, protowire.BytesType)
		head = protowire.AppendVarint(head, uint64(len(body)+len(r.Data)))
		out = append(out, mem.SliceBuffer(append(head, body...)))
		if len(r.Data) > 0 {
			out = append(out, mem.SliceBuffer(r.Data))
		}
	}
	return out, nil
}

func appendField(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

func handleBatchRead(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	return handle(srv, ctx, decode, intercept, repb.ContentAddressableStorage_BatchReadBlobs_FullMethodName, (*Server).readBlobs)
}
