package badgerstore

import (
	"io"
	"sync"
	"unsafe"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// chunks holds buffers for one frame.
var chunks = sync.Pool{New: func() any { return new([chunk + sumLen]byte) }}

// stream is a blob on its way into an extent of its own. What has come lies in
// buf until it fills pages.
type stream struct {
	store *Store
	in    *intake
	key   key
	size  int64
	buf   []byte
	n     int    // bytes in buf
	e     extent // none until pack is set
	pack  *pack
	off   int64 // in pack, of buf
}

// streamBytes is the size of a stream's buffer: a frame with what stands before
// it in its first page, and a list after it, in whole pages.
const streamBytes = (page + chunk + sumLen + recordLen + listEnd + page - 1) &^ (page - 1)

// streamBufs holds buffers of whole pages that begin with one.
var streamBufs = sync.Pool{New: func() any {
	b := make([]byte, streamBytes+page)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % page)
	b = b[skip : skip+streamBytes]
	return &b
}}

// putStream writes blob d into a pack as it comes.
func (s *Store) putStream(k key, d digest.Digest, r io.Reader) error {
	if d.Size > maxContent {
		return cas.ErrFull
	}
	if err := s.space.check(framed(d.Size)); err != nil {
		return err
	}
	buf := streamBufs.Get().(*[]byte)
	defer streamBufs.Put(buf)
	w := &stream{store: s, in: &intake{r: r, left: d.Size, hash: d.Function.New()}, key: k, size: d.Size, buf: *buf, n: headLen}
	at, err := w.copy()
	if err == nil {
		err = w.pack.sync()
	}
	if err != nil {
		if w.pack != nil {
			s.packs.abandon(w.e)
		}
		return err
	}
	return s.putPlaced(k, w.e, at)
}

// copy writes the whole extent, and returns where its content lies.
func (w *stream) copy() (loc, error) {
	for w.in.left > 0 {
		if err := w.frame(); err != nil {
			return loc{}, err
		}
	}
	if err := w.in.finish(w.key); err != nil {
		return loc{}, err
	}
	at := loc{pack: w.e.pack, off: w.e.content(), size: w.size, used: w.store.index.now()}
	list := w.store.packs.seal.appendList(nil, w.e, []entry{{w.key, at}})
	end := int(w.e.end() - w.off)
	clear(w.buf[w.n:end])
	copy(w.buf[end-len(list):], list)
	return at, w.pack.writePages(w.buf[:end], w.off)
}

// frame takes in one frame and writes the pages that are full.
func (w *stream) frame() error {
	content := w.buf[w.n : w.n+int(min(chunk, w.in.left))]
	if err := w.in.fill(content); err != nil {
		return err
	}
	w.n += len(appendFrame(content[:0], w.key, content))
	full := w.n &^ (page - 1)
	if err := w.write(w.buf[:full]); err != nil {
		return err
	}
	w.off += int64(full)
	w.n = copy(w.buf, w.buf[full:w.n])
	return nil
}

// write writes b, the first time where the extent begins.
func (w *stream) write(b []byte) (err error) {
	if w.pack != nil {
		return w.pack.writePages(b, w.off)
	}
	w.e, w.pack, err = w.store.packs.reservePages(framed(w.size), b)
	w.off = w.e.off
	return err
}
