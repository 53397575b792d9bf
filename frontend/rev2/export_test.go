package rev2

import (
	"context"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/mem"
)

// Patient is what ends streams that wait for their client.
var Patient = patient

// Unmarshal reads a message as the server does.
var Unmarshal = newCodec().Unmarshal

// ReadPiece reads a WriteRequest as the server does.
func ReadPiece(data mem.BufferSlice) (*bspb.WriteRequest, error) {
	p := &piece{}
	if err := Unmarshal(data, p); err != nil {
		return nil, err
	}
	defer p.free()
	m := &bspb.WriteRequest{ResourceName: p.resource, WriteOffset: p.offset, FinishWrite: p.finish}
	b := make([]byte, 100)
	for n := p.read(b); n > 0; n = p.read(b) {
		m.Data = append(m.Data, b[:n]...)
	}
	return m, nil
}

// FindMissing answers the bytes of a FindMissingBlobsRequest.
func FindMissing(ctx context.Context, s *Server, body []byte) error {
	q := &question{}
	if Unmarshal(mem.BufferSlice{mem.SliceBuffer(body)}, q) != nil {
		return nil // gRPC would not have passed it on
	}
	_, err := s.findMissing(ctx, q)
	return err
}

// ReadQuestion reads a FindMissingBlobsRequest as the server does, and returns
// besides the answer that all of it is missing.
func ReadQuestion(data mem.BufferSlice) (*repb.FindMissingBlobsRequest, []byte, error) {
	q := &question{}
	if err := Unmarshal(data, q); err != nil {
		return nil, nil, err
	}
	m := &repb.FindMissingBlobsRequest{InstanceName: q.instance, DigestFunction: q.function}
	for _, d := range q.digests {
		m.BlobDigests = append(m.BlobDigests, d.Proto())
	}
	return m, pick(q, q.digests), nil
}

// BatchRead answers a BatchReadBlobsRequest as the server does.
func BatchRead(s *Server, ctx context.Context, req *repb.BatchReadBlobsRequest) (*repb.BatchReadBlobsResponse, error) {
	b, err := s.readBlobs(ctx, req)
	if err != nil {
		return nil, err
	}
	data, err := newCodec().Marshal(b)
	if err != nil {
		return nil, err
	}
	resp := &repb.BatchReadBlobsResponse{}
	return resp, Unmarshal(data, resp)
}
