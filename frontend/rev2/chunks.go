package rev2

import (
	"context"
	"errors"
	"fmt"
	"io"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

const (
	maxChunks   = 1 << 19   // of one blob
	chunksAPage = 1 << 14   // digests in one message of GetChunkMapping
	chunkSize   = 512 << 10 // bytes that clients are told to cut blobs into, on average, by FastCDC
)

// mapping is how a blob is put together from chunks, which are blobs too.
type mapping struct {
	blob     digest.Digest
	chunks   []digest.Digest
	function repb.ChunkingFunction_Value // by which the client says that it cut
}

// add appends the chunks of a message.
func (m *mapping) add(ps []*repb.Digest) error {
	if len(m.chunks)+len(ps) > maxChunks {
		return invalid("splice %v: more than %d chunks", m.blob, maxChunks)
	}
	for _, p := range ps {
		d, err := digestOf(m.blob.Function, p)
		if err != nil {
			return err
		}
		m.chunks = append(m.chunks, d)
	}
	return nil
}

// RegisterChunkMapping stores a blob whose chunks are stored, and remembers them.
func (s *Server) RegisterChunkMapping(stream grpc.ClientStreamingServer[repb.RegisterChunkMappingRequest, repb.RegisterChunkMappingResponse]) error {
	var m *mapping
	for {
		req, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if m == nil {
			if m, err = newMapping(req.BlobDigest, req.DigestFunction, req.ChunkingFunction); err != nil {
				return s.fail(err)
			}
		}
		if err := m.add(req.ChunkDigests); err != nil {
			return s.fail(err)
		}
	}
	if m == nil {
		return s.fail(invalid("splice: the stream has no request"))
	}
	if err := s.splice(stream.Context(), m); err != nil {
		return s.fail(err)
	}
	return stream.SendAndClose(&repb.RegisterChunkMappingResponse{})
}

// SpliceBlob is RegisterChunkMapping as it was in v2.12.
func (s *Server) SpliceBlob(ctx context.Context, req *repb.SpliceBlobRequest) (*repb.SpliceBlobResponse, error) {
	m, err := newMapping(req.BlobDigest, req.DigestFunction, req.ChunkingFunction)
	if err == nil {
		err = m.add(req.ChunkDigests)
	}
	if err == nil {
		err = s.splice(ctx, m)
	}
	if err != nil {
		return nil, s.fail(err)
	}
	return &repb.SpliceBlobResponse{BlobDigest: req.BlobDigest}, nil
}

func newMapping(p *repb.Digest, v repb.DigestFunction_Value, by repb.ChunkingFunction_Value) (*mapping, error) {
	d, err := named(p, v)
	return &mapping{blob: d, function: by}, err
}

// splice reads the chunks, whether the blob is there or not: a mapping that is
// wrong is never remembered.
func (s *Server) splice(ctx context.Context, m *mapping) error {
	size := int64(0)
	for _, d := range m.chunks {
		if size += d.Size; size > m.blob.Size {
			break
		}
	}
	if size != m.blob.Size {
		return invalid("splice %v: the chunks have another size: %w", m.blob, cas.ErrMismatch)
	}
	missing, err := s.cfg.Store.Missing(ctx, m.chunks)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("splice %v: %d chunks are missing, such as %v: %w", m.blob, len(missing), missing[0], cas.ErrNotFound)
	}
	there, err := s.has(ctx, m.blob)
	if err != nil {
		return err
	}
	r := &chunkReader{ctx: ctx, store: s.cfg.Store, left: m.chunks}
	defer r.close()
	if there {
		err = verify(r, m.blob)
	} else {
		err = s.cfg.Store.Put(ctx, m.blob, r)
	}
	if err != nil {
		return fmt.Errorf("splice %v: %w", m.blob, err)
	}
	return s.cfg.Cache.SetResult(ctx, m.key(), m.result())
}

func verify(r io.Reader, want digest.Digest) error {
	got, err := want.Function.OfReader(r)
	if err == nil && got != want {
		err = cas.ErrMismatch
	}
	return err
}

// key is what a mapping is kept under: as the result of an action that nobody can
// run, for no message begins with a zero byte. So it is kept with all the chunks
// or dropped.
func (m *mapping) key() digest.Digest {
	return m.blob.Function.Of([]byte("\x00kvfarm chunks 1\n" + m.blob.String()))
}

func (m *mapping) result() *repb.ActionResult {
	r := &repb.ActionResult{StdoutDigest: m.blob.Proto(), ExitCode: int32(m.function)}
	for _, d := range m.chunks {
		r.OutputFiles = append(r.OutputFiles, &repb.OutputFile{Digest: d.Proto()})
	}
	return r
}

// GetChunkMapping says what chunks a blob was put together from. One that came
// whole has none: clients then fetch it whole.
func (s *Server) GetChunkMapping(req *repb.GetChunkMappingRequest, stream grpc.ServerStreamingServer[repb.GetChunkMappingResponse]) error {
	chunks, by, err := s.chunks(stream.Context(), req.BlobDigest, req.DigestFunction)
	if err != nil {
		return s.fail(err)
	}
	page := &repb.GetChunkMappingResponse{ChunkingFunction: by}
	for len(chunks) > chunksAPage {
		page.ChunkDigests, chunks = chunks[:chunksAPage], chunks[chunksAPage:]
		if err := stream.Send(page); err != nil {
			return err
		}
		page = &repb.GetChunkMappingResponse{}
	}
	page.ChunkDigests = chunks
	return stream.Send(page)
}

// SplitBlob is GetChunkMapping as it was in v2.12.
func (s *Server) SplitBlob(ctx context.Context, req *repb.SplitBlobRequest) (*repb.SplitBlobResponse, error) {
	chunks, by, err := s.chunks(ctx, req.BlobDigest, req.DigestFunction)
	if err != nil {
		return nil, s.fail(err)
	}
	return &repb.SplitBlobResponse{ChunkDigests: chunks, ChunkingFunction: by}, nil
}

func (s *Server) chunks(ctx context.Context, p *repb.Digest, v repb.DigestFunction_Value) ([]*repb.Digest, repb.ChunkingFunction_Value, error) {
	m, err := newMapping(p, v, 0)
	if err != nil {
		return nil, 0, err
	}
	r, err := s.cfg.Cache.Result(ctx, m.key())
	if errors.Is(err, cas.ErrNotFound) {
		err = fmt.Errorf("chunks of %v: none are known: %w", m.blob, cas.ErrNotFound)
	}
	var chunks []*repb.Digest
	for _, f := range r.GetOutputFiles() {
		chunks = append(chunks, f.Digest)
	}
	return chunks, repb.ChunkingFunction_Value(r.GetExitCode()), err
}

// chunkReader is chunks one after the other.
type chunkReader struct {
	ctx   context.Context
	store cas.Store
	left  []digest.Digest
	now   io.ReadCloser // nil: none is open
}

func (r *chunkReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.left) == 0 {
				return 0, io.EOF
			}
			var err error
			if r.now, err = r.store.Get(r.ctx, r.left[0], 0); err != nil {
				return 0, err
			}
			r.left = r.left[1:]
		}
		n, err := r.now.Read(p)
		if err == io.EOF {
			r.close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (r *chunkReader) close() {
	if r.now != nil {
		_ = r.now.Close() // it was only read
		r.now = nil
	}
}
