package rev2_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

const id = "0e37c8f2-5b7c-4c2e-8f43-6d2f0f1d3a11"

func TestCapabilities(t *testing.T) {
	caps, err := start(t).caps.GetCapabilities(t.Context(), &repb.GetCapabilitiesRequest{InstanceName: "any/instance"})
	if err != nil {
		t.Fatal(err)
	}
	if caps.LowApiVersion.Major != 2 || caps.LowApiVersion.Minor != 0 || caps.HighApiVersion.Minor < 12 {
		t.Errorf("versions %v to %v", caps.LowApiVersion, caps.HighApiVersion)
	}
	if caps.CacheCapabilities.MaxBatchTotalSizeBytes <= 0 {
		t.Error("no batch limit: some clients take zero literally")
	}
	if caps.CacheCapabilities.ActionCacheUpdateCapabilities.UpdateEnabled {
		t.Error("clients may update the action cache")
	}
	if e := caps.ExecutionCapabilities; !e.ExecEnabled || e.DigestFunction != repb.DigestFunction_SHA256 {
		t.Errorf("execution capabilities %v: the field for v2.0 clients is not set", e)
	}
	alone := start(t, func(c *rev2.Config) { c.Queue = nil })
	if caps, err = alone.caps.GetCapabilities(t.Context(), &repb.GetCapabilitiesRequest{}); err != nil || caps.ExecutionCapabilities != nil {
		t.Errorf("a cache says that it executes: %v, %v", caps.GetExecutionCapabilities(), err)
	}
}

func TestFindMissing(t *testing.T) {
	r := start(t)
	have, lack := r.put([]byte("have")), digest.Of([]byte("lack"))
	otherSize := digest.Digest{Hash: have.Hash, Size: 5}
	resp, err := r.cas.FindMissingBlobs(t.Context(), &repb.FindMissingBlobsRequest{
		BlobDigests: []*repb.Digest{have.Proto(), lack.Proto(), digest.Empty.Proto(), otherSize.Proto(), lack.Proto()}})
	if err != nil {
		t.Fatal(err)
	}
	var got []digest.Digest
	for _, p := range resp.MissingBlobDigests {
		got = append(got, digest.Digest{Hash: p.Hash, Size: p.SizeBytes})
	}
	if diff := cmp.Diff([]digest.Digest{lack, otherSize}, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	_, err = r.cas.FindMissingBlobs(t.Context(), &repb.FindMissingBlobsRequest{
		BlobDigests: []*repb.Digest{{Hash: strings.ToUpper(have.Hash), SizeBytes: have.Size}}})
	wantCode(t, "upper-case hash", err, codes.InvalidArgument)
	_, err = r.cas.FindMissingBlobs(t.Context(), &repb.FindMissingBlobsRequest{DigestFunction: repb.DigestFunction_SHA512})
	wantCode(t, "other digest function", err, codes.InvalidArgument)
}

func TestBatchesHaveAStatusPerBlob(t *testing.T) {
	r := start(t)
	good, bad := []byte("good"), digest.Of([]byte("something else"))
	z, _ := zstd.NewWriter(nil)
	packed := z.EncodeAll(bytes.Repeat([]byte("z"), 1000), nil)
	unpacked := digest.Of(bytes.Repeat([]byte("z"), 1000))
	up, err := r.cas.BatchUpdateBlobs(t.Context(), &repb.BatchUpdateBlobsRequest{Requests: []*repb.BatchUpdateBlobsRequest_Request{
		{Digest: bad.Proto(), Data: good},
		{Digest: digest.Of(good).Proto(), Data: good},
		{Digest: nil, Data: good},
		{Digest: unpacked.Proto(), Data: packed, Compressor: repb.Compressor_ZSTD},
		{Digest: unpacked.Proto(), Data: packed, Compressor: repb.Compressor_BROTLI},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []codes.Code
	for _, resp := range up.Responses {
		got = append(got, codes.Code(resp.Status.Code))
	}
	want := []codes.Code{codes.InvalidArgument, codes.OK, codes.InvalidArgument, codes.OK, codes.InvalidArgument}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("update (-want +got):\n%s", diff)
	}
	down, err := r.cas.BatchReadBlobs(t.Context(), &repb.BatchReadBlobsRequest{Digests: []*repb.Digest{
		bad.Proto(), digest.Of(good).Proto(), {Hash: "x"}, digest.Empty.Proto(), unpacked.Proto()}})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, resp := range down.Responses {
		got = append(got, codes.Code(resp.Status.Code))
	}
	want = []codes.Code{codes.NotFound, codes.OK, codes.InvalidArgument, codes.OK, codes.OK}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if string(down.Responses[1].Data) != "good" {
		t.Errorf("read %q", down.Responses[1].Data)
	}
}

func TestBatchLimit(t *testing.T) {
	r := start(t)
	full, more := make([]byte, 4<<20), make([]byte, 4<<20+1)
	update := func(b []byte) error {
		_, err := r.cas.BatchUpdateBlobs(t.Context(), &repb.BatchUpdateBlobsRequest{
			Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: digest.Of(b).Proto(), Data: b}}})
		return err
	}
	wantCode(t, "the advertised size", update(full), codes.OK)
	wantCode(t, "more than that", update(more), codes.InvalidArgument)
	r.put(more)
	_, err := r.cas.BatchReadBlobs(t.Context(), &repb.BatchReadBlobsRequest{Digests: []*repb.Digest{digest.Of(more).Proto()}})
	wantCode(t, "reading more than that", err, codes.InvalidArgument)
}

// write sends b as one upload under name, piece by piece.
func (r *rig) write(name string, b []byte, piece int) (*bspb.WriteResponse, error) {
	r.t.Helper()
	return r.writeIn(r.t.Context(), name, b, piece)
}

func (r *rig) writeIn(ctx context.Context, name string, b []byte, piece int) (*bspb.WriteResponse, error) {
	r.t.Helper()
	w, err := r.bytes.Write(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	for off := 0; off == 0 || off < len(b); off += piece {
		end := min(off+piece, len(b))
		req := &bspb.WriteRequest{WriteOffset: int64(off), Data: b[off:end], FinishWrite: end == len(b)}
		if off == 0 {
			req.ResourceName = name
		}
		if w.Send(req) != nil {
			break // the answer is there already
		}
	}
	return w.CloseAndRecv()
}

func TestWriteNames(t *testing.T) {
	b := castest.Bytes(1, 1000)
	d := digest.Of(b)
	for name, want := range map[string]codes.Code{
		"uploads/" + id + "/blobs/" + d.String():                                codes.OK,
		"a/b/c/uploads/" + id + "/blobs/" + d.String():                          codes.OK,
		"uploads/" + id + "/blobs/sha256/" + d.String():                         codes.OK,
		"uploads/" + id + "/blobs/" + d.String() + "/file.txt":                  codes.OK,
		"uploads/" + id + "/blobs/" + d.String() + "/a/uploads/x/blobs/b/1":     codes.OK,
		"uploads/blobs/uploads/" + id + "/blobs/" + d.String():                  codes.OK,
		"uploads/no-uuid/blobs/" + d.String():                                   codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + strings.ToUpper(d.Hash) + "/1000":         codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + d.Hash + "/-1000":                         codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + d.Hash:                                    codes.InvalidArgument,
		"uploads/" + id + "/blobs/md5/" + d.String():                            codes.InvalidArgument,
		"blobs/" + d.String():                                                   codes.InvalidArgument,
		"":                                                                      codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + digest.Of(nil).String():                   codes.OK, // there already
		"uploads/" + id + "/blobs/" + digest.Of([]byte("else")).Hash + "/1000":  codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + d.Hash + "/999":                           codes.InvalidArgument,
		"uploads/" + id + "/blobs/" + d.Hash + "/1001":                          codes.InvalidArgument,
		"uploads/" + id + "/compressed-blobs/brotli/" + d.String():              codes.InvalidArgument,
		"uploads/" + id + "/compressed-blobs/zstd/" + digest.Of(b[1:]).String(): codes.InvalidArgument, // not packed
	} {
		r := start(t)
		_, err := r.write(name, b, 300)
		wantCode(t, name, err, want)
	}
}

func TestWriteOrder(t *testing.T) {
	b := castest.Bytes(1, 100)
	name := "uploads/" + id + "/blobs/" + digest.Of(b).String()
	for what, reqs := range map[string][]*bspb.WriteRequest{
		"gap":            {{ResourceName: name, Data: b[:50]}, {WriteOffset: 51, Data: b[51:], FinishWrite: true}},
		"starts late":    {{ResourceName: name, WriteOffset: 1, Data: b[1:], FinishWrite: true}},
		"other name":     {{ResourceName: name, Data: b[:50]}, {ResourceName: name + "x", WriteOffset: 50, Data: b[50:], FinishWrite: true}},
		"never finishes": {{ResourceName: name, Data: b}},
	} {
		r := start(t)
		w, err := r.bytes.Write(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, req := range reqs {
			_ = w.Send(req) // the answer tells
		}
		_, err = w.CloseAndRecv()
		wantCode(t, what, err, codes.InvalidArgument)
		if missing, _ := r.store.Missing(t.Context(), []digest.Digest{digest.Of(b)}); len(missing) == 0 {
			t.Errorf("%s: stored", what)
		}
	}
}

func TestWriteOfAnExistingBlob(t *testing.T) {
	r := start(t)
	b := castest.Bytes(1, 1<<20)
	d := r.put(b)
	name := "uploads/" + id + "/blobs/" + d.String()
	w, err := r.bytes.Write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(&bspb.WriteRequest{ResourceName: name, Data: b[:1]}); err != nil {
		t.Fatal(err)
	}
	resp := &bspb.WriteResponse{}
	if err := w.RecvMsg(resp); err != nil || resp.CommittedSize != d.Size { // before all is sent
		t.Errorf("committed %d, %v; want %d", resp.CommittedSize, err, d.Size)
	}
	status, err := r.bytes.QueryWriteStatus(t.Context(), &bspb.QueryWriteStatusRequest{ResourceName: name})
	if err != nil || !status.Complete || status.CommittedSize != d.Size {
		t.Errorf("status %v, %v", status, err)
	}
	status, err = r.bytes.QueryWriteStatus(t.Context(), &bspb.QueryWriteStatusRequest{
		ResourceName: "uploads/" + id + "/blobs/" + digest.Of(b[1:]).String()})
	if err != nil || status.Complete || status.CommittedSize != 0 {
		t.Errorf("status of an absent blob %v, %v", status, err)
	}
	resp, err = r.write(strings.Replace(name, "blobs", "compressed-blobs/zstd", 1), []byte("x"), 1)
	if err != nil || resp.CommittedSize != -1 {
		t.Errorf("compressed: %v, %v; want -1", resp, err)
	}
}

func (r *rig) read(req *bspb.ReadRequest) ([]byte, error) {
	r.t.Helper()
	stream, err := r.bytes.Read(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	var all []byte
	for {
		resp, err := stream.Recv()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, resp.Data...)
	}
}

func TestRead(t *testing.T) {
	r := start(t)
	b := castest.Bytes(1, 1<<20)
	d := r.put(b)
	n := d.Size
	for _, test := range []struct {
		name          string
		offset, limit int64
		want          []byte
		code          codes.Code
	}{
		{"blobs/" + d.String(), 0, 0, b, codes.OK},
		{"in/stance/blobs/sha256/" + d.String(), 0, 0, b, codes.OK},
		{"blobs/" + d.String(), 1000, 0, b[1000:], codes.OK},
		{"blobs/" + d.String(), 1000, 10, b[1000:1010], codes.OK},
		{"blobs/" + d.String(), n - 5, 10, b[n-5:], codes.OK},
		{"blobs/" + d.String(), n, 0, nil, codes.OK},
		{"blobs/" + d.String(), n + 1, 0, nil, codes.OutOfRange},
		{"blobs/" + d.String(), -1, 0, nil, codes.OutOfRange},
		{"blobs/" + d.String(), 0, -1, nil, codes.InvalidArgument},
		{"blobs/" + digest.Empty.String(), 0, 0, nil, codes.OK},
		{"blobs/" + digest.Of(b[1:]).String(), 0, 0, nil, codes.NotFound},
		{"blobs/" + d.Hash, 0, 0, nil, codes.InvalidArgument},
		{"compressed-blobs/zstd/" + d.String(), 0, 5, nil, codes.InvalidArgument},
	} {
		got, err := r.read(&bspb.ReadRequest{ResourceName: test.name, ReadOffset: test.offset, ReadLimit: test.limit})
		wantCode(t, test.name, err, test.code)
		if !bytes.Equal(got, test.want) {
			t.Errorf("read %s from %d to %d: %d other bytes", test.name, test.offset, test.limit, len(got))
		}
	}
}

func TestZstd(t *testing.T) {
	r := start(t)
	b := bytes.Repeat([]byte("compressible "), 100_000)
	d := digest.Of(b)
	z, _ := zstd.NewWriter(nil)
	packed := z.EncodeAll(b, nil)
	for tool, want := range map[string]int64{"bazel": int64(len(packed)), "siso": d.Size} {
		r.store.Delete(d)
		tool, err := proto.Marshal(&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: tool}})
		if err != nil {
			t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "build.bazel.remote.execution.v2.requestmetadata-bin", string(tool))
		resp, err := r.writeIn(ctx, "uploads/"+id+"/compressed-blobs/zstd/"+d.String(), packed, 1000)
		if err != nil || resp.CommittedSize != want {
			t.Fatalf("%s writes: %v, %v, want %d", tool, resp, err, want)
		}
	}
	got, err := r.read(&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadOffset: 7})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := zstd.NewReader(nil)
	if plain, err := u.DecodeAll(got, nil); err != nil || !bytes.Equal(plain, b[7:]) {
		t.Errorf("read back %d other bytes, %v", len(plain), err)
	}
	if len(got) > len(b)/10 {
		t.Errorf("%d bytes on the wire for %d", len(got), len(b))
	}
}

// getTree returns the directories of all pages, and how many pages.
func (r *rig) getTree(req *repb.GetTreeRequest) (dirs []digest.Digest, tokens []string, err error) {
	r.t.Helper()
	stream, err := r.cas.GetTree(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	for {
		resp, err := stream.Recv()
		if err == io.EOF {
			return dirs, tokens, nil
		}
		if err != nil {
			return nil, nil, err
		}
		tokens = append(tokens, resp.NextPageToken)
		for _, dir := range resp.Directories {
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(dir)
			if err != nil {
				r.t.Fatal(err)
			}
			dirs = append(dirs, digest.Of(b))
		}
	}
}

func TestGetTree(t *testing.T) {
	r := start(t)
	file := tree.Entry{Digest: r.put([]byte("f"))}
	files := tree.Files{"a/same/f": file, "b/same/f": file, "c/deep/down/g": file, "h": file}
	m, err := tree.Build(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Upload(t.Context(), r.store); err != nil {
		t.Fatal(err)
	}
	whole, _, err := r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto()})
	if err != nil || whole[0] != m.Root {
		t.Fatalf("get tree: %v, %v", whole, err)
	}
	if sorted := slices.SortedFunc(slices.Values(whole), digest.Compare); len(slices.Compact(sorted)) != len(m.Dirs) || len(whole) != len(m.Dirs) {
		t.Errorf("%d directories, want each of %d once", len(whole), len(m.Dirs))
	}
	paged, tokens, err := r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto(), PageSize: 2})
	if diff := cmp.Diff(whole, paged); diff != "" || err != nil {
		t.Errorf("paged differs, %v:\n%s", err, diff)
	}
	if len(tokens) != (len(whole)+1)/2 || tokens[len(tokens)-1] != "" {
		t.Errorf("page tokens %q", tokens)
	}
	rest, _, err := r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto(), PageToken: tokens[0]})
	if diff := cmp.Diff(whole[2:], rest); diff != "" || err != nil {
		t.Errorf("from a page token on, %v:\n%s", err, diff)
	}
	_, _, err = r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto(), PageToken: "-1"})
	wantCode(t, "bad token", err, codes.InvalidArgument)
	_, _, err = r.getTree(&repb.GetTreeRequest{RootDigest: file.Digest.Proto()})
	wantCode(t, "a file for a root", err, codes.InvalidArgument)

	r.store.Delete(whole[len(whole)-1])
	part, _, err := r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto()})
	if diff := cmp.Diff(whole[:len(whole)-1], part); diff != "" || err != nil {
		t.Errorf("partly missing, %v:\n%s", err, diff)
	}
	r.store.Delete(m.Root)
	_, _, err = r.getTree(&repb.GetTreeRequest{RootDigest: m.Root.Proto()})
	wantCode(t, "missing root", err, codes.NotFound)
}

// A store that is full or broken says so in the code.
func TestStoreErrors(t *testing.T) {
	for err, want := range map[error]codes.Code{cas.ErrFull: codes.ResourceExhausted, cas.ErrCorrupt: codes.DataLoss} {
		r := start(t, func(c *rev2.Config) { c.Store = broken{c.Store, err} })
		b := []byte("b")
		_, got := r.write("uploads/"+id+"/blobs/"+digest.Of(b).String(), b, 1)
		wantCode(t, "write", got, want)
	}
}

// Whatever the name, there is an answer or a clear refusal.
func FuzzNames(f *testing.F) {
	d := digest.Of([]byte("x")).String()
	for _, name := range []string{"", "/", "blobs", "blobs/" + d, "uploads/" + id + "/blobs/" + d + "/m",
		"i/uploads/" + id + "/compressed-blobs/zstd/sha256/" + d, "uploads/uploads/" + id + "/blobs/blobs/" + d} {
		f.Add(name)
	}
	server := rev2.New(rev2.Config{Store: memstore.New(), Cache: memstore.NewActionCache()})
	f.Fuzz(func(t *testing.T, name string) {
		got, err := server.QueryWriteStatus(t.Context(), &bspb.QueryWriteStatusRequest{ResourceName: name})
		if (got == nil) == (err == nil) {
			t.Fatalf("%q: %v and %v", name, got, err)
		}
		if code := status.Code(err); code != codes.OK && code != codes.InvalidArgument {
			t.Errorf("%q: %v", name, err)
		}
		if err == nil && !strings.Contains(name, "uploads/") {
			t.Errorf("%q: taken for an upload", name)
		}
	})
}
