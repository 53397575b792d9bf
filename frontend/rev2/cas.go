package rev2

import (
	"context"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// BatchUpdateBlobs stores several small blobs, each with a status of its own.
func (s *Server) BatchUpdateBlobs(ctx context.Context, req *repb.BatchUpdateBlobsRequest) (*repb.BatchUpdateBlobsResponse, error) {
	f, err := functionOf(req.DigestFunction)
	if err == nil {
		err = checkBatch(req)
	}
	if err != nil {
		return nil, s.fail(err)
	}
	resp := &repb.BatchUpdateBlobsResponse{}
	var blobs []cas.Blob
	var answers []*repb.BatchUpdateBlobsResponse_Response // of blobs
	for _, r := range req.Requests {
		answer := &repb.BatchUpdateBlobsResponse_Response{Digest: r.Digest}
		resp.Responses = append(resp.Responses, answer)
		b, err := batchBlob(f, r)
		if err != nil {
			answer.Status = batchStatus(s.fail(err))
			continue
		}
		blobs, answers = append(blobs, b), append(answers, answer)
	}
	for i, err := range cas.PutBatch(ctx, s.cfg.Store, blobs) {
		answers[i].Status = batchStatus(s.fail(err))
	}
	return resp, nil
}

func checkBatch(req *repb.BatchUpdateBlobsRequest) error {
	total, unpacked := 0, int64(0)
	for _, r := range req.Requests {
		total += len(r.Data)
		unpacked += min(max(r.GetDigest().GetSizeBytes(), 0), maxMessage+1)
	}
	if total > maxBatch {
		return invalid("batch of %d bytes: more than the %d advertised", total, maxBatch)
	}
	if unpacked > maxMessage { // a few bytes may say that they stand for very many
		return invalid("batch of blobs of over %d bytes, unpacked", maxMessage)
	}
	return nil
}

func batchBlob(f digest.Function, r *repb.BatchUpdateBlobsRequest_Request) (cas.Blob, error) {
	d, err := digestOf(f, r.Digest)
	if err != nil {
		return cas.Blob{}, err
	}
	data, err := decompress(r.Compressor, r.Data, d.Size)
	if err != nil {
		return cas.Blob{}, err
	}
	return cas.Blob{Digest: d, Data: data}, nil
}
