package rev2_test

import (
	"io"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// withMappings has results that are complete or none, as a farm has.
func withMappings(c *rev2.Config) { c.Cache = complete.New(c.Cache, c.Store) }

// cut stores pieces of b and returns their digests by f.
func (r *rig) cut(f digest.Function, b []byte, n int) (chunks []*repb.Digest) {
	for len(b) > 0 {
		part := b[:min(n, len(b))]
		for i, err := range cas.PutBatch(r.t.Context(), r.store, []cas.Blob{{Digest: f.Of(part), Data: part}}) {
			if err != nil {
				r.t.Fatal(i, err)
			}
		}
		chunks = append(chunks, f.Of(part).Proto())
		b = b[len(part):]
	}
	return chunks
}

// register sends chunks in two messages.
func (r *rig) register(f digest.Function, blob *repb.Digest, chunks []*repb.Digest) error {
	stream, err := r.cas.RegisterChunkMapping(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	half := len(chunks) / 2
	for _, req := range []*repb.RegisterChunkMappingRequest{
		{BlobDigest: blob, DigestFunction: f.Proto(), ChunkDigests: chunks[:half], ChunkingFunction: repb.ChunkingFunction_FAST_CDC_2020},
		{BlobDigest: digest.Empty.Proto(), ChunkDigests: chunks[half:]}, // which is to be ignored
	} {
		if stream.Send(req) != nil {
			break // the answer tells
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

func (r *rig) mapping(f digest.Function, blob *repb.Digest) (chunks []*repb.Digest, pages int, err error) {
	stream, err := r.cas.GetChunkMapping(r.t.Context(), &repb.GetChunkMappingRequest{BlobDigest: blob, DigestFunction: f.Proto()})
	if err != nil {
		r.t.Fatal(err)
	}
	for {
		page, err := stream.Recv()
		if err == io.EOF {
			return chunks, pages, nil
		}
		if err != nil {
			return nil, pages, err
		}
		if by := page.ChunkingFunction; (by == repb.ChunkingFunction_FAST_CDC_2020) != (pages == 0) {
			r.t.Errorf("page %d is by %v", pages, by)
		}
		chunks, pages = append(chunks, page.ChunkDigests...), pages+1
	}
}

func TestChunkMapping(t *testing.T) {
	for _, f := range digest.Functions() {
		r := start(t, withMappings)
		b := castest.Bytes(1, 40_000)
		blob := f.Of(b)
		_, _, err := r.mapping(f, blob.Proto())
		wantCode(t, "mapping of what is not there", err, codes.NotFound)
		chunks := r.cut(f, b, 2)
		if err := r.register(f, blob.Proto(), chunks); err != nil {
			t.Fatal(err)
		}
		if got, err := cas.ReadBlob(t.Context(), r.store, blob, 1<<20); err != nil || string(got) != string(b) {
			t.Errorf("spliced blob: %d other bytes, %v", len(got), err)
		}
		got, pages, err := r.mapping(f, blob.Proto())
		if diff := cmp.Diff(chunks, got, protocmp.Transform()); diff != "" || err != nil || pages < 2 {
			t.Errorf("mapping in %d pages, %v (-want +got):\n%s", pages, err, diff)
		}
		if err := r.register(f, blob.Proto(), r.cut(f, b, 1000)); err != nil {
			t.Errorf("another mapping of a blob that is there: %v", err)
		}
		split, err := r.cas.SplitBlob(t.Context(), &repb.SplitBlobRequest{BlobDigest: blob.Proto(), DigestFunction: f.Proto()})
		if err != nil || len(split.ChunkDigests) != 40 {
			t.Errorf("split: %d chunks, %v", len(split.GetChunkDigests()), err)
		}
		r.store.Delete(f.Of(b[:1000]))
		_, _, err = r.mapping(f, blob.Proto())
		wantCode(t, "a chunk is gone", err, codes.NotFound)
	}
}

func TestSpliceIsChecked(t *testing.T) {
	r := start(t, withMappings)
	b := castest.Bytes(2, 5000)
	chunks, blob := r.cut(digest.SHA256, b, 1000), digest.Of(b)
	swapped := append([]*repb.Digest{chunks[1], chunks[0]}, chunks[2:]...)
	lost := append([]*repb.Digest{digest.Of(make([]byte, 1000)).Proto()}, chunks[1:]...)
	refused := func(what string, chunks []*repb.Digest, want codes.Code) {
		t.Helper()
		_, err := r.cas.SpliceBlob(t.Context(), &repb.SpliceBlobRequest{BlobDigest: blob.Proto(), ChunkDigests: chunks})
		wantCode(t, what, err, want)
		wantCode(t, what+", in a stream", r.register(digest.SHA256, blob.Proto(), chunks), want)
		_, _, err = r.mapping(digest.SHA256, blob.Proto())
		wantCode(t, what+": mapping", err, codes.NotFound)
	}
	for _, there := range []bool{false, true} {
		if there {
			r.put(b)
		}
		refused("too few", chunks[1:], codes.InvalidArgument)
		refused("too many", append(chunks[:5:5], chunks[0]), codes.InvalidArgument)
		refused("none", nil, codes.InvalidArgument)
		refused("other order", swapped, codes.InvalidArgument)
		refused("an absent chunk", lost, codes.NotFound)
		refused("no digest", append(chunks[:4:4], &repb.Digest{Hash: "x", SizeBytes: 1000}), codes.InvalidArgument)
		if missing, err := r.store.Missing(t.Context(), []digest.Digest{blob}); err != nil || (len(missing) == 0) != there {
			t.Errorf("the blob is there: want %t, missing %v, %v", there, missing, err)
		}
	}
	resp, err := r.cas.SpliceBlob(t.Context(), &repb.SpliceBlobRequest{BlobDigest: blob.Proto(), ChunkDigests: chunks})
	if err != nil || resp.BlobDigest.GetHash() != blob.Hash {
		t.Errorf("splice: %v, %v", resp, err)
	}
	stream, err := r.cas.RegisterChunkMapping(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.CloseAndRecv()
	wantCode(t, "a stream of nothing", err, codes.InvalidArgument)
	caps, err := r.caps.GetCapabilities(t.Context(), &repb.GetCapabilitiesRequest{})
	if c := caps.GetCacheCapabilities(); err != nil || !c.SplitBlobSupport || !c.SpliceBlobSupport || caps.HighApiVersion.Minor < 13 {
		t.Errorf("capabilities %v, %v", caps, err)
	}
}
