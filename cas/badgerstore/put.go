package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Put implements cas.Store. Blobs up to a chunk are held in memory until they
// are written together with others; larger ones flow into a pack.
func (s *Store) Put(ctx context.Context, d digest.Digest, r io.Reader) error {
	if err := s.put(ctx, d, &ctxReader{ctx, r}); err != nil {
		return fmt.Errorf("put %v: %w", d, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, d digest.Digest, r io.Reader) error {
	k, err := keyOf(blobs, d)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if there, err := s.has(k); err != nil || there {
		return err
	}
	if d.Size > chunk {
		return s.putStream(k, d, r)
	}
	content := make([]byte, d.Size)
	in := &intake{r: r, left: d.Size, hash: d.Function.New()}
	if err := in.fill(content); err != nil {
		return err
	}
	if err := in.finish(k); err != nil || d.IsEmpty() {
		return err
	}
	return s.putItem(item{key: k, content: content})
}

func (s *Store) putItem(it item) error {
	items := []item{it}
	return errors.Join(s.commit.commit(items), items[0].err)
}

// PutBatch implements cas.Batcher.
func (s *Store) PutBatch(ctx context.Context, batch []cas.Blob) []error {
	errs := make([]error, len(batch))
	items := make([]item, len(batch))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const stretch = 256
	for start := 0; start < len(batch); start += stretch {
		end := min(start+stretch, len(batch))
		g.Go(func() error {
			for i := start; i < end; i++ {
				items[i], errs[i] = newItem(ctx, batch[i])
			}
			return nil
		})
	}
	_ = g.Wait() // every blob's error is in errs
	s.putItems(items, errs)
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("put %v: %w", batch[i].Digest, err)
		}
	}
	return errs
}

// newItem checks b against its digest.
func newItem(ctx context.Context, b cas.Blob) (item, error) {
	k, err := keyOf(blobs, b.Digest)
	if err != nil {
		return item{}, err
	}
	if err := ctx.Err(); err != nil {
		return item{}, err
	}
	if k.function().Sum(b.Data) != [32]byte(k[1:33]) || int64(len(b.Data)) != b.Digest.Size {
		return item{}, cas.ErrMismatch
	}
	return item{key: k, content: b.Data}, nil
}

// putItems commits those items that have content and no error yet.
func (s *Store) putItems(items []item, errs []error) {
	todo := make([]item, 0, len(items))
	at := make([]int, 0, len(items))
	for i, it := range items {
		if errs[i] == nil && len(it.content) > 0 {
			todo = append(todo, it)
			at = append(at, i)
		}
	}
	if len(todo) == 0 {
		return
	}
	err := s.commit.commit(todo)
	for j, i := range at {
		errs[i] = errors.Join(err, todo[j].err)
	}
}

// chunks holds buffers for one frame.
var chunks = sync.Pool{New: func() any { return new([chunk + sumLen]byte) }}

// putStream writes blob d into a pack as it comes.
func (s *Store) putStream(k key, d digest.Digest, r io.Reader) error {
	if d.Size > maxContent {
		return cas.ErrFull
	}
	if err := s.space.check(framed(d.Size)); err != nil {
		return err
	}
	e, p, err := s.packs.reserve(streams, framed(d.Size), 1)
	if err != nil {
		return err
	}
	in := &intake{r: r, left: d.Size, hash: d.Function.New()}
	err = in.copyFrames(k, p, e.content())
	if err == nil {
		err = in.finish(k)
	}
	at := loc{pack: e.pack, off: e.content(), size: d.Size, used: s.index.now()}
	if err == nil {
		err = p.writeAt(s.packs.seal.appendList(nil, e, []entry{{k, at}}), at.extent().end())
	}
	if err == nil {
		err = p.sync()
	}
	if err != nil {
		s.packs.abandon(e)
		return err
	}
	return s.putPlaced(k, e, at)
}

// putPlaced commits a blob that is in extent e already, at that place.
func (s *Store) putPlaced(k key, e extent, at loc) error {
	items := []item{{key: k, placed: at}}
	err := errors.Join(s.commit.commit(items), items[0].err)
	if items[0].twice {
		s.packs.abandon(e)
	} else {
		s.packs.release(e)
	}
	return err
}

// intake is a stream that shall have left bytes and a certain hash.
type intake struct {
	r    io.Reader
	left int64
	hash hash.Hash
}

// fill reads the next len(b) bytes.
func (in *intake) fill(b []byte) error {
	n, err := io.ReadFull(in.r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: stream ends %d bytes early", cas.ErrMismatch, in.left-int64(n))
	}
	in.left -= int64(n)
	in.hash.Write(b)
	return err
}

// copyFrames writes the stream to p as frames, from offset off on.
func (in *intake) copyFrames(k key, p *pack, off int64) error {
	buf := chunks.Get().(*[chunk + sumLen]byte)
	defer chunks.Put(buf)
	for in.left > 0 {
		content := buf[:min(chunk, in.left)]
		if err := in.fill(content); err != nil {
			return err
		}
		frame := appendFrame(content[:0], k, content)
		if err := p.writeAt(frame, off); err != nil {
			return err
		}
		off += int64(len(frame))
	}
	return nil
}

// finish checks that the stream ends here and was what key k says.
func (in *intake) finish(k key) error {
	var extra [1]byte
	if n, err := io.ReadFull(in.r, extra[:]); n > 0 {
		return fmt.Errorf("%w: stream is longer", cas.ErrMismatch)
	} else if err != io.EOF {
		return err
	}
	if [32]byte(in.hash.Sum(nil)) != [32]byte(k[1:33]) {
		return cas.ErrMismatch
	}
	return nil
}

// ctxReader ends r when the context ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
