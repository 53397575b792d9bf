package badgerstore

import (
	"encoding/binary"
	"math/bits"
)

// filter is a Bloom filter of the index's keys, for most questions are about
// blobs that are not there, and badger takes its time to say no. Hashes are
// random already: their bytes say where to look. All the bits of a key are in
// one cache line.
type filter struct {
	lines [][8]uint64
	ready bool // has all keys
}

const (
	lineBits   = 512
	filterBits = 16 // for each key: one in a few hundred absent ones passes
	probes     = 6  // of 9 bits each, out of 8 bytes of the hash
	filterMin  = 1 << 20
)

// newFilter returns a filter for about n keys. With more of them it lets more
// through.
func newFilter(n int) *filter {
	return &filter{lines: make([][8]uint64, max(n, filterMin)*filterBits/lineBits)}
}

func (f *filter) line(k *key) *[8]uint64 {
	at, _ := bits.Mul64(binary.BigEndian.Uint64(k[1:]), uint64(len(f.lines)))
	return &f.lines[at]
}

func (f *filter) add(k *key) {
	line, h := f.line(k), binary.BigEndian.Uint64(k[9:])
	for range probes {
		line[h>>6&7] |= 1 << (h & 63)
		h >>= 9
	}
}

// may reports whether k could be in the index.
func (f *filter) may(k *key) bool {
	if !f.ready {
		return true
	}
	line, h := f.line(k), binary.BigEndian.Uint64(k[9:])
	for range probes {
		if line[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
		h >>= 9
	}
	return true
}

// fillFilter adds the keys that were there before, until the index is closed.
func (ix *index) fillFilter() error {
	for _, kind := range []byte{results, blobs} {
		part := make([]key, 0, txnEntries)
		err := ix.scan(kind, func(k key, _ loc) error {
			if part = append(part, k); len(part) < txnEntries {
				return nil
			}
			err := ix.filterKeys(part, false)
			part = part[:0]
			return err
		})
		if err != nil {
			return err
		}
		if err := ix.filterKeys(part, kind == blobs); err != nil {
			return err
		}
	}
	return nil
}

func (ix *index) filterKeys(ks []key, last bool) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.shut {
		return ErrClosed
	}
	for i := range ks {
		ix.filter.add(&ks[i])
	}
	ix.filter.ready = last
	return nil
}

// keysOnDisk returns about how many keys the index has.
func (ix *index) keysOnDisk() int {
	n := 0
	for _, t := range ix.db.Tables() {
		n += int(t.KeyCount)
	}
	return n
}
