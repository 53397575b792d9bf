package badgerstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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

// extent is a stretch of a pack, in bytes.
type extent struct {
	pack     uint32
	off, len int64
}

func (e extent) end() int64 { return e.off + e.len }

// packs is the folder of files that hold the content of all entries. A pack is
// only ever appended to; what dies in it is punched out.
type packs struct {
	dir string

	mu     sync.Mutex
	files  map[uint32]*pack
	active [lanes]*pack
	last   uint32         // the newest pack's id
	pins   map[extent]int // extents being written or read, which stay though no entry names them
}

type pack struct {
	id   uint32
	file *os.File
	tail int64 // where the next extent goes; under packs.mu

	written atomic.Int64 // tickets given out, one per caller of sync
	broken  atomic.Bool  // a flush has failed: what it should have written is in doubt for ever
	syncMu  sync.Mutex
	synced  int64 // the last ticket whose bytes are on disk
}

func openPacks(dir string) (*packs, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pack"))
	if err != nil {
		return nil, err
	}
	p := &packs{dir: dir, files: map[uint32]*pack{}, pins: map[extent]int{}}
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
	p.files[id] = &pack{id: id, file: f, tail: tail}
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

// reserve sets n bytes of lane l aside for the caller, pinned.
func (p *packs) reserve(l lane, n int64) (extent, *pack, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cur := p.active[l]
	if cur == nil || cur.tail > 0 && cur.tail+n > packLimit || cur.broken.Load() {
		var err error
		if cur, err = p.activate(l, n); err != nil {
			return extent{}, nil, err
		}
	}
	e := extent{pack: cur.id, off: cur.tail, len: n}
	cur.tail += n
	p.pins[e]++
	return e, cur, nil
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

// abandon gives back an extent that no entry came to name.
func (p *packs) abandon(e extent) {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// writeAt writes b into the extent that the caller has reserved.
func (f *pack) writeAt(b []byte, off int64) error {
	_, err := f.file.WriteAt(b, off)
	return full(err)
}

// sync returns when all that the caller has written is on disk. Callers that
// wait at the same time share a flush.
func (f *pack) sync() error {
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

// remove deletes pack id if it still ends at tail and nobody writes to it.
func (p *packs) remove(id uint32, tail int64) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[id]
	if f == nil || f.tail != tail || p.isActive(f) {
		return false, nil
	}
	delete(p.files, id)
	err := os.Remove(p.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return true, errors.Join(err, f.file.Close())
}
