package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/uuid"
	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

const (
	small   = 4 << 10
	inBatch = 500 // small blobs in a batch: 2 MiB, within everybody's limit
	listed  = 10_000
)

// serial makes every blob of a run another one. What is made for a round goes
// to all farms, each of which has a store of its own.
var serial atomic.Uint64

// blob returns size bytes that nobody can compress and that no other call returns.
func blob(size int) cas.Blob {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], serial.Add(1))
	binary.LittleEndian.PutUint64(seed[8:], uint64(time.Now().UnixNano()))
	data := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(data)
	return cas.Blob{Digest: digest.Of(data), Data: data}
}

func blobs(n, size int) []cas.Blob {
	out := make([]cas.Blob, n)
	for i := range out {
		out[i] = blob(size)
	}
	return out
}

type (
	prepare = func(ctx context.Context, t *target) (op, error)
	load    = func(ctx context.Context, round int) (prepare, error)
)

// ready is a turn that needs no preparation.
func ready(do func(ctx context.Context, t *target, i int) error) prepare {
	return func(_ context.Context, t *target) (op, error) {
		return timed(func(ctx context.Context, i int) error { return do(ctx, t, i) }), nil
	}
}

func uploads(size, n int) load {
	return func(context.Context, int) (prepare, error) {
		all := blobs(n, size)
		return ready(func(ctx context.Context, t *target, i int) error { return t.write(ctx, all[i]) }), nil
	}
}

// downloads reads blobs that are uploaded in the first round.
func downloads(size, n int) load {
	var all []cas.Blob
	return func(_ context.Context, round int) (prepare, error) {
		if round == 0 {
			all = blobs(n, size)
		}
		return func(ctx context.Context, t *target) (op, error) {
			for i := 0; i < n && round == 0; i++ {
				if err := t.write(ctx, all[i]); err != nil {
					return nil, err
				}
			}
			return timed(func(ctx context.Context, i int) error { return t.read(ctx, all[i%n]) }), nil
		}, nil
	}
}

func upAndDown(size int) load {
	return func(context.Context, int) (prepare, error) {
		return ready(func(ctx context.Context, t *target, _ int) error {
			b := blob(size)
			return errors.Join(t.write(ctx, b), t.read(ctx, b))
		}), nil
	}
}

func batchesUp(n int) load {
	return func(context.Context, int) (prepare, error) {
		all := blobs(n*inBatch, small)
		return ready(func(ctx context.Context, t *target, i int) error { return t.update(ctx, all[i*inBatch:(i+1)*inBatch]) }), nil
	}
}

func batchesDown(n int) load {
	var all []cas.Blob
	return func(_ context.Context, round int) (prepare, error) {
		if round == 0 {
			all = blobs(n*inBatch, small)
		}
		return func(ctx context.Context, t *target) (op, error) {
			if err := t.updateAll(ctx, all); err != nil {
				return nil, err
			}
			return timed(func(ctx context.Context, i int) error {
				at := i % n * inBatch
				return t.download(ctx, all[at:at+inBatch])
			}), nil
		}, nil
	}
}

// findMissing asks for blobs that are all there, or of which none is.
func findMissing(present bool) load {
	var all []cas.Blob
	return func(_ context.Context, round int) (prepare, error) {
		if round == 0 {
			all = blobs(listed, 64)
		}
		req := &repb.FindMissingBlobsRequest{BlobDigests: protos(all)}
		return func(ctx context.Context, t *target) (op, error) {
			want := listed
			if present {
				want = 0
				if err := t.updateAll(ctx, all); err != nil {
					return nil, err
				}
			}
			return timed(func(ctx context.Context, _ int) error {
				resp, err := t.client.FindMissingBlobs(ctx, req)
				if got := len(resp.GetMissingBlobDigests()); err == nil && got != want {
					return fmt.Errorf("%d of %d are missing, want %d", got, listed, want)
				}
				return err
			}), nil
		}, nil
	}
}

func protos(all []cas.Blob) []*repb.Digest {
	out := make([]*repb.Digest, len(all))
	for i, b := range all {
		out[i] = b.Digest.Proto()
	}
	return out
}

// updateAll uploads small blobs that the farm lacks.
func (t *target) updateAll(ctx context.Context, all []cas.Blob) error {
	byDigest := make(map[string][]byte, len(all))
	for _, b := range all {
		byDigest[b.Digest.String()] = b.Data
	}
	for len(all) > 0 {
		part := all[:min(len(all), listed)]
		all = all[len(part):]
		resp, err := t.client.FindMissingBlobs(ctx, &repb.FindMissingBlobsRequest{BlobDigests: protos(part)})
		if err != nil {
			return err
		}
		var missing []cas.Blob
		for _, p := range resp.MissingBlobDigests {
			d, err := digest.FromProto(p)
			if err != nil {
				return err
			}
			missing = append(missing, cas.Blob{Digest: d, Data: byDigest[d.String()]})
		}
		if err := t.updateBatches(ctx, missing); err != nil {
			return err
		}
	}
	return nil
}

// updateBatches uploads blobs in batches of at most 500, and 2 MiB.
func (t *target) updateBatches(ctx context.Context, all []cas.Blob) error {
	for len(all) > 0 {
		n, bytes := 0, 0
		for n < len(all) && n < inBatch && (n == 0 || bytes+len(all[n].Data) <= inBatch*small) {
			bytes += len(all[n].Data)
			n++
		}
		if err := t.update(ctx, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (t *target) update(ctx context.Context, batch []cas.Blob) error {
	req := &repb.BatchUpdateBlobsRequest{}
	for _, b := range batch {
		req.Requests = append(req.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: b.Digest.Proto(), Data: b.Data})
	}
	resp, err := t.client.BatchUpdateBlobs(ctx, req)
	if err != nil {
		return err
	}
	if len(resp.Responses) != len(batch) {
		return fmt.Errorf("update of %d blobs: %d answers", len(batch), len(resp.Responses))
	}
	for _, r := range resp.Responses {
		if r.GetStatus().GetCode() != 0 {
			return fmt.Errorf("update of %s: %s", r.Digest.GetHash(), r.Status.Message)
		}
	}
	return nil
}

func (t *target) download(ctx context.Context, batch []cas.Blob) error {
	resp, err := t.client.BatchReadBlobs(ctx, &repb.BatchReadBlobsRequest{Digests: protos(batch)})
	if err != nil {
		return err
	}
	if len(resp.Responses) != len(batch) {
		return fmt.Errorf("download of %d blobs: %d answers", len(batch), len(resp.Responses))
	}
	for _, r := range resp.Responses {
		if r.GetStatus().GetCode() != 0 || int64(len(r.Data)) != r.GetDigest().GetSizeBytes() {
			return fmt.Errorf("download of %s: %d bytes, %s", r.Digest.GetHash(), len(r.Data), r.GetStatus().GetMessage())
		}
	}
	return nil
}

// write uploads a blob as the SDK does, but that it does not digest it again:
// what the client costs is in every farm's figure.
func (t *target) write(ctx context.Context, b cas.Blob) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.client.Write(ctx)
	if err != nil {
		return err
	}
	const piece = 256 << 10
	name := fmt.Sprintf("uploads/%s/blobs/%s", uuid.NewString(), b.Digest)
	for off := 0; ; off += piece {
		end := min(off+piece, len(b.Data))
		req := &bspb.WriteRequest{ResourceName: name, WriteOffset: int64(off), Data: b.Data[off:end], FinishWrite: end == len(b.Data)}
		if err := stream.Send(req); err == io.EOF || req.FinishWrite {
			break // the answer says what is wrong, or that the blob is there
		} else if err != nil {
			return err
		}
	}
	resp, err := stream.CloseAndRecv()
	if err == nil && resp.CommittedSize != b.Digest.Size {
		return fmt.Errorf("upload of %v: %d bytes committed", b.Digest, resp.CommittedSize)
	}
	return err
}

func (t *target) read(ctx context.Context, b cas.Blob) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.client.Read(ctx, &bspb.ReadRequest{ResourceName: "blobs/" + b.Digest.String()})
	if err != nil {
		return err
	}
	for off := 0; ; {
		resp, err := stream.Recv()
		if err == io.EOF && off == len(b.Data) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("download of %v after %d bytes: %w", b.Digest, off, err)
		}
		end := off + len(resp.Data)
		if end > len(b.Data) || !bytes.Equal(resp.Data, b.Data[off:end]) {
			return fmt.Errorf("download of %v: other bytes from %d on", b.Digest, off)
		}
		off = end
	}
}
