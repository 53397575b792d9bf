package badgerstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// replay gives the index back what it has lost: it is not flushed when writes
// are acknowledged, the packs are, and extents say what they hold. It reads what
// has been written since the last checkpoint. An entry that the index lacks
// comes back if its content is whole; what was deleted since may come back, too,
// and does no harm.
type replay struct {
	packs *packs
	db    *badger.DB
	found []numbered
}

// numbered is an entry with the number of its extent.
type numbered struct {
	number uint64
	entry
}

// restore replays what has been written since the last checkpoint, and returns
// how many entries were lost.
func restore(db *badger.DB, p *packs) (int, error) {
	c, ok, err := readCheckpoint(db)
	if err != nil {
		return 0, err
	}
	r := &replay{packs: p, db: db}
	lost := map[key]loc{}
	if ok {
		p.last = max(p.last, c.last)
		for id := range p.files {
			from, known := c.packs[id]
			if !known && id <= c.last {
				continue // nobody has written to it
			}
			if err := r.read(c.seal, id, from); err != nil {
				return 0, fmt.Errorf("read pack %08x: %w", id, err)
			}
		}
		if lost, err = r.lost(); err != nil {
			return 0, err
		}
	}
	if err := store(db, lost); err != nil {
		return 0, err
	}
	// From here on another seal is in use, and all that was written with the old
	// one is in the index.
	return len(lost), newCheckpoint(p).save(db)
}

func store(db *badger.DB, entries map[key]loc) error {
	batch := db.NewWriteBatch()
	defer batch.Cancel()
	for k, l := range entries {
		if err := batch.Set(k[:], l.encode()); err != nil {
			return err
		}
	}
	return batch.Flush()
}

// read finds the entries of the extents of pack id that follow one another from
// an offset.
func (r *replay) read(s seal, id uint32, from int64) error {
	f := r.packs.files[id].file
	for off := from; ; {
		head := make([]byte, headLen)
		if ok, err := readFull(f, head, off); err != nil || !ok {
			return err
		}
		e, number, ok := s.openHead(id, off, head)
		if !ok {
			return nil
		}
		entries, err := readList(f, s, e)
		if err != nil {
			return err
		}
		for _, x := range entries {
			r.found = append(r.found, numbered{number, x})
		}
		off = e.end()
	}
}

// readList reads the list of extent e; one that is not there is empty.
func readList(f io.ReaderAt, s seal, e extent) ([]entry, error) {
	var end [listEnd]byte
	if ok, err := readFull(f, end[:], e.end()-listEnd); err != nil || !ok {
		return nil, err
	}
	n := listLen(int(binary.BigEndian.Uint32(end[:])))
	if n > e.len-headLen {
		return nil, nil
	}
	list := make([]byte, n)
	if ok, err := readFull(f, list, e.end()-n); err != nil || !ok {
		return nil, err
	}
	entries, _ := s.openList(e, list)
	return entries, nil
}

// readFull reports whether there was something to fill b with.
func readFull(f io.ReaderAt, b []byte, off int64) (bool, error) {
	_, err := f.ReadAt(b, off)
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}

// lost returns the entries that were found and that the index lacks. Of several
// results of one action the last one counts.
func (r *replay) lost() (map[key]loc, error) {
	slices.SortStableFunc(r.found, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	lost := map[key]loc{}
	err := r.db.View(func(txn *badger.Txn) error {
		for _, x := range r.found {
			there, err := r.has(txn, lost, x.entry)
			if err != nil {
				return err
			}
			if there {
				continue
			}
			whole, err := r.packs.whole(x.key, x.loc)
			if err != nil {
				return err
			}
			if whole {
				lost[x.key] = x.loc
			}
		}
		return nil
	})
	return lost, err
}

// has reports whether the index, with what was lost, knows e, or another place
// of the same blob.
func (r *replay) has(txn *badger.Txn, lost map[key]loc, e entry) (bool, error) {
	at, ok := lost[e.key]
	if !ok {
		var err error
		if at, err = get(txn, e.key); errors.Is(err, badger.ErrKeyNotFound) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return e.key.kind() == blobs || at.extent() == e.loc.extent(), nil
}
