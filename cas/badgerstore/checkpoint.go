package badgerstore

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"
)

const (
	checkpointEvery = 10 * time.Second
	checkpointBytes = 256 << 20 // of content after which one is made before its time
	checkpointLook  = time.Second
)

// checkpointKey is no key that an entry could have.
var checkpointKey = []byte("checkpoint")

// checkpoint says from where on the packs may have entries that the index has
// lost. What comes before is in the index, on disk.
type checkpoint struct {
	seal  seal             // of whoever wrote since
	last  uint32           // the newest pack; in newer ones all may be lost
	packs map[uint32]int64 // offsets
}

// newCheckpoint returns one that says of all that has been settled by now that
// the index has it.
func newCheckpoint(p *packs) checkpoint {
	c := checkpoint{seal: p.seal}
	c.packs, c.last = p.settled()
	return c
}

func (c checkpoint) encode() []byte {
	b := binary.BigEndian.AppendUint32(c.seal[:], c.last)
	for id, off := range c.packs {
		b = binary.BigEndian.AppendUint32(b, id)
		b = binary.BigEndian.AppendUint64(b, uint64(off))
	}
	return b
}

func decodeCheckpoint(b []byte) (checkpoint, bool) {
	c := checkpoint{packs: map[uint32]int64{}}
	if len(b) < len(c.seal)+4 || (len(b)-len(c.seal)-4)%12 != 0 {
		return c, false
	}
	c.last = binary.BigEndian.Uint32(b[copy(c.seal[:], b):])
	for b = b[len(c.seal)+4:]; len(b) > 0; b = b[12:] {
		c.packs[binary.BigEndian.Uint32(b)] = int64(binary.BigEndian.Uint64(b[4:]))
	}
	return c, true
}

// readCheckpoint returns the last checkpoint, if there is one: a store that was
// written before there were any has lost nothing.
func readCheckpoint(db *badger.DB) (c checkpoint, ok bool, err error) {
	err = db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(checkpointKey)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(v []byte) error {
			c, ok = decodeCheckpoint(v)
			return nil
		})
	})
	return c, ok, err
}

// save writes c down after the entries that it speaks of, and flushes all of
// them. Only the committer may call it.
func (c checkpoint) save(db *badger.DB) error {
	err := db.Update(func(txn *badger.Txn) error { return txn.Set(checkpointKey, c.encode()) })
	if err != nil {
		return err
	}
	return flushLogs(db.Opts().Dir)
}

// flushLogs flushes what badger has logged and not yet made a table of, which it
// flushes itself: the log that it writes to and those that it has finished.
func flushLogs(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return err
	}
	for _, name := range logs {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is a table now
		}
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// checkpoint brings all that has been committed to disk, and returns below which
// offset of each pack that is so.
func (s *Store) checkpoint() (map[uint32]int64, error) {
	c := newCheckpoint(s.packs)
	s.packs.flush(s.log)
	var err error
	gate := s.commit.between(func() { err = c.save(s.db) })
	return c.packs, errors.Join(gate, err)
}

// checkpoints makes checkpoints until stop is closed.
func (s *Store) checkpoints(stop chan struct{}) {
	look := time.NewTicker(checkpointLook)
	defer look.Stop()
	var at uint64
	var bytes int64
	last := time.Now()
	for {
		select {
		case <-stop:
			return
		case <-look.C:
		}
		begun, total := s.packs.progress()
		if begun == at || time.Since(last) < checkpointEvery && total-bytes < checkpointBytes || s.space.check(0) != nil {
			continue
		}
		if _, err := s.checkpoint(); err != nil {
			s.log.Error("flush the index", "err", err)
			continue
		}
		at, bytes, last = begun, total, time.Now()
	}
}

// dropEmptyLogs removes logs of badger's that have no length: it was killed, or
// the power failed, while they were made. Badger refuses to open them.
func dropEmptyLogs(dir string, log *slog.Logger) error {
	var logs []string
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		logs = append(logs, names...)
	}
	for _, name := range logs {
		st, err := os.Stat(name)
		if err != nil {
			return err
		}
		if st.Size() > 0 {
			continue
		}
		log.Debug("drop an empty log of the index", "file", name)
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
