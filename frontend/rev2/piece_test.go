package rev2_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/kvfarm/kvfarm/frontend/rev2"
)

// FuzzPiece: however the bytes of a WriteRequest come in, they say what they say
// to everybody else.
func FuzzPiece(f *testing.F) {
	blob := bytes.Repeat([]byte("blob"), 100)
	for _, m := range []*bspb.WriteRequest{
		{},
		{ResourceName: "name", Data: blob},
		{WriteOffset: 400, Data: blob, FinishWrite: true},
		{WriteOffset: -1, FinishWrite: true},
		{ResourceName: "\xff", Data: blob}, // not UTF-8
	} {
		body, _ := proto.Marshal(m)
		f.Add(body, 7)
		f.Add(append(body, body...), 1000)
		f.Add(append(body, 0x0a), 3)             // an end in between
		f.Add(append(body, 0x20, 1), 3)          // a field that is not known
		f.Add(append(body, 0x0a, 0xff, 0x7f), 3) // a length that goes beyond
		f.Add(append(body, 0x52, 2, 'x', 'y'), 3)
		f.Add(append(body, 0x50, 2), 3) // data as a number
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		data := inPieces(body, cut)
		want := &bspb.WriteRequest{}
		wantErr := proto.Unmarshal(body, want)
		want.ProtoReflect().SetUnknown(nil)
		got, err := rev2.ReadPiece(data)
		data.Free()
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); err == nil && diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// poison is a pool that spoils what is given back to it.
type poison struct{}

func (poison) Get(n int) *[]byte { b := make([]byte, n); return &b }
func (poison) Put(b *[]byte)     { clear(*b) }

// inPieces is a message that came in buffers of n bytes, which are overwritten once they are given back.
func inPieces(message []byte, n int) mem.BufferSlice {
	var data mem.BufferSlice
	for piece := range slices.Chunk(message, max(n, 1)) {
		piece = bytes.Clone(piece)
		data = append(data, mem.NewBuffer(&piece, poison{}))
	}
	return data
}
