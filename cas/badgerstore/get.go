package badgerstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Get implements cas.Store.
func (s *Store) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	r, err := s.get(ctx, d, offset, use)
	if err != nil {
		return nil, fmt.Errorf("get %v: %w", d, err)
	}
	return r, nil
}

func (s *Store) get(ctx context.Context, d digest.Digest, offset int64, why purpose) (io.ReadCloser, error) {
	k, err := keyOf(blobs, d)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.IsEmpty() {
		return empty(offset)
	}
	l, err := s.pinned(k, why)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > d.Size {
		s.packs.unpin(l.extent())
		return nil, fmt.Errorf("from %d: %w", offset, cas.ErrRange)
	}
	if l.size > chunk {
		return &reader{ctx: ctx, store: s, key: k, loc: l, off: offset}, nil
	}
	defer s.packs.unpin(l.extent())
	content, err := s.content(k, l)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(content[offset:])), nil
}

func empty(offset int64) (io.ReadCloser, error) {
	if offset != 0 {
		return nil, fmt.Errorf("from %d: %w", offset, cas.ErrRange)
	}
	return io.NopCloser(bytes.NewReader(nil)), nil
}

// pinned looks k up and pins the extent of its content.
func (s *Store) pinned(k key, why purpose) (loc, error) {
	for {
		l, err := s.index.lookup(k, why)
		if err != nil {
			return loc{}, err
		}
		s.packs.pin(l.extent())
		// If the entry was dropped before the pin held, its place may be gone.
		if s.index.current(k, l) {
			return l, nil
		}
		s.packs.unpin(l.extent())
	}
}

// content reads all of a pinned entry's content and checks it.
func (s *Store) content(k key, l loc) ([]byte, error) {
	b := make([]byte, framed(l.size))
	if err := s.readAt(k, l, b, 0); err != nil {
		return nil, err
	}
	var content []byte
	for rest := b; len(rest) > 0; {
		n := min(len(rest), chunk+sumLen)
		part, ok := openFrame(k, rest[:n])
		if !ok {
			return nil, s.corrupt(k, l, cas.ErrCorrupt)
		}
		if content == nil {
			content = part // most often the only one
		} else {
			content = append(content, part...) // moves part down within b
		}
		rest = rest[n:]
	}
	return content, nil
}

// readAt fills b from offset off of a pinned entry's frames.
func (s *Store) readAt(k key, l loc, b []byte, off int64) error {
	err := s.packs.readAt(l.pack, b, l.off+off)
	if errors.Is(err, cas.ErrCorrupt) {
		return s.corrupt(k, l, err)
	}
	return err
}

// corrupt drops an entry whose content is damaged, so that a later put mends
// it, and returns why.
func (s *Store) corrupt(k key, l loc, why error) error {
	err := s.drop([]key{k}, func(_ key, at loc) bool { return at.extent() == l.extent() })
	s.log.Error("drop corrupt content", "kind", string(k.kind()), "digest", k.digest(), "err", errors.Join(why, err))
	return why
}

// reader streams a blob of several chunks, checking each before it hands out a
// byte of it.
type reader struct {
	ctx   context.Context
	store *Store
	key   key
	loc   loc
	off   int64  // of the next byte that is not in rest
	rest  []byte // checked content
	buf   *[chunk + sumLen]byte
	err   error
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// WriteTo spares io.Copy a buffer.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for {
		if len(r.rest) == 0 {
			if err := r.next(); err == io.EOF {
				return n, nil
			} else if err != nil {
				return n, err
			}
		}
		m, err := w.Write(r.rest)
		n += int64(m)
		r.rest = r.rest[m:]
		if err != nil {
			return n, err
		}
	}
}

// next makes rest the content from off to the end of its frame.
func (r *reader) next() error {
	if r.err == nil {
		r.err = r.ctx.Err()
	}
	if r.err == nil && r.off == r.loc.size {
		r.err = io.EOF
	}
	if r.err != nil {
		return r.err
	}
	if r.buf == nil {
		r.buf = chunks.Get().(*[chunk + sumLen]byte)
	}
	start := r.off / chunk * chunk
	frame := r.buf[:min(chunk, r.loc.size-start)+sumLen]
	if r.err = r.store.readAt(r.key, r.loc, frame, frameOffset(start)); r.err != nil {
		return r.fail()
	}
	content, ok := openFrame(r.key, frame)
	if !ok {
		r.err = r.store.corrupt(r.key, r.loc, cas.ErrCorrupt)
		return r.fail()
	}
	r.rest = content[r.off-start:]
	r.off = start + int64(len(content))
	return nil
}

func (r *reader) fail() error {
	r.err = fmt.Errorf("get %v: %w", r.key.digest(), r.err)
	return r.err
}

// errReaderClosed is what a closed reader returns.
var errReaderClosed = errors.New("read of a closed blob")

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.err == errReaderClosed {
		return nil
	}
	r.rest, r.err = nil, errReaderClosed
	if r.buf != nil {
		chunks.Put(r.buf)
		r.buf = nil
	}
	r.store.packs.unpin(r.loc.extent())
	return nil
}
