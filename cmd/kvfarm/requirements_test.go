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
	big := castest.Bytes(4, 4<<20+1) // the advertised limit and one more
	_, err = c.cas.BatchUpdateBlobs(c.t.Context(), &repb.BatchUpdateBlobsRequest{DigestFunction: c.by.Proto(),
		Requests: []*repb.BatchUpdateBlobsRequest_Request{{Digest: c.by.Of(big).Proto(), Data: big}}})
	wantCode(c.t, "more than the limit", err, codes.InvalidArgument)
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
}

func writeOfAnExistingBlob(c *client) {
	b := castest.Bytes(6, 1<<20)
	d := c.by.Of(b)
	name := "uploads/" + uploadID + "/blobs/" + d.String()
	for what, other := range map[string][]byte{"wrong bytes": b[1:], "too many": append(bytes.Clone(b), 'x')} {
		_, err := c.upload(name, other)
		wantCode(c.t, what, err, codes.InvalidArgument)
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
	status, err := c.bytes.QueryWriteStatus(c.t.Context(), &bspb.QueryWriteStatusRequest{ResourceName: name})
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

func zstdStreams(c *client) {
	b := bytes.Repeat([]byte("compressible "), 10_000)
	d := c.by.Of(b)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	packed := z.EncodeAll(b, nil)
	name := "uploads/" + uploadID + "/compressed-blobs/zstd/" + d.String()
	for _, want := range []int64{d.Size, -1} { // the second finds the blob there
		if resp, err := c.upload(name, packed); err != nil || resp.CommittedSize != want {
			c.t.Errorf("write: %v, %v, want %d", resp, err, want)
		}
	}
	got, err := c.read(&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadOffset: 5})
	if err != nil {
		c.t.Fatal(err)
	}
	u, err := zstd.NewReader(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if plain, err := u.DecodeAll(got, nil); err != nil || !bytes.Equal(plain, b[5:]) {
		c.t.Errorf("read from 5: %d bytes, %v", len(plain), err)
	}
	_, err = c.read(&bspb.ReadRequest{ResourceName: "compressed-blobs/zstd/" + d.String(), ReadLimit: 5})
	wantCode(c.t, "limit", err, codes.InvalidArgument)
}

// directories asks for a tree in pages of two.
func (c *client) directories(root digest.Digest) (dirs []*repb.Directory, err error) {
	stream, err := c.cas.GetTree(c.t.Context(), &repb.GetTreeRequest{DigestFunction: c.by.Proto(), RootDigest: root.Proto(), PageSize: 2})
	for err == nil {
		var page *repb.GetTreeResponse
		if page, err = stream.Recv(); err == nil {
			dirs = append(dirs, page.Directories...)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return dirs, err
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
	_, err = c.directories(m.Root)
	wantCode(c.t, "a missing root", err, codes.NotFound)
	for d, b := range m.Dirs {
		if d != lost.Root {
			c.put(b)
		}
	}
	dirs, err := c.directories(m.Root)
	if err != nil || len(dirs) != len(m.Dirs)-1 {
		c.t.Errorf("%d directories, %v; want each of the %d that exist once", len(dirs), err, len(m.Dirs)-1)
	}
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
