package badgerstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
)

// packLimit is the size in bytes from which on a pack takes no more extents. A
// single larger blob makes a larger pack.
const packLimit = 1 << 30

// lane is one of the packs that are written to at a time. Streams have one of
// their own so that flushing small blobs does not wait for a large one's bytes.
type lane int

const (
	batches lane = iota
	streams
	lanes
)

// packs is the folder of files that hold the content of all entries. A pack is
// only ever appended to; what dies in it is punched out.
type packs struct {
	dir  string
	seal seal
	lazy bool // sync leaves flushing to flush

	begin [lanes]sync.Mutex // held while an extent is begun

	mu      sync.Mutex
	files   map[uint32]*pack
	active  [lanes]*pack
	last    uint32          // the newest pack's id
	begun   uint64          // extents since the store was opened
	bytes   int64           // of these
	writing map[extent]bool // begun, and neither in the index nor given up
	pins    map[extent]int  // extents being written or read, which stay though no entry names them
}

type pack struct {
	id   uint32
	file *os.File
	lazy bool  // as that of packs
	tail int64 // where the next extent goes; under packs.mu

	written atomic.Int64 // tickets given out, one per caller of sync
	broken  atomic.Bool  // a flush has failed: what it should have written is in doubt for ever
	syncMu  sync.Mutex
	synced  int64 // the last ticket whose bytes are on disk
}

// openPacks opens the packs in dir. Those that are lazy acknowledge what has not
// been flushed.
func openPacks(dir string, lazy bool) (*packs, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pack"))
	if err != nil {
		return nil, err
	}
	p := &packs{dir: dir, lazy: lazy, files: map[uint32]*pack{}, writing: map[extent]bool{}, pins: map[extent]int{}}
	_, _ = rand.Read(p.seal[:]) // never fails
	for _, name := range names {
		var id uint32
		if _, err := fmt.Sscanf(filepath.Base(name), "%08x.pack", &id); err != nil {
			return nil, fmt.Errorf("open %s: no name of a pack", name)
		}
		if err := p.open(id, os.O_RDWR); err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.last = max(p.last, id)
	}
	return p, nil
}

func (p *packs) path(id uint32) string { return filepath.Join(p.dir, fmt.Sprintf("%08x.pack", id)) }

// open adds pack id to p.files.
func (p *packs) open(id uint32, flags int) error {
	f, err := os.OpenFile(p.path(id), flags, 0o644)
	if err != nil {
		return err
	}
	tail, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	p.files[id] = &pack{id: id, file: f, lazy: p.lazy, tail: tail}
	return nil
}

func (p *packs) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.file.Close())
	}
	return errors.Join(errs...)
}

// reserve begins an extent in lane l, pinned, for n bytes of framed content of
// so many entries. The caller writes these and their list.
func (p *packs) reserve(l lane, n int64, entries int) (extent, *pack, error) {
	p.begin[l].Lock()
	defer p.begin[l].Unlock()
	e, cur, number, err := p.take(l, extentLen(n, entries))
	if err != nil {
		return extent{}, nil, err
	}
	// Before the next extent is begun: whoever flushes that has this head flushed, too.
	if err := cur.writeAt(p.seal.head(e, number), e.off); err != nil {
		p.abandon(e)
		return extent{}, nil, err
	}
	return e, cur, nil
}

// take sets n bytes of lane l aside, and numbers them.
func (p *packs) take(l lane, n int64) (extent, *pack, uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cur := p.active[l]
	if cur == nil || cur.tail > 0 && cur.tail+n > packLimit || cur.broken.Load() {
		var err error
		if cur, err = p.activate(l, n); err != nil {
			return extent{}, nil, 0, err
		}
	}
	e := extent{pack: cur.id, off: cur.tail, len: n}
	cur.tail += n
	p.begun++
	p.bytes += n
	p.pins[e]++
	p.writing[e] = true
	return e, cur, p.begun, nil
}

// activate makes lane l write to a pack with room for n bytes: one that is
// nobody's, or a new one.
func (p *packs) activate(l lane, n int64) (*pack, error) {
	p.active[l] = nil
	for _, f := range p.files {
		if f.tail+n <= packLimit && !f.broken.Load() && !p.isActive(f) {
			p.active[l] = f
			return f, nil
		}
	}
	p.last++
	if err := p.open(p.last, os.O_RDWR|os.O_CREATE|os.O_EXCL); err != nil {
		return nil, full(err)
	}
	f := p.files[p.last]
	if err := syncDir(p.dir); err != nil {
		f.broken.Store(true) // a power failure might take it, whatever is flushed to it
		return nil, full(err)
	}
	p.active[l] = f
	return f, nil
}

func (p *packs) isActive(f *pack) bool {
	for _, a := range p.active {
		if a == f {
			return true
		}
	}
	return false
}

// pin keeps e from being reclaimed until unpin.
func (p *packs) pin(e extent) {
	p.mu.Lock()
	p.pins[e]++
	p.mu.Unlock()
}

func (p *packs) unpin(e extent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pins[e]--; p.pins[e] == 0 {
		delete(p.pins, e)
	}
}

// release ends what reserve began, once the index has the extent's entries.
func (p *packs) release(e extent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.writing, e)
	delete(p.pins, e)
}

// abandon gives back an extent that no entry came to name.
func (p *packs) abandon(e extent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.writing, e)
	delete(p.pins, e)
	if f := p.files[e.pack]; f != nil && f.tail == e.end() {
		f.tail = e.off
	}
}

// get returns pack id, which exists while one of its extents is pinned.
func (p *packs) get(id uint32) *pack {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.files[id]
}

// readAt fills b from pack id. A pack or a stretch that is not there is cas.ErrCorrupt.
func (p *packs) readAt(id uint32, b []byte, off int64) error {
	f := p.get(id)
	if f == nil {
		return fmt.Errorf("pack %08x is gone: %w", id, cas.ErrCorrupt)
	}
	_, err := f.file.ReadAt(b, off)
	if err == io.EOF {
		return fmt.Errorf("pack %08x is too short: %w", id, cas.ErrCorrupt)
	}
	return err
}

// whole reports whether the content of entry k is where l says.
func (p *packs) whole(k key, l loc) (bool, error) {
	buf := chunks.Get().(*[chunk + sumLen]byte)
	defer chunks.Put(buf)
	for start := int64(0); start < l.size; start += chunk {
		frame := buf[:min(chunk, l.size-start)+sumLen]
		err := p.readAt(l.pack, frame, l.off+frameOffset(start))
		if errors.Is(err, cas.ErrCorrupt) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if _, ok := openFrame(k, frame); !ok {
			return false, nil
		}
	}
	return true, nil
}

// writeAt writes b into the extent that the caller has reserved.
func (f *pack) writeAt(b []byte, off int64) error {
	_, err := f.file.WriteAt(b, off)
	return full(err)
}

// sync returns when all that the caller has written is on disk. Callers that
// wait at the same time share a flush.
func (f *pack) sync() error {
	if f.lazy {
		f.written.Add(1)
		return nil
	}
	return f.flush()
}

// flush is sync for those that are lazy, too.
func (f *pack) flush() error {
	ticket := f.written.Add(1)
	f.syncMu.Lock()
	defer f.syncMu.Unlock()
	if f.synced >= ticket {
		return nil
	}
	if f.broken.Load() {
		return fmt.Errorf("flush pack %08x: an earlier flush has failed", f.id)
	}
	upTo := f.written.Load()
	if err := unix.Fdatasync(int(f.file.Fd())); err != nil {
		// The kernel reports a lost page once and forgets: no later flush can be trusted.
		f.broken.Store(true)
		return fmt.Errorf("flush pack %08x: %w", f.id, full(err))
	}
	f.synced = upTo
	return nil
}

// flushed returns the last ticket whose bytes are on disk.
func (f *pack) flushed() int64 {
	f.syncMu.Lock()
	defer f.syncMu.Unlock()
	return f.synced
}

// full turns a lack of space into cas.ErrFull.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", cas.ErrFull, err)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// snapshot is what reclaim may look at: nothing from a pack's tail on, nothing
// that is pinned.
type snapshot struct {
	tails map[uint32]int64
	pins  []extent
}

func (p *packs) snapshot() snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := snapshot{tails: make(map[uint32]int64, len(p.files))}
	for id, f := range p.files {
		s.tails[id] = f.tail
	}
	for e := range maps.Keys(p.pins) {
		s.pins = append(s.pins, e)
	}
	return s
}

// settled returns for each pack below which offset all has come into the index
// or has been given up, and the newest pack's id.
func (p *packs) settled() (map[uint32]int64, uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := make(map[uint32]int64, len(p.files))
	for id, f := range p.files {
		at[id] = f.tail
	}
	for e := range p.writing {
		at[e.pack] = min(at[e.pack], e.off)
	}
	return at, p.last
}

// flush brings to disk what has been written to lazy packs. One that cannot be
// flushed takes no more, and its content is in doubt.
func (p *packs) flush(log *slog.Logger) {
	if !p.lazy {
		return
	}
	p.mu.Lock()
	files := slices.Collect(maps.Values(p.files))
	p.mu.Unlock()
	for _, f := range files {
		if f.written.Load() == f.flushed() || f.broken.Load() {
			continue
		}
		if err := f.flush(); err != nil && p.get(f.id) != nil { // it may have been collected meanwhile
			log.Error("flush", "err", err)
		}
	}
}

// remove deletes pack id if it still ends at tail and nobody writes to it.
func (p *packs) remove(id uint32, tail int64) (bool, error) {
	f := p.drop(id, tail)
	if f == nil {
		return false, nil
	}
	err := os.Remove(p.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	f.syncMu.Lock() // somebody may be flushing it, of no use now
	defer f.syncMu.Unlock()
	f.broken.Store(true)
	return true, errors.Join(err, f.file.Close())
}

// drop takes pack id out of the list, and returns it, if remove may delete it.
func (p *packs) drop(id uint32, tail int64) *pack {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[id]
	if f == nil || f.tail != tail || p.isActive(f) {
		return nil
	}
	delete(p.files, id)
	return f
}

// progress returns how many extents have been begun since the store was opened,
// and their bytes.
func (p *packs) progress() (begun uint64, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun, p.bytes
}
