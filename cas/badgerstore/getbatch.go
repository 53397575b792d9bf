package badgerstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

const (
	runBytes = 1 << 20 // that are read at once
	runGap   = 4 << 10 // between entries that are still read together
)

// ReadBatch implements cas.Reader. What was put in one batch lies side by side,
// and is read in one go.
func (s *Store) ReadBatch(ctx context.Context, ds []digest.Digest) ([][]byte, []error) {
	b := &readBatch{store: s, contents: make([][]byte, len(ds)), errs: make([]error, len(ds))}
	err := b.find(ds)
	if err == nil {
		b.read()
	}
	for _, e := range b.found {
		s.packs.unpin(e.loc.extent())
	}
	for i, d := range ds {
		if err != nil {
			b.errs[i] = fmt.Errorf("get %v: %w", d, err)
		} else if b.contents[i] == nil && b.errs[i] == nil { // large, empty, just changed, or not there
			b.contents[i], b.errs[i] = cas.ReadBlob(ctx, s, d, d.Size)
		}
	}
	return b.contents, b.errs
}

// readBatch reads small blobs; what it leaves is to be read one by one.
type readBatch struct {
	store    *Store
	found    []placed
	contents [][]byte
	errs     []error
}

// placed is one of the entries asked for.
type placed struct {
	entry
	at int // its place among them
}

// find looks all of ds up and pins those that are there.
func (b *readBatch) find(ds []digest.Digest) error {
	keys := make([]key, 0, len(ds))
	at := make([]int, 0, len(ds))
	for i, d := range ds {
		if k, err := keyOf(blobs, d); err == nil && d.Size > 0 && d.Size <= chunk {
			keys, at = append(keys, k), append(at, i)
		}
	}
	found := make([]placed, 0, len(keys))
	err := b.store.index.find(keys, use, func(i int, l loc) { found = append(found, placed{entry{keys[i], l}, at[i]}) })
	if err != nil {
		return err
	}
	for i, e := range found {
		b.store.packs.pin(e.loc.extent())
		keys[i] = e.key
	}
	// If an entry was dropped before its pin held, its place may be gone.
	still := make([]bool, len(found))
	err = b.store.index.find(keys[:len(found)], peek, func(i int, l loc) { still[i] = l.extent() == found[i].loc.extent() })
	for i, e := range found {
		if still[i] && err == nil {
			b.found = append(b.found, e)
		} else {
			b.store.packs.unpin(e.loc.extent())
		}
	}
	return err
}

// read reads what was found, in the order in which it lies.
func (b *readBatch) read() {
	slices.SortFunc(b.found, func(x, y placed) int {
		return cmp.Or(cmp.Compare(x.loc.pack, y.loc.pack), cmp.Compare(x.loc.off, y.loc.off))
	})
	for rest := b.found; len(rest) > 0; {
		n := run(rest)
		b.readRun(rest[:n])
		rest = rest[n:]
	}
}

// run returns how many of the first entries are read together.
func run(es []placed) int {
	first, end := es[0].loc.extent(), es[0].loc.extent().end()
	n := 1
	for ; n < len(es); n++ {
		e := es[n].loc.extent()
		if e.pack != first.pack || e.off > end+runGap || e.end() > first.off+runBytes {
			break
		}
		end = max(end, e.end())
	}
	return n
}

func (b *readBatch) readRun(es []placed) {
	first, last := es[0].loc.extent(), es[len(es)-1].loc.extent()
	buf := make([]byte, last.end()-first.off)
	if b.store.packs.readAt(first.pack, buf, first.off) != nil {
		return // which of them is at fault shows when each is read alone
	}
	for _, e := range es {
		from := e.loc.off - first.off
		frame := buf[from : from+framed(e.loc.size) : from+framed(e.loc.size)]
		if content, ok := openFrame(e.key, frame); ok {
			b.contents[e.at] = content
		}
	}
}
