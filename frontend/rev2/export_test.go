package rev2

import (
	bspb "google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/mem"
)

// Patient is what ends streams that wait for their client.
var Patient = patient

// Unmarshal reads a message as the server does.
var Unmarshal = newCodec().Unmarshal

// ReadPiece reads a WriteRequest as the server does.
func ReadPiece(data mem.BufferSlice) (*bspb.WriteRequest, error) {
	p := &piece{}
	if err := Unmarshal(data, p); err != nil {
		return nil, err
	}
	defer p.free()
	m := &bspb.WriteRequest{ResourceName: p.resource, WriteOffset: p.offset, FinishWrite: p.finish}
	b := make([]byte, 100)
	for n := p.read(b); n > 0; n = p.read(b) {
		m.Data = append(m.Data, b[:n]...)
	}
	return m, nil
}
