package rev2

import (
	"context"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// question is a FindMissingBlobsRequest as it came in. Ten thousand digests are
// ordinary, and as many small messages cost more than looking for the blobs.
// Hashes are read where they lie.
type question struct {
	instance string
	function repb.DigestFunction_Value
	digests  []digest.Digest // whose function is not set yet
	spans    []string        // the field that each came in, to be sent back
}

// GetInstanceName says what the request is about to whoever checks permissions.
func (q *question) GetInstanceName() string { return q.instance }

// minSpan is the length in bytes of a field with a digest that is one.
const minSpan = 2 + 2 + 64

// Fields of the messages. Digests are the same field of request and response.
const (
	fieldInstance = 1
	fieldDigests  = 2
	fieldOf       = 3 // the digest function
	fieldHash     = 1
	fieldSize     = 2
)

// read takes a message apart.
func (q *question) read(data mem.BufferSlice) error {
	var b strings.Builder
	b.Grow(data.Len())
	for _, part := range data {
		b.Write(part.ReadOnlyData())
	}
	all := b.String()
	if q.parse(all) {
		return nil
	}
	return q.plainly(all)
}

// parse reports whether there was nothing but known fields in their plain form.
func (q *question) parse(all string) bool {
	most := len(all)/minSpan + 1
	q.digests, q.spans = make([]digest.Digest, 0, most), make([]string, 0, most)
	for rest := all; rest != ""; {
		field, value, number, next, ok := cutField(rest)
		if !ok {
			return false
		}
		switch {
		case field == protowire.EncodeTag(fieldDigests, protowire.BytesType):
			d, ok := parseDigest(value)
			if !ok {
				return false
			}
			q.digests = append(q.digests, d)
			q.spans = append(q.spans, rest[:len(rest)-len(next)])
		case field == protowire.EncodeTag(fieldInstance, protowire.BytesType):
			q.instance = strings.ToValidUTF8(value, "")
			if q.instance != value {
				return false
			}
		case field == protowire.EncodeTag(fieldOf, protowire.VarintType):
			q.function = repb.DigestFunction_Value(number)
		default:
			return false
		}
		rest = next
	}
	return true
}

// parseDigest reads a Digest message with its two fields, each at most once.
func parseDigest(s string) (d digest.Digest, ok bool) {
	for last := uint64(0); s != ""; {
		field, value, number, next, ok := cutField(s)
		if !ok || field <= last {
			return d, false
		}
		switch field {
		case protowire.EncodeTag(fieldHash, protowire.BytesType):
			d.Hash = value
		case protowire.EncodeTag(fieldSize, protowire.VarintType):
			d.Size = int64(number)
		default:
			return d, false
		}
		s, last = next, field
	}
	return d, true
}

// cutField cuts a field that is a number or bytes off a message.
func cutField(s string) (tag uint64, value string, number uint64, rest string, ok bool) {
	tag, s, ok = cutNumber(s)
	if !ok {
		return
	}
	number, rest, ok = cutNumber(s)
	switch protowire.Type(tag & 7) {
	case protowire.VarintType:
	case protowire.BytesType:
		if ok = ok && number <= uint64(len(rest)); ok {
			value, rest = rest[:number], rest[number:]
		}
	default:
		ok = false
	}
	return
}

func cutNumber(s string) (v uint64, rest string, ok bool) {
	for i := 0; i < len(s) && i < 9; i++ { // of ten bytes are only negative ones
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, s[i+1:], true
		}
	}
	return 0, "", false
}

// plainly is for what no client should send.
func (q *question) plainly(all string) error {
	m := &repb.FindMissingBlobsRequest{}
	if err := proto.Unmarshal([]byte(all), m); err != nil {
		return err
	}
	*q = question{instance: m.InstanceName, function: m.DigestFunction}
	for _, p := range m.BlobDigests {
		field := protowire.AppendTag(nil, fieldDigests, protowire.BytesType)
		body, err := proto.Marshal(p)
		if err != nil {
			return err
		}
		q.digests = append(q.digests, digest.Digest{Hash: p.GetHash(), Size: p.GetSizeBytes()})
		q.spans = append(q.spans, string(protowire.AppendBytes(field, body)))
	}
	return nil
}

// found is a FindMissingBlobsResponse, encoded.
type found struct{ body []byte }

// findMissing returns the blobs that the store lacks.
func (s *Server) findMissing(ctx context.Context, q *question) (*found, error) {
	f, err := functionOf(q.function)
	if err != nil {
		return nil, s.fail(err)
	}
	if len(q.digests) > maxDigests {
		return nil, s.fail(invalid("find missing of %d blobs: more than %d", len(q.digests), maxDigests))
	}
	for i := range q.digests {
		q.digests[i].Function = f
	}
	missing, err := s.cfg.Store.Missing(ctx, q.digests)
	if err != nil {
		return nil, s.fail(blame(q, err))
	}
	return &found{pick(q, missing)}, nil
}

// blame finds out whether a store failed for a digest that is none: it has looked
// at all of them, which need not be done twice when they are.
func blame(q *question, err error) error {
	for _, d := range q.digests {
		if bad := d.Validate(); bad != nil {
			return invalid("%w", bad)
		}
	}
	return err
}

// pick returns the fields that name missing, out of those of q. Both are in one
// order, so that none has to be made again.
func pick(q *question, missing []digest.Digest) []byte {
	size := 0
	if len(missing) > 0 {
		size = len(missing) * (len(q.spans[0]) + 8)
	}
	out := make([]byte, 0, size)
	for i, at := 0, 0; at < len(missing); i++ {
		if q.digests[i] == missing[at] {
			out = append(out, q.spans[i]...)
			at++
		}
	}
	return out
}

// casService is ContentAddressableStorage, some of whose messages are ours.
func casService() *grpc.ServiceDesc {
	desc := repb.ContentAddressableStorage_ServiceDesc
	desc.Methods = append([]grpc.MethodDesc{}, desc.Methods...)
	for i := range desc.Methods {
		switch m := &desc.Methods[i]; m.MethodName {
		case "FindMissingBlobs":
			m.Handler = handleQuestion
		case "BatchReadBlobs":
			m.Handler = handleBatchRead
		}
	}
	return &desc
}

func handleQuestion(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	return handle(srv, ctx, decode, intercept, repb.ContentAddressableStorage_FindMissingBlobs_FullMethodName, (*Server).findMissing)
}

// handle is what generated code does for a method with one answer.
func handle[Req, Resp any](srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor,
	name string, method func(*Server, context.Context, *Req) (*Resp, error)) (any, error) {
	req := new(Req)
	if err := decode(req); err != nil {
		return nil, err
	}
	s := srv.(*Server)
	if intercept == nil {
		return method(s, ctx, req)
	}
	info := &grpc.UnaryServerInfo{Server: srv, FullMethod: name}
	return intercept(ctx, req, info, func(ctx context.Context, req any) (any, error) { return method(s, ctx, req.(*Req)) })
}
