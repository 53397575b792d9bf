package rev2

import (
	"encoding/binary"
	"unicode/utf8"

	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// piece is a WriteRequest as it came in: the bytes of the blob stay in the
// buffers that they were received in, where a WriteRequest has them copied
// together and copied out again.
type piece struct {
	resource string
	offset   int64
	finish   bool
	data     [][]byte
	held     mem.BufferSlice // that data lies in
}

// GetResourceName says what the piece is about, as a WriteRequest does to whoever
// checks permissions.
func (p *piece) GetResourceName() string { return p.resource }

// read moves bytes out of the piece.
func (p *piece) read(b []byte) (n int) {
	for len(p.data) > 0 && n < len(b) {
		m := copy(b[n:], p.data[0])
		n += m
		if p.data[0] = p.data[0][m:]; len(p.data[0]) == 0 {
			p.data = p.data[1:]
		}
	}
	return n
}

// free gives the buffers back.
func (p *piece) free() {
	p.held.Free()
	p.data, p.held = nil, nil
}

// codec is gRPC's own, but for pieces, questions, and answers with much in them.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(protocodec.Name)} }

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if q, ok := v.(*question); ok {
		return q.read(data)
	}
	p, ok := v.(*piece)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	*p = piece{}
	r := data.Reader()
	ok = p.parse(r)
	_ = r.Close() // it never fails
	if !ok {
		return p.plainly(data)
	}
	data.Ref()
	p.held = data
	return nil
}

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case *found:
		return mem.BufferSlice{mem.SliceBuffer(v.body)}, nil
	case *batch:
		return v.marshal()
	}
	return c.CodecV2.Marshal(v)
}

// plainly is for what no client should send.
func (p *piece) plainly(data mem.BufferSlice) error {
	m := &bspb.WriteRequest{}
	if err := proto.Unmarshal(data.Materialize(), m); err != nil {
		return err
	}
	*p = piece{resource: m.ResourceName, offset: m.WriteOffset, finish: m.FinishWrite, data: [][]byte{m.Data}}
	return nil
}

// Fields of a WriteRequest.
const (
	fieldResource = 1
	fieldOffset   = 2
	fieldFinish   = 3
	fieldData     = 10
)

// parse reads the fields of a WriteRequest, and reports whether there was nothing
// else.
func (p *piece) parse(r *mem.Reader) bool {
	for r.Remaining() > 0 {
		tag, err := binary.ReadUvarint(r)
		if err != nil {
			return false
		}
		v, err := binary.ReadUvarint(r) // or a length
		if err != nil {
			return false
		}
		ok := true
		switch field, kind := protowire.DecodeTag(tag); {
		case field == fieldResource && kind == protowire.BytesType:
			var views [][]byte
			views, ok = take(r, v, nil)
			p.resource = string(join(views))
			ok = ok && utf8.ValidString(p.resource)
		case field == fieldOffset && kind == protowire.VarintType:
			p.offset = int64(v)
		case field == fieldFinish && kind == protowire.VarintType:
			p.finish = protowire.DecodeBool(v)
		case field == fieldData && kind == protowire.BytesType:
			p.data, ok = take(r, v, p.data[:0])
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// take appends the next n bytes, where they lie, to views.
func take(r *mem.Reader, n uint64, views [][]byte) ([][]byte, bool) {
	if n > uint64(r.Remaining()) {
		return nil, false
	}
	views, err := r.Peek(int(n), views)
	if err != nil {
		return nil, false
	}
	_, err = r.Discard(int(n))
	return views, err == nil
}

func join(views [][]byte) (all []byte) {
	for _, v := range views {
		all = append(all, v...)
	}
	return all
}
