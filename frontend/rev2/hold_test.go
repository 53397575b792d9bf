package rev2_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/frontend/grpctest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// TestUnpackedBatch: a few compressed bytes may not stand for gigabytes.
func TestUnpackedBatch(t *testing.T) {
	r := start(t)
	const size = 60 << 20
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	d := digest.Of(make([]byte, size))
	req := &repb.BatchUpdateBlobsRequest{}
	for range 2 {
		req.Requests = append(req.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: d.Proto(), Data: packed.Bytes(), Compressor: repb.Compressor_ZSTD})
	}
	_, err = r.cas.BatchUpdateBlobs(t.Context(), req)
	wantCode(t, "two blobs of 60 MiB in a batch", err, codes.InvalidArgument)
}

// TestSilentClients: a stream that waits for its client ends some time.
func TestSilentClients(t *testing.T) {
	store := memstore.New()
	server := grpc.NewServer(append(rev2.Options(), grpc.ChainStreamInterceptor(rev2.Patient(50*time.Millisecond)))...)
	rev2.New(rev2.Config{Store: store, Cache: memstore.NewActionCache()}).Register(server)
	conn := grpctest.Connect(t, server, 1<<10)
	client := bspb.NewByteStreamClient(conn)

	write, err := client.Write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := digest.Of([]byte("whole"))
	if err := write.Send(&bspb.WriteRequest{ResourceName: "uploads/" + id + "/blobs/" + d.String(), Data: []byte("who")}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a write that stops", write.RecvMsg(&bspb.WriteResponse{}), codes.DeadlineExceeded)

	big, err := cas.PutBlob(t.Context(), store, make([]byte, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	read, err := client.Read(t.Context(), &bspb.ReadRequest{ResourceName: "blobs/" + big.String()})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // the client takes nothing: whatever it finds later, the stream is over
	wantCode(t, "a read that nobody takes", lastError(read), codes.DeadlineExceeded)
}

func lastError(s bspb.ByteStream_ReadClient) error {
	for {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
}

// TestLargeHeaders are refused before anybody reads them.
func TestLargeHeaders(t *testing.T) {
	r := start(t)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x", strings.Repeat("x", 1<<20))
	if _, err := r.caps.GetCapabilities(ctx, &repb.GetCapabilitiesRequest{}); err == nil {
		t.Error("a header of 1 MiB is taken")
	}
	_, err := r.caps.GetCapabilities(t.Context(), &repb.GetCapabilitiesRequest{})
	wantCode(t, "the next call", err, codes.OK)
}
