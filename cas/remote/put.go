package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	bspb "google.golang.org/genproto/googleapis/bytestream"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Sizes in bytes.
const (
	smallBlob = 1 << 20   // up to this a blob travels with others in a batch
	chunk     = 512 << 10 // of a larger one in one message
)

// Put implements cas.Store. It checks the bytes before the farm does.
func (s *Store) Put(ctx context.Context, d digest.Digest, r io.Reader) error {
	if err := s.putAny(ctx, d, r); err != nil {
		return fmt.Errorf("put %v: %w", d, translate(err))
	}
	return nil
}

func (s *Store) putAny(ctx context.Context, d digest.Digest, r io.Reader) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if d.Size > s.limit() {
		return s.putLarge(ctx, d, r)
	}
	b, err := io.ReadAll(io.LimitReader(r, d.Size+1))
	if err != nil {
		return err
	}
	return s.putSmall(ctx, cas.Blob{Digest: d, Data: b})
}

func (s *Store) limit() int64 { return min(smallBlob, int64(s.c.MaxBatchSize)) }

// putLarge streams a blob. It is tried again if r can be read again.
func (s *Store) putLarge(ctx context.Context, d digest.Digest, r io.Reader) error {
	seeker, ok := r.(io.Seeker)
	if !ok {
		return s.stream(ctx, d, r)
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return s.stream(ctx, d, r)
	}
	return s.c.Retrier.Do(ctx, func() error {
		if _, err := seeker.Seek(start, io.SeekStart); err != nil {
			return err
		}
		return s.stream(ctx, d, r)
	})
}

// stream sends r once. When the farm ends the stream early it has the blob.
func (s *Store) stream(ctx context.Context, d digest.Digest, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a write that is not finished is dropped by the farm
	name, err := s.c.ResourceName("uploads", uuid.NewString(), "blobs", d.String())
	if err != nil {
		return err
	}
	w, err := s.c.Write(ctx)
	if err != nil {
		return err
	}
	if err := sendAll(w, name, d, r); err != nil && err != io.EOF {
		return err
	}
	resp, err := w.CloseAndRecv()
	if err == nil && resp.CommittedSize != d.Size {
		err = fmt.Errorf("farm took %d bytes", resp.CommittedSize)
	}
	return err
}

// sendAll sends r's bytes, and the last of them only when all are d's.
func sendAll(w bspb.ByteStream_WriteClient, name string, d digest.Digest, r io.Reader) error {
	hash := d.Function.New()
	req := &bspb.WriteRequest{ResourceName: name}
	for !req.FinishWrite {
		// A message may still be in use after it was sent: no buffer is used twice.
		buf := make([]byte, min(chunk, d.Size-req.WriteOffset))
		if n, err := io.ReadFull(r, buf); err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("%w: only %d bytes", cas.ErrMismatch, req.WriteOffset+int64(n))
		} else if err != nil {
			return err
		}
		hash.Write(buf)
		if req.WriteOffset+int64(len(buf)) == d.Size {
			if err := atEnd(r); err != nil {
				return err
			}
			if d.Function.OfHash(hash, d.Size) != d {
				return cas.ErrMismatch
			}
			req.FinishWrite = true
		}
		req.Data = buf
		if err := w.Send(req); err != nil {
			return err
		}
		req = &bspb.WriteRequest{WriteOffset: req.WriteOffset + int64(len(buf)), FinishWrite: req.FinishWrite}
	}
	return nil
}

func atEnd(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	switch {
	case n > 0:
		return fmt.Errorf("%w: more bytes than that", cas.ErrMismatch)
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// PutBatch implements cas.Batcher.
func (s *Store) PutBatch(ctx context.Context, blobs []cas.Blob) []error {
	errs := make([]error, len(blobs))
	var ps []*parcel
	var places []int // of ps in blobs
	for i, b := range blobs {
		if b.Digest.Size > s.limit() || b.Digest.Validate() != nil {
			errs[i] = s.Put(ctx, b.Digest, bytes.NewReader(b.Data))
			continue
		}
		ps, places = append(ps, newParcel(b)), append(places, i)
	}
	s.enqueue(ctx, ps...)
	for i, p := range ps {
		errs[places[i]] = p.wait(ctx)
	}
	return errs
}
