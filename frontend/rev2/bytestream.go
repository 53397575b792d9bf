package rev2

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// chunk is how many bytes of a blob go into one message.
const chunk = 256 << 10

// Read streams a blob, from an offset on and at most as far as a limit. In
// compressed reads the offset counts bytes of the blob.
func (s *Server) Read(req *bspb.ReadRequest, stream bspb.ByteStream_ReadServer) error {
	return s.fail(s.read(req, stream))
}

func (s *Server) read(req *bspb.ReadRequest, stream bspb.ByteStream_ReadServer) error {
	if log, ok := parseLog(req.ResourceName); ok && s.cfg.Logs != nil {
		return s.readLog(stream, log, req)
	}
	name, err := parseRead(req.ResourceName)
	if err != nil {
		return err
	}
	if req.ReadLimit < 0 || (name.zstd && req.ReadLimit != 0) {
		return invalid("read %q: limit %d", req.ResourceName, req.ReadLimit)
	}
	if req.ReadOffset < 0 || req.ReadOffset > name.digest.Size {
		return fmt.Errorf("read %q from %d: %w", req.ResourceName, req.ReadOffset, cas.ErrRange)
	}
	blob, err := s.cfg.Store.Get(stream.Context(), name.digest, req.ReadOffset)
	if err != nil {
		return err
	}
	defer blob.Close()
	if name.zstd {
		return sendZstd(stream, blob)
	}
	size := name.digest.Size - req.ReadOffset
	if req.ReadLimit > 0 {
		return send(stream, blob, min(size, req.ReadLimit))
	}
	return sendAll(stream, blob, size)
}

// sendAll sends all of r, which is size bytes: from its own buffers if it has any.
func sendAll(stream bspb.ByteStream_ReadServer, r io.Reader, size int64) error {
	from, ok := r.(io.WriterTo)
	if !ok {
		return send(stream, r, size)
	}
	n, err := from.WriteTo(sender{stream})
	if err == nil && n != size {
		return io.ErrUnexpectedEOF
	}
	return err
}

// send sends size bytes of r.
func send(stream bspb.ByteStream_ReadServer, r io.Reader, size int64) error {
	w := sender{stream}
	buf := make([]byte, min(size, chunk))
	for size > 0 {
		n, err := io.ReadFull(r, buf[:min(size, chunk)])
		if err != nil {
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

func sendZstd(stream bspb.ByteStream_ReadServer, r io.Reader) error {
	z, err := zstd.NewWriter(sender{stream}, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, r); err != nil {
		return errors.Join(err, z.Close())
	}
	return z.Close()
}

// sender writes to a stream. gRPC has encoded a message when Send returns, so
// the bytes may be used again.
type sender struct{ stream bspb.ByteStream_ReadServer }

func (s sender) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); sent += chunk {
		if err := s.stream.Send(&bspb.ReadResponse{Data: p[sent:min(len(p), sent+chunk)]}); err != nil {
			return sent, err
		}
	}
	return len(p), nil
}

// Write stores a blob that comes in pieces. If it is there already, the answer
// comes at once.
func (s *Server) Write(stream bspb.ByteStream_WriteServer) error {
	return s.fail(s.write(stream))
}

func (s *Server) write(stream bspb.ByteStream_WriteServer) error {
	r := &receiver{stream: stream}
	defer r.piece.free()
	if err := stream.RecvMsg(&r.piece); err != nil {
		return err
	}
	r.name = r.piece.resource
	name, err := parseWrite(r.name)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	present, err := s.has(ctx, name.digest)
	if err != nil {
		return err
	}
	if present {
		return stream.SendAndClose(&bspb.WriteResponse{CommittedSize: existing(name)})
	}
	if err := s.receive(ctx, name, r); err != nil {
		return err
	}
	size := name.digest.Size
	if name.zstd && fromBazel(ctx) {
		size = r.offset
	}
	return stream.SendAndClose(&bspb.WriteResponse{CommittedSize: size})
}

// receive puts what r carries.
func (s *Server) receive(ctx context.Context, name resource, r io.Reader) error {
	if !name.zstd {
		return s.cfg.Store.Put(ctx, name.digest, r)
	}
	z, err := unzstd(r)
	if err != nil {
		return err
	}
	defer z.Close()
	return s.cfg.Store.Put(ctx, name.digest, z)
}

// existing is the size to report of a blob that was there before. Compressed
// it is -1, since the bytes that it would have had are not known.
func existing(name resource) int64 {
	if name.zstd {
		return -1
	}
	return name.digest.Size
}

// fromBazel reports whether the caller is Bazel, which takes the size of a
// compressed write to mean the bytes it sent, where others want the blob's.
func fromBazel(ctx context.Context) bool {
	return requestMetadata(ctx).GetToolDetails().GetToolName() == "bazel"
}

// receiver is the bytes of a write stream. It checks the order of the pieces
// and that the client finishes.
type receiver struct {
	stream bspb.ByteStream_WriteServer
	name   string
	piece  piece // the current one
	offset int64 // of the bytes read so far
	begun  bool  // piece's offset has been checked
}

func (r *receiver) Read(p []byte) (int, error) {
	for {
		if err := r.check(); err != nil {
			return 0, err
		}
		if n := r.piece.read(p); n > 0 {
			r.offset += int64(n)
			return n, nil
		}
		if r.piece.finish {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
}

func (r *receiver) check() error {
	if r.begun {
		return nil
	}
	if r.piece.offset != r.offset {
		return invalid("write %q: offset %d, want %d", r.name, r.piece.offset, r.offset)
	}
	if n := r.piece.resource; n != "" && n != r.name {
		return invalid("write %q: name changes to %q", r.name, n)
	}
	r.begun = true
	return nil
}

func (r *receiver) next() error {
	r.piece.free()
	err := r.stream.RecvMsg(&r.piece)
	if err == io.EOF {
		return invalid("write %q: stream ends without finish_write", r.name)
	}
	if err != nil {
		return err
	}
	r.begun = false
	return nil
}

// QueryWriteStatus says that a blob is complete, or that nothing of it is
// here: parts of a write are not kept.
func (s *Server) QueryWriteStatus(ctx context.Context, req *bspb.QueryWriteStatusRequest) (*bspb.QueryWriteStatusResponse, error) {
	name, err := parseWrite(req.ResourceName)
	if err != nil {
		return nil, s.fail(err)
	}
	present, err := s.has(ctx, name.digest)
	if err != nil {
		return nil, s.fail(err)
	}
	if !present {
		return &bspb.QueryWriteStatusResponse{}, nil
	}
	return &bspb.QueryWriteStatusResponse{CommittedSize: existing(name), Complete: true}, nil
}

func (s *Server) has(ctx context.Context, d digest.Digest) (bool, error) {
	missing, err := s.cfg.Store.Missing(ctx, []digest.Digest{d})
	return len(missing) == 0, err
}
