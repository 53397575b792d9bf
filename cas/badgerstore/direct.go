package badgerstore

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Streams are written past the page cache: what the kernel would copy there and
// write to the disk later, when somebody waits for it, goes to the disk at once.
// For that an extent of a stream begins and ends with a page, and so does every
// write to it; and it lies in room that was set aside before, so that writes
// change nothing else of the file and need not wait for one another. Where a
// file system cannot do either, writes go through the cache, to the same places;
// so they do if nobody waits for the disk, for then the cache is quicker.

// roomStep is how many bytes are set aside at a time.
const roomStep = 8 << 20

// openDirect opens a file for writing past the page cache.
var openDirect = func(path string) (*os.File, error) { return os.OpenFile(path, os.O_WRONLY|unix.O_DIRECT, 0) }

// pages returns n rounded up to whole pages.
func pages(n int64) int64 { return (n + page - 1) &^ (page - 1) }

// reservePages begins an extent as reserve does, in the lane of streams, for n
// bytes of framed content of one entry. It begins and ends with a page. first is
// its beginning, whole pages with room for the head in front, and is written.
func (p *packs) reservePages(n int64, first []byte) (extent, *pack, error) {
	p.begin[streams].Lock()
	defer p.begin[streams].Unlock()
	e, cur, number, err := p.takePages(pages(extentLen(n, 1)))
	if err != nil {
		return extent{}, nil, err
	}
	p.prepare(cur, e)
	copy(first, p.seal.head(e, number))
	if err := cur.writePages(first, e.off); err != nil { // before the next extent is begun, as in reserve
		p.abandon(e)
		return extent{}, nil, err
	}
	return e, cur, nil
}

// takePages sets n bytes of the lane of streams aside, from a page's begin on.
// What a pack lacks to that, if other extents were there before, becomes an
// extent of nothing.
func (p *packs) takePages(n int64) (extent, *pack, uint64, error) {
	for {
		e, cur, number, err := p.take(streams, n)
		if err != nil || e.off%page == 0 {
			return e, cur, number, err
		}
		p.abandon(e)
		if err := p.fill(pages(e.off+extentLen(0, 0)) - e.off); err != nil {
			return extent{}, nil, 0, err
		}
	}
}

// fill writes an extent of n bytes that has no entries.
func (p *packs) fill(n int64) error {
	e, cur, number, err := p.take(streams, n)
	if err != nil {
		return err
	}
	err = cur.writeAt(p.seal.head(e, number), e.off)
	if err == nil {
		list := p.seal.appendList(nil, e, nil)
		err = cur.writeAt(list, e.end()-int64(len(list)))
	}
	if err != nil {
		p.abandon(e)
		return err
	}
	p.release(e)
	return nil
}

// prepare makes f ready for writing e past the page cache. It is a matter of
// speed: what fails here fails again, or not, when e is written.
func (p *packs) prepare(f *pack, e extent) {
	if p.lazy {
		return
	}
	if !f.prepared {
		f.prepared = true
		if d, err := openDirect(p.path(f.id)); err == nil {
			f.direct = d
		}
	}
	if f.room >= e.end() || !p.spare(4*roomStep) {
		return
	}
	from, to := max(f.room, e.off), max(e.end(), min(e.end()+roomStep, packLimit))
	if unix.Fallocate(int(f.file.Fd()), 0, from, to-from) == nil {
		p.mu.Lock()
		f.room = to
		p.mu.Unlock()
	}
}

// writePages writes whole pages, from a page's begin on, to an extent that the
// caller has reserved.
func (f *pack) writePages(b []byte, off int64) error {
	if f.direct != nil {
		_, err := f.direct.WriteAt(b, off)
		if !errors.Is(err, unix.EINVAL) { // else this file system wants more than pages
			return full(err)
		}
	}
	return f.writeAt(b, off)
}

// giveBack makes the file end where its content does. p.mu is held.
func (f *pack) giveBack() error {
	if f.room <= f.tail {
		return nil
	}
	f.room = 0
	return f.file.Truncate(f.tail)
}

// trim makes a file end where its content does, of which all that was written
// before an offset is known: whoever wrote to it was killed, and what he had set
// aside is there still.
func (f *pack) trim(from int64) error {
	end := from
	for end < f.tail {
		data, err := unix.Seek(int(f.file.Fd()), end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break
		}
		if err == nil {
			end, err = unix.Seek(int(f.file.Fd()), data, unix.SEEK_HOLE)
		}
		if errors.Is(err, unix.EINVAL) {
			return nil // this file system does not know
		}
		if err != nil {
			return err
		}
	}
	if end >= f.tail {
		return nil
	}
	f.tail = end
	return f.file.Truncate(end)
}
