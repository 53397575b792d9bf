package rev2_test

import (
	"testing"
	"unicode/utf8"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// FuzzQuestion: however the bytes of a FindMissingBlobsRequest come in, they say
// what they say to everybody else, and so does the answer.
func FuzzQuestion(f *testing.F) {
	one, other := digest.Of([]byte("one")).Proto(), digest.Of([]byte("other")).Proto()
	for _, m := range []*repb.FindMissingBlobsRequest{
		{},
		{InstanceName: "main", BlobDigests: []*repb.Digest{one, other, one}, DigestFunction: repb.DigestFunction_BLAKE3},
		{BlobDigests: []*repb.Digest{{}, {SizeBytes: 3}, {Hash: "x"}, {Hash: "y", SizeBytes: -1}}},
		{DigestFunction: -1},
	} {
		body, _ := proto.Marshal(m)
		f.Add(body, 7)
		f.Add(append(body, body...), 1000)
		f.Add(append(body, 0x12), 3)                           // an end in between
		f.Add(append(body, 0x20, 1), 3)                        // a field that is not known
		f.Add(append(body, 0x12, 0xff, 0x7f), 3)               // a length that goes beyond
		f.Add(append(body, 0x12, 2, 0x20, 1), 3)               // a field that is not known in a digest
		f.Add(append(body, 0x12, 4, 0x10, 1, 0x10, 2), 3)      // twice a size
		f.Add(append(body, 0x12, 5, 0x10, 1, 0x0a, 1, 'x'), 3) // in the other order
		f.Add(append(body, 0x10, 2), 3)                        // digests as a number
		f.Add(append(body, 0x0a, 1, 0xff), 3)                  // an instance that is not UTF-8
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		data := inPieces(body, cut)
		want := &repb.FindMissingBlobsRequest{}
		wantErr := proto.Unmarshal(body, want)
		got, all, err := rev2.ReadQuestion(data)
		data.Free()
		for _, p := range got.GetBlobDigests() {
			if !utf8.ValidString(p.Hash) {
				return // which is refused as no hash, and by others as no message
			}
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		answer := &repb.FindMissingBlobsResponse{}
		if err := proto.Unmarshal(all, answer); err != nil {
			t.Fatal(err)
		}
		forget(want)
		forget(answer)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(want.BlobDigests, answer.MissingBlobDigests, protocmp.Transform()); diff != "" {
			t.Errorf("answer (-want +got)\n%s", diff)
		}
	})
}

// forget drops what is not known.
func forget(m proto.Message) {
	m.ProtoReflect().SetUnknown(nil)
	var ds []*repb.Digest
	switch m := m.(type) {
	case *repb.FindMissingBlobsRequest:
		ds = m.BlobDigests
	case *repb.FindMissingBlobsResponse:
		ds = m.MissingBlobDigests
	}
	for _, d := range ds {
		d.ProtoReflect().SetUnknown(nil)
	}
}
