package badgerstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// reclaim gives the disk back what no entry names: packs without any content
// are deleted, holes are punched into the others. What is being written or read
// is left alone. It returns the bytes freed.
func (s *Store) reclaim() (int64, error) {
	// What is pinned or comes after a tail now is safe; whatever else is live the
	// index names by now, and goes on naming unless it is dropped.
	snap := s.packs.snapshot()
	live, err := s.liveExtents()
	if err != nil {
		return 0, err
	}
	for _, e := range snap.pins {
		live[e.pack] = append(live[e.pack], e)
	}
	// Deletions are on disk before anything is freed, and where a replay may have
	// to find its way nothing is.
	settled, err := s.checkpoint()
	if err != nil {
		return 0, err
	}
	var freed int64
	for id, tail := range snap.tails {
		n, err := s.packs.reclaim(id, min(tail, settled[id]), live[id])
		freed += n
		if err != nil {
			return freed, fmt.Errorf("reclaim pack %08x: %w", id, err)
		}
	}
	return freed, nil
}

// liveExtents returns the extents that entries name, by pack.
func (s *Store) liveExtents() (map[uint32][]extent, error) {
	live := map[uint32][]extent{}
	for _, kind := range []byte{results, blobs} {
		err := s.index.scan(kind, func(_ key, l loc) error {
			live[l.pack] = append(live[l.pack], l.extent())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return live, nil
}

// reclaim frees all of pack id below tail but the live extents.
func (p *packs) reclaim(id uint32, tail int64, live []extent) (int64, error) {
	f := p.get(id)
	before, err := f.blocks()
	if err != nil {
		return 0, err
	}
	if len(live) == 0 {
		if removed, err := p.remove(id, tail); removed || err != nil {
			return before, err
		}
	}
	slices.SortFunc(live, func(a, b extent) int { return cmp.Compare(a.off, b.off) })
	dead := int64(0) // where the stretch starts that nobody names
	for _, e := range append(live, extent{pack: id, off: tail}) {
		if err := f.punch(dead, min(e.off, tail)); err != nil {
			return 0, err
		}
		dead = max(dead, e.end())
	}
	after, err := f.blocks()
	return before - after, err
}

// blocks returns the bytes that all packs take on disk.
func (p *packs) blocks() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var total int64
	for _, f := range p.files {
		n, err := f.blocks()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// blocks returns the bytes that the pack takes on disk.
func (f *pack) blocks() (int64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.file.Fd()), &st); err != nil {
		return 0, err
	}
	return st.Blocks * 512, nil
}

// page is the smallest hole that frees anything.
const page = 4096

// punch frees the blocks between from and to. A file system that has no holes
// frees a pack when the last of it is dead.
func (f *pack) punch(from, to int64) error {
	if to-from < page {
		return nil
	}
	err := unix.Fallocate(int(f.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}
