package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// TestRequirements asks a real server, over a socket, for what clients of the
// Remote Execution API rely on and servers get wrong. The server is one for
// all, as it would be for its clients.
func TestRequirements(t *testing.T) {
	c := serveFarm(t)
	for _, by := range digest.Functions() {
		t.Run(by.String(), func(t *testing.T) {
			mine := *c
			mine.by = by
			requirements(t, &mine)
		})
	}
}

func requirements(t *testing.T, c *client) {
	for _, r := range []struct {
		name string
		test func(*client)
	}{
		{"01 capabilities from 2.0", capabilitiesFrom20},
		{"02 the empty blob is present", emptyBlobIsPresent},
		{"03 size is part of the digest", sizeIsPartOfTheDigest},
		{"04 batch status per blob", batchStatusPerBlob},
		{"05 ByteStream names", byteStreamNames},
		{"06 write of an existing blob", writeOfAnExistingBlob},
		{"07 read offset and limit", readOffsetAndLimit},
		{"08 zstd", zstdStreams},
		{"08 zstd for Bazel", zstdForBazel},
		{"08 zstd in batches", zstdBatches},
		{"09 GetTree", getTree},
		{"10 digest functions", digestFunctions},
		{"11 GetActionResult is complete", resultIsComplete},
		{"12 Execute looks into the cache", executeLooksIntoTheCache},
		{"13 errors stand in the response", errorsStandInTheResponse},
		{"14 metadata of every operation", metadataOfEveryOperation},
		{"15 WaitExecution", waitExecution},
		{"16 timeout", timeout},
		{"17 do_not_cache and merging", merging},
		{"18 outputs", outputs},
		{"19 working directory, PATH, platform", workingDirectory},
		{"20 inlining and metadata", inliningAndMetadata},
		{"21 an action sees what it declares", seesWhatItDeclares},
	} {
		t.Run(r.name, func(t *testing.T) {
			mine := *c
			mine.t = t
			r.test(&mine)
		})
	}
}

func capabilitiesFrom20(c *client) {
	caps, err := c.caps.GetCapabilities(c.t.Context(), &repb.GetCapabilitiesRequest{InstanceName: "some/instance"})
	if err != nil {
		c.t.Fatal(err)
	}
	if caps.LowApiVersion.Major != 2 || caps.LowApiVersion.Minor != 0 || caps.HighApiVersion.Major != 2 || caps.HighApiVersion.Minor < 12 {
		c.t.Errorf("versions %v to %v", caps.LowApiVersion, caps.HighApiVersion)
	}
	if caps.CacheCapabilities.MaxBatchTotalSizeBytes <= 0 {
		c.t.Error("no batch limit: some clients take zero literally")
	}
	if e := caps.ExecutionCapabilities; !e.ExecEnabled || e.DigestFunction != repb.DigestFunction_SHA256 {
		c.t.Errorf("%v: the fields for clients of v2.0 are not set", e)
	}
}

func (c *client) missing(ps ...*repb.Digest) []*repb.Digest {
	c.t.Helper()
	resp, err := c.cas.FindMissingBlobs(c.t.Context(), &repb.FindMissingBlobsRequest{DigestFunction: c.by.Proto(), BlobDigests: ps})
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.MissingBlobDigests
}

func emptyBlobIsPresent(c *client) {
	if m := c.missing(c.by.Empty().Proto()); len(m) > 0 {
		c.t.Errorf("missing %v", m)
	}
	if b := c.blob(c.by.Empty().Proto()); len(b) > 0 {
		c.t.Errorf("holds %q", b)
	}
	batch, err := c.cas.BatchReadBlobs(c.t.Context(), &repb.BatchReadBlobsRequest{DigestFunction: c.by.Proto(), Digests: []*repb.Digest{c.by.Empty().Proto()}})
	if err != nil || batch.Responses[0].Status.Code != 0 {
		c.t.Errorf("batch: %v, %v", batch, err)
	}
	if dirs, _, err := c.directories(c.by.Empty(), ""); err != nil || len(dirs) != 1 || proto.Size(dirs[0]) != 0 {
		c.t.Errorf("as a directory: %v, %v", dirs, err)
	}
	nothing := c.act([]string{"nothing"}, func(a *repb.Action, _ *repb.Command) { a.InputRootDigest, a.Platform = c.by.Empty().Proto(), nil })
	if resp := c.run(nothing); resp.Result.GetExitCode() != 127 {
		c.t.Errorf("as an input root, where there is no program: %v", resp)
	}
}

func sizeIsPartOfTheDigest(c *client) {
	d := c.put([]byte("five!"))
	other := digest.Digest{Hash: d.Hash, Size: 6, Function: c.by}
	if m := c.missing(d.Proto(), other.Proto()); len(m) != 1 || m[0].SizeBytes != 6 {
		c.t.Errorf("missing %v, want the blob of six bytes", m)
	}
	_, err := c.read(&bspb.ReadRequest{ResourceName: "blobs/" + other.String()})
	wantCode(c.t, "read with another size", err, codes.NotFound)
	for _, hash := range []string{strings.ToUpper(d.Hash), d.Hash[1:], "x" + d.Hash[1:], ""} {
		_, err := c.cas.FindMissingBlobs(c.t.Context(), &repb.FindMissingBlobsRequest{DigestFunction: c.by.Proto(), BlobDigests: []*repb.Digest{{Hash: hash, SizeBytes: 5}}})
		wantCode(c.t, "hash "+hash, err, codes.InvalidArgument)
		_, err = c.read(&bspb.ReadRequest{ResourceName: "blobs/" + hash + "/5"})
		wantCode(c.t, "read of hash "+hash, err, codes.InvalidArgument)
	}
	for _, p := range []*repb.Digest{nil, {Hash: d.Hash, SizeBytes: -1}} {
		_, err := c.ac.GetActionResult(c.t.Context(), &repb.GetActionResultRequest{DigestFunction: c.by.Proto(), ActionDigest: p})
		wantCode(c.t, "digest "+p.String(), err, codes.InvalidArgument)
	}
}

func batchStatusPerBlob(c *client) {
	good := []byte("batch: good")
	up, err := c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(), Requests: []*repb.BatchUpdateBlobsRequest_Request{
		{Digest: c.by.Of([]byte("something else")).Proto(), Data: good}, {Digest: c.by.Of(good).Proto(), Data: good}}})
	if err != nil {
		c.t.Fatal(err)
	}
	if got := codes.Code(up.Responses[0].Status.Code); got != codes.InvalidArgument {
		c.t.Errorf("wrong digest: %v", got)
	}
	if got := codes.Code(up.Responses[1].Status.Code); got != codes.OK {
		c.t.Errorf("right digest beside it: %v", got)
	}
	half := [][]byte{castest.Bytes(41, 2<<20), castest.Bytes(42, 2<<20)} // together just the limit, and a larger message
	up, err = c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(), Requests: []*repb.BatchUpdateBlobsRequest_Request{
		{Digest: c.by.Of(half[0]).Proto(), Data: half[0]}, {Digest: c.by.Of(half[1]).Proto(), Data: half[1]}}})
	if err != nil || up.Responses[0].Status.Code != 0 || up.Responses[1].Status.Code != 0 {
		c.t.Errorf("as much as the limit: %v", err)
	}
	absent, wrong := c.by.Of([]byte("batch: absent")).Proto(), &repb.Digest{Hash: "wrong"}
	down, err := c.batchRead(c.by.Of(half[0]).Proto(), absent, wrong)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, want := range []codes.Code{codes.OK, codes.NotFound, codes.InvalidArgument} {
		if got := codes.Code(down.Responses[i].Status.GetCode()); got != want {
			c.t.Errorf("read, blob %d: %v, want %v", i, got, want)
		}
	}
	if !bytes.Equal(down.Responses[0].Data, half[0]) {
		c.t.Errorf("read: %d other bytes", len(down.Responses[0].Data))
	}
	down, err = c.batchRead(c.by.Of(half[0]).Proto(), c.by.Of(half[1]).Proto())
	if err != nil || !bytes.Equal(down.Responses[1].GetData(), half[1]) {
		c.t.Errorf("read as much as the limit: %v", err)
	}
	_, err = c.batchRead(c.by.Of(half[0]).Proto(), c.by.Of(half[1]).Proto(), c.by.Of(good).Proto())
	wantCode(c.t, "read more than the limit", err, codes.InvalidArgument)
	big := castest.Bytes(4, 4<<20+1) // the advertised limit and one more
	_, err = c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(),
		Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: c.by.Of(big).Proto(), Data: big}}})
	wantCode(c.t, "more than the limit", err, codes.InvalidArgument)
}

func (c *client) batchRead(ps ...*repb.Digest) (*repb.BatchReadBlobsResponse, error) {
	return c.cas.BatchReadBlobs(c.t.Context(), &repb.BatchReadBlobsRequest{DigestFunction: c.by.Proto(), Digests: ps})
}

func byteStreamNames(c *client) {
	for i, name := range []string{
		"uploads/U/blobs/D", "some/instance/uploads/U/blobs/D", "uploads/U/blobs/sha256/D",
		"uploads/U/blobs/D/dir/file.txt", "uploads/blobs/uploads/U/blobs/D",
	} {
		b := castest.Bytes(uint64(500+i), 1000)
		d := c.by.Of(b)
		if strings.Contains(name, "sha256") && c.by != digest.SHA256 {
			continue
		}
		name = strings.NewReplacer("U", uploadID, "D", d.String()).Replace(name)
		if resp, err := c.upload(name, b); err != nil || resp.CommittedSize != 1000 {
			c.t.Errorf("write %s: %v, %v", name, resp, err)
		}
		if got, err := c.read(&bspb.ReadRequest{ResourceName: "some/instance/blobs/" + d.String()}); err != nil || !bytes.Equal(got, b) {
			c.t.Errorf("read back: %d bytes, %v", len(got), err)
		}
	}
	d := c.put([]byte("names")).String()
	for _, name := range []string{"", "blobs", "blobs/" + d + "/more", "compressed-blobs/brotli/" + d, "blobs/" + d + "x"} {
		_, err := c.read(&bspb.ReadRequest{ResourceName: name})
		wantCode(c.t, "read "+name, err, codes.InvalidArgument)
	}
	for _, name := range []string{"blobs/" + d, "uploads/blobs/" + d, "uploads/no-uuid/blobs/" + d, "uploads/" + uploadID + "/blobs/x/1"} {
		_, err := c.upload(name, []byte("names"))
		wantCode(c.t, "write "+name, err, codes.InvalidArgument)
	}
}

func writeOfAnExistingBlob(c *client) {
	b := castest.Bytes(6, 1<<20)
	d := c.by.Of(b)
	name := "uploads/" + uploadID + "/blobs/" + d.String()
	for what, other := range map[string][]byte{"wrong bytes": castest.Bytes(60, len(b)), "too few": b[1:], "too many": append(bytes.Clone(b), 'x')} {
		_, err := c.upload(name, other)
		wantCode(c.t, what, err, codes.InvalidArgument)
	}
	status, err := c.bytes.QueryWriteStatus(c.t.Context(), &bspb.QueryWriteStatusRequest{ResourceName: name})
	if err != nil || status.Complete || len(c.missing(d.Proto())) != 1 {
		c.t.Errorf("before it was written: %v, %v", status, err)
	}
	if _, err := c.upload(name, b); err != nil {
		c.t.Fatal(err)
	}
	w, err := c.bytes.Write(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	if err := w.Send(&bspb.WriteRequest{ResourceName: name, Data: b[:10]}); err != nil {
		c.t.Fatal(err)
	}
	resp := &bspb.WriteResponse{}
	if err := w.RecvMsg(resp); err != nil || resp.CommittedSize != d.Size { // before all is sent
		c.t.Errorf("committed %d, %v", resp.CommittedSize, err)
	}
	status, err = c.bytes.QueryWriteStatus(c.t.Context(), &bspb.QueryWriteStatusRequest{ResourceName: name})
	if err != nil || !status.Complete || status.CommittedSize != d.Size {
		c.t.Errorf("status %v, %v", status, err)
	}
}

func readOffsetAndLimit(c *client) {
	b := castest.Bytes(7, 3000)
	d := c.put(b)
	for _, r := range []struct {
		offset, limit int64
		want          []byte
		code          codes.Code
	}{
		{0, 0, b, codes.OK}, {100, 0, b[100:], codes.OK}, {100, 50, b[100:150], codes.OK}, {2990, 50, b[2990:], codes.OK},
		{3000, 0, nil, codes.OK}, {3001, 0, nil, codes.OutOfRange}, {-1, 0, nil, codes.OutOfRange}, {0, -1, nil, codes.InvalidArgument},
	} {
		got, err := c.read(&bspb.ReadRequest{ResourceName: "blobs/" + d.String(), ReadOffset: r.offset, ReadLimit: r.limit})
		wantCode(c.t, "read", err, r.code)
		if !bytes.Equal(got, r.want) {
			c.t.Errorf("offset %d, limit %d: %d other bytes", r.offset, r.limit, len(got))
		}
	}
}

// pack compresses b.
func pack(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}

func unpacked(t testing.TB, b []byte) []byte {
	t.Helper()
	u, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := u.DecodeAll(b, nil)
	if err != nil {
		t.Errorf("unpack: %v", err)
	}
	return plain
}

func zstdStreams(c *client) {
	b := bytes.Repeat([]byte("compressible "), 10_000)
	d := c.by.Of(b)
	packed := pack(c.t, b)
	name := "uploads/" + uploadID + "/compressed-blobs/zstd/" + d.String()
	for what, other := range map[string][]byte{"no zstd": b, "half of it": packed[:len(packed)/2], "another blob": pack(c.t, b[1:]), "a longer one": pack(c.t, append(bytes.Clone(b), 'x'))} {
		_, err := c.upload(name, other)
		wantCode(c.t, what, err, codes.InvalidArgument)
	}
	for _, want := range []int64{d.Size, -1} { // the second finds the blob there
		if resp, err := c.upload(name, packed); err != nil || resp.CommittedSize != want {
			c.t.Errorf("write: %v, %v, want %d", resp, err, want)
		}
	}
	got, err := c.read(&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadOffset: 5})
	if err != nil {
		c.t.Fatal(err)
	}
	if plain := unpacked(c.t, got); !bytes.Equal(plain, b[5:]) || len(got) > len(b)/10 {
		c.t.Errorf("read from 5: %d bytes in %d", len(plain), len(got))
	}
	_, err = c.read(&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadLimit: 5})
	wantCode(c.t, "limit", err, codes.InvalidArgument)
}

// Bazel takes the size of a compressed write to mean the bytes that it sent.
func zstdForBazel(c *client) {
	b := bytes.Repeat([]byte("bazel's "), 10_000)
	packed := pack(c.t, b)
	md, err := proto.Marshal(&repb.RequestMetadata{ToolDetails: &repb.ToolDetails{ToolName: "bazel"}})
	if err != nil {
		c.t.Fatal(err)
	}
	w, err := c.bytes.Write(metadata.AppendToOutgoingContext(c.t.Context(), "build.bazel.remote.execution.v2.requestmetadata-bin", string(md)))
	if err != nil {
		c.t.Fatal(err)
	}
	name := "uploads/" + uploadID + "/compressed-blobs/zstd/" + c.by.Of(b).String()
	if err := w.Send(&bspb.WriteRequest{ResourceName: name, Data: packed, FinishWrite: true}); err != nil {
		c.t.Fatal(err)
	}
	if resp, err := w.CloseAndRecv(); err != nil || resp.CommittedSize != int64(len(packed)) {
		c.t.Errorf("%v, %v; want the %d bytes that were sent", resp, err, len(packed))
	}
}

func zstdBatches(c *client) {
	b := bytes.Repeat([]byte("a batch's "), 1000)
	d := c.by.Of(b).Proto()
	up, err := c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(), Requests: []*repb.BatchUpdateBlobsRequest_Request{
		{Digest: d, Data: pack(c.t, b[1:]), Compressor: repb.Compressor_ZSTD}, {Digest: d, Data: b, Compressor: repb.Compressor_ZSTD},
		{Digest: d, Data: b, Compressor: repb.Compressor_BROTLI}, {Digest: d, Data: pack(c.t, b), Compressor: repb.Compressor_ZSTD}}})
	if err != nil {
		c.t.Fatal(err)
	}
	for i, want := range []codes.Code{codes.InvalidArgument, codes.InvalidArgument, codes.InvalidArgument, codes.OK} {
		if got := codes.Code(up.Responses[i].Status.GetCode()); got != want {
			c.t.Errorf("blob %d: %v, want %v", i, up.Responses[i].Status, want)
		}
	}
	random := castest.Bytes(8, 1000) // nothing to be gained
	down, err := c.cas.BatchReadBlobs(c.t.Context(), &repb.BatchReadBlobsRequest{DigestFunction: c.by.Proto(), Digests: []*repb.Digest{d, c.put(random).Proto(), c.by.Empty().Proto()},
		AcceptableCompressors: []repb.Compressor_Value{repb.Compressor_ZSTD}})
	if err != nil {
		c.t.Fatal(err)
	}
	if r := down.Responses[0]; r.Compressor != repb.Compressor_ZSTD || len(r.Data) > len(b)/10 || !bytes.Equal(unpacked(c.t, r.Data), b) {
		c.t.Errorf("asked for zstd: %d bytes by %v, %v", len(r.Data), r.Compressor, r.Status)
	}
	if r := down.Responses[1]; r.Compressor != repb.Compressor_IDENTITY || !bytes.Equal(r.Data, random) {
		c.t.Errorf("what does not get smaller: %d bytes by %v, %v", len(r.Data), r.Compressor, r.Status)
	}
	if r := down.Responses[2]; r.Status.GetCode() != 0 || len(r.Data) != 0 {
		c.t.Errorf("the empty blob: %v", r)
	}
	if plain, err := c.batchRead(d); err != nil || plain.Responses[0].Compressor != repb.Compressor_IDENTITY || !bytes.Equal(plain.Responses[0].Data, b) {
		c.t.Errorf("not asked for: %v", err)
	}
}

// directories asks for a tree in pages of two, from a page on, and returns the tokens of all pages too.
func (c *client) directories(root digest.Digest, from string) (dirs []*repb.Directory, tokens []string, err error) {
	stream, err := c.cas.GetTree(c.t.Context(), &repb.GetTreeRequest{InstanceName: "some/instance", DigestFunction: c.by.Proto(), RootDigest: root.Proto(), PageSize: 2, PageToken: from})
	for err == nil {
		var page *repb.GetTreeResponse
		if page, err = stream.Recv(); err == nil {
			dirs, tokens = append(dirs, page.Directories...), append(tokens, page.NextPageToken)
			if n := len(page.Directories); n > 2 {
				c.t.Errorf("a page of %d directories, want 2", n)
			}
		}
	}
	if err == io.EOF {
		err = nil
	}
	return dirs, tokens, err
}

func getTree(c *client) {
	f := tree.Entry{Digest: c.put([]byte("f"))}
	m, err := tree.BuildBy(c.by, tree.Files{"a/same/f": f, "b/same/f": f, "c/other/f": f, "lost/g": f, "h": f})
	if err != nil {
		c.t.Fatal(err)
	}
	lost, err := tree.BuildBy(c.by, tree.Files{"g": f})
	if err != nil {
		c.t.Fatal(err)
	}
	_, _, err = c.directories(m.Root, "")
	wantCode(c.t, "a missing root", err, codes.NotFound)
	for d, b := range m.Dirs {
		if d != lost.Root {
			c.put(b)
		}
	}
	dirs, tokens, err := c.directories(m.Root, "")
	if err != nil || len(dirs) != len(m.Dirs)-1 {
		c.t.Errorf("%d directories, %v; want each of the %d that exist once", len(dirs), err, len(m.Dirs)-1)
	}
	if n := len(tokens); n != (len(dirs)+1)/2 || tokens[n-1] != "" {
		c.t.Fatalf("tokens %q: want one for each page but the last", tokens)
	}
	for i, token := range tokens[:len(tokens)-1] {
		rest, _, err := c.directories(m.Root, token)
		if err != nil || len(rest) != len(dirs)-2*(i+1) || !proto.Equal(rest[0], dirs[2*(i+1)]) {
			c.t.Errorf("from token %q: %d directories, %v", token, len(rest), err)
		}
	}
	_, _, err = c.directories(m.Root, "none")
	wantCode(c.t, "a token of another's", err, codes.InvalidArgument)
}

// Classic functions have hashes of lengths of their own and need not be named;
// BLAKE3 must be. Content under one function is not there under another.
func digestFunctions(c *client) {
	caps, err := c.caps.GetCapabilities(c.t.Context(), &repb.GetCapabilitiesRequest{})
	if err != nil {
		c.t.Fatal(err)
	}
	known := []repb.DigestFunction_Value{repb.DigestFunction_SHA256, repb.DigestFunction_BLAKE3}
	if !slices.Equal(caps.CacheCapabilities.DigestFunctions, known) || !slices.Equal(caps.ExecutionCapabilities.DigestFunctions, known) {
		c.t.Errorf("functions %v and %v, want %v", caps.CacheCapabilities.DigestFunctions, caps.ExecutionCapabilities.DigestFunctions, known)
	}
	content := []byte("functions of " + c.by.String())
	d := c.put(content)
	for v, name := range repb.DigestFunction_Value_name {
		function := repb.DigestFunction_Value(v)
		resp, err := c.cas.FindMissingBlobs(c.t.Context(), &repb.FindMissingBlobsRequest{BlobDigests: []*repb.Digest{d.Proto()}, DigestFunction: function})
		if function == repb.DigestFunction_UNKNOWN {
			function = repb.DigestFunction_SHA256
		}
		if !slices.Contains(known, function) {
			wantCode(c.t, name, err, codes.InvalidArgument)
			_, err := c.read(&bspb.ReadRequest{ResourceName: "blobs/" + strings.ToLower(name) + "/" + d.Hash + "/1"})
			wantCode(c.t, "read by "+name, err, codes.InvalidArgument)
			continue
		}
		if lacks := len(resp.GetMissingBlobDigests()) > 0; err != nil || lacks != (function != c.by.Proto()) {
			c.t.Errorf("by %s: missing is %t, %v", name, lacks, err)
		}
	}
	for _, f := range digest.Functions() {
		if f != c.by {
			_, err := c.read(readOf(f.Of(content)))
			wantCode(c.t, "the same content by "+f.String(), err, codes.NotFound)
			same := digest.Digest{Hash: d.Hash, Size: d.Size, Function: f}
			_, err = c.upload("uploads/"+uploadID+"/blobs/"+same.String(), content)
			wantCode(c.t, "another function's hash", err, codes.InvalidArgument)
		}
	}
	_, err = c.cas.FindMissingBlobs(c.t.Context(), &repb.FindMissingBlobsRequest{BlobDigests: []*repb.Digest{{Hash: d.Hash[:40], SizeBytes: 9}}})
	wantCode(c.t, "a hash of SHA-1's length", err, codes.InvalidArgument)
}
