package asset_test

import (
	"testing"
	"time"

	pb "github.com/bazelbuild/remote-apis/build/bazel/remote/asset/v1"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/frontend/asset"
)

const urn = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

func TestPushedBlobIsServed(t *testing.T) {
	r := start(t)
	content := []byte("pushed")
	d := r.put(content)
	qs := append(with("b", "2"), with("a", "1")...)
	if _, err := r.push.PushBlob(t.Context(), &pb.PushBlobRequest{InstanceName: "main", Uris: []string{urn, "urn:b"}, Qualifiers: qs, BlobDigest: d.Proto()}); err != nil {
		t.Fatal(err)
	}
	other := append(with("a", "1"), with("b", "2")...) // the order does not count
	r.wantBlob("pushed", &pb.FetchBlobRequest{InstanceName: "main", Uris: []string{"urn:unknown", urn}, Qualifiers: other}, digest.SHA256, content)
	r.wantBlob("by the other URI", &pb.FetchBlobRequest{InstanceName: "main", Uris: []string{"urn:b"}, Qualifiers: other}, digest.SHA256, content)
	r.wantStatus("in another instance", &pb.FetchBlobRequest{InstanceName: "other", Uris: []string{urn}, Qualifiers: qs}, codes.NotFound)
	r.wantStatus("with other qualifiers", &pb.FetchBlobRequest{InstanceName: "main", Uris: []string{urn}, Qualifiers: qs[:1]}, codes.NotFound)
	r.wantStatus("by another function", &pb.FetchBlobRequest{InstanceName: "main", Uris: []string{urn}, Qualifiers: qs,
		DigestFunction: repb.DigestFunction_BLAKE3}, codes.NotFound)
	dir, err := r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{InstanceName: "main", Uris: []string{urn}, Qualifiers: qs})
	if err != nil || codes.Code(dir.Status.GetCode()) != codes.NotFound {
		t.Errorf("as a directory: %v, %v", dir, err)
	}
	r.store.Delete(d)
	r.wantStatus("once its content is gone", &pb.FetchBlobRequest{InstanceName: "main", Uris: []string{urn}, Qualifiers: qs}, codes.NotFound)
}

func TestPushedDirectoryIsServed(t *testing.T) {
	r := start(t)
	f := r.put([]byte("f"))
	root, err := tree.Upload(t.Context(), r.store, tree.Files{"a/b": {Digest: f}})
	if err != nil {
		t.Fatal(err)
	}
	push := &pb.PushDirectoryRequest{Uris: []string{urn}, RootDirectoryDigest: root.Proto()}
	if _, err := r.push.PushDirectory(t.Context(), push); err != nil {
		t.Fatal(err)
	}
	resp, err := r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{Uris: []string{urn}})
	if err != nil || resp.Status.GetCode() != 0 || resp.RootDirectoryDigest.GetHash() != root.Hash {
		t.Errorf("%v, %v, want %v", resp, err, root)
	}
	r.store.Delete(f)
	resp, err = r.fetch.FetchDirectory(t.Context(), &pb.FetchDirectoryRequest{Uris: []string{urn}})
	if err != nil || codes.Code(resp.Status.GetCode()) != codes.NotFound {
		t.Errorf("without a file of it: %v, %v", resp, err)
	}
	_, err = r.push.PushDirectory(t.Context(), push)
	wantCode(t, "push of what is not there", err, codes.FailedPrecondition)
}

func TestTimesOfPushes(t *testing.T) {
	r := start(t)
	d := r.put([]byte("x"))
	soon := time.Now().Add(time.Second)
	if _, err := r.push.PushBlob(t.Context(), &pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), ExpireAt: timestamppb.New(soon)}); err != nil {
		t.Fatal(err)
	}
	r.wantBlob("before it expires", blobOf(urn), digest.SHA256, []byte("x"))
	req := blobOf(urn)
	req.OldestContentAccepted = timestamppb.New(time.Now().Add(time.Hour))
	r.wantStatus("older than accepted", req, codes.NotFound)
	time.Sleep(time.Until(soon))
	r.wantStatus("expired", blobOf(urn), codes.NotFound)
	_, err := r.push.PushBlob(t.Context(), &pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), ExpireAt: timestamppb.New(soon)})
	wantCode(t, "push of what has expired", err, codes.InvalidArgument)
}

func TestPushIsChecked(t *testing.T) {
	r := start(t)
	d := r.put([]byte("abc"))
	const right = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
	for what, c := range map[string]struct {
		req  *pb.PushBlobRequest
		want codes.Code
	}{
		"no URI":             {&pb.PushBlobRequest{BlobDigest: d.Proto()}, codes.InvalidArgument},
		"empty URI":          {&pb.PushBlobRequest{Uris: []string{""}, BlobDigest: d.Proto()}, codes.InvalidArgument},
		"no digest":          {&pb.PushBlobRequest{Uris: []string{urn}}, codes.InvalidArgument},
		"other function":     {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), DigestFunction: repb.DigestFunction_MD5}, codes.InvalidArgument},
		"twice a qualifier":  {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), Qualifiers: append(with("a", "1"), with("a", "2")...)}, codes.InvalidArgument},
		"absent blob":        {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: digest.Of([]byte("absent")).Proto()}, codes.FailedPrecondition},
		"absent reference":   {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), ReferencesBlobs: []*repb.Digest{digest.Of([]byte("absent")).Proto()}}, codes.FailedPrecondition},
		"wrong checksum":     {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), Qualifiers: with("checksum.sri", "sha256-"+"AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")}, codes.InvalidArgument},
		"malformed checksum": {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), Qualifiers: with("checksum.sri", "sha256-abc")}, codes.InvalidArgument},
		"right checksum":     {&pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: d.Proto(), Qualifiers: with("checksum.sri", "md5-x "+right)}, codes.OK},
	} {
		_, err := r.push.PushBlob(t.Context(), c.req)
		wantCode(t, what, err, c.want)
	}
	for _, may := range []func(*asset.Config){func(c *asset.Config) { c.MayPush = nil }, func(c *asset.Config) { c.MayPush = nobody }} {
		r := start(t, may)
		_, err := r.push.PushBlob(t.Context(), &pb.PushBlobRequest{Uris: []string{urn}, BlobDigest: r.put([]byte("x")).Proto()})
		wantCode(t, "without the permission", err, codes.PermissionDenied)
	}
}
