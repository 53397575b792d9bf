package remote

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Get implements cas.Store. A whole blob is checked against its digest: in
// place of its last bytes comes ErrCorrupt if the farm sent anything else.
func (s *Store) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("get %v: %w", d, err)
	}
	if offset < 0 || offset > d.Size {
		if missing, err := s.Missing(ctx, []digest.Digest{d}); err != nil || len(missing) > 0 {
			return nil, fmt.Errorf("get %v: %w", d, errors.Join(cas.ErrNotFound, err))
		}
		return nil, fmt.Errorf("get %v from %d: %w", d, offset, cas.ErrRange)
	}
	name, err := s.c.ResourceName("blobs", d.String())
	if err != nil {
		return nil, fmt.Errorf("get %v: %w", d, err)
	}
	r := &reader{store: s, digest: d, name: name, offset: offset}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if offset == 0 {
		r.hash = d.Function.New()
	}
	// The first piece says whether there is a blob at all.
	if err := r.next(); err != nil && err != io.EOF {
		r.cancel()
		return nil, err
	}
	return r, nil
}

// reader is the bytes of a blob. A broken stream is taken up again where it
// ended.
type reader struct {
	store  *Store
	ctx    context.Context
	cancel context.CancelFunc
	digest digest.Digest
	name   string
	offset int64                      // of the next byte from the stream
	stream bspb.ByteStream_ReadClient // nil: to be opened
	piece  []byte                     // received and not yet read
	hash   hash.Hash                  // of what was received; nil if that is not the whole
	err    error                      // after piece
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.piece) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.cancel()
	return nil
}

// next receives a piece. After the last it returns io.EOF.
func (r *reader) next() error {
	if r.err != nil {
		return r.err
	}
	var resp *bspb.ReadResponse
	err := r.store.c.Retrier.Do(r.ctx, func() (err error) {
		resp, err = r.receive()
		return err
	})
	switch {
	case errors.Is(err, io.EOF):
		r.err = r.verify()
	case err != nil:
		r.err = fmt.Errorf("get %v: %w", r.digest, translate(err))
	default:
		return r.take(resp.Data)
	}
	return r.err
}

// take makes piece the next one to read. The last piece is not handed out
// before the whole is checked: who knows the size reads no further.
func (r *reader) take(piece []byte) error {
	r.offset += int64(len(piece))
	if r.hash != nil {
		r.hash.Write(piece)
	}
	if r.offset >= r.digest.Size {
		if err := r.verify(); err != io.EOF {
			r.err = err
			return err
		}
	}
	r.piece = piece
	return nil
}

func (r *reader) receive() (*bspb.ReadResponse, error) {
	if r.stream == nil {
		stream, err := r.store.c.Read(r.ctx, &bspb.ReadRequest{ResourceName: r.name, ReadOffset: r.offset})
		if err != nil {
			return nil, err
		}
		r.stream = stream
	}
	resp, err := r.stream.Recv()
	if err != nil && err != io.EOF {
		r.stream = nil
	}
	return resp, err
}

// verify checks what came, and returns io.EOF if it is the blob.
func (r *reader) verify() error {
	if r.offset != r.digest.Size {
		return fmt.Errorf("get %v: farm sent %d bytes: %w", r.digest, r.offset, cas.ErrCorrupt)
	}
	if r.hash != nil && r.digest.Function.OfHash(r.hash, r.offset) != r.digest {
		return fmt.Errorf("get %v: farm sent other bytes: %w", r.digest, cas.ErrCorrupt)
	}
	return io.EOF
}
