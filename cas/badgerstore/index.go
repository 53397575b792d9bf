package badgerstore

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

const (
	// cacheEntries bounds each of the cache's two generations.
	cacheEntries = 1 << 17
	// touchEvery is how much later than the noted use a use must be to be noted, in seconds.
	touchEvery = 60
	// txnEntries bounds the entries of one transaction, below badger's own limit.
	txnEntries = 4096
)

// index says where each entry's content lies. On disk it is badger, written to
// by the committer alone; before that stands a cache of recent entries, and the
// uses that are not yet written down.
type index struct {
	db    *badger.DB
	clock func() time.Time

	filling sync.WaitGroup

	mu     sync.Mutex
	shut   bool
	filter *filter
	young  map[key]loc    // entries used lately
	old    map[key]loc    // entries that were young before; dropped when young is full
	dirty  map[key]uint32 // uses that are not on disk yet
	dying  map[key]bool   // being deleted from disk, and absent already
	every  uint32         // touchEvery, or 0 while a collection must know of every use
	epoch  uint64         // counts deletions and replacements: what was read before may not be cached after
}

func openIndex(db *badger.DB, log *slog.Logger) *index {
	ix := &index{db: db, clock: steady(time.Now()), young: map[key]loc{}, dirty: map[key]uint32{}, dying: map[key]bool{}, every: touchEvery}
	ix.filter = newFilter(2 * ix.keysOnDisk())
	ix.filling.Go(func() {
		if err := ix.fillFilter(); err != nil && !errors.Is(err, ErrClosed) {
			log.Error("read the index", "err", err)
		}
	})
	return ix
}

// steady is the time since base: a collection must not take what is used
// meanwhile for old because somebody set the machine's clock.
func steady(base time.Time) func() time.Time {
	return func() time.Time { return base.Add(time.Since(base)) }
}

// now returns the time in the index's measure.
func (ix *index) now() uint32 { return uint32(ix.clock().Unix()) }

// cached returns k's entry if it is in memory, and notes a use at that time; 0
// is none. ix.mu is held.
func (ix *index) cached(k key, at uint32) (loc, bool) {
	l, ok := ix.young[k]
	if !ok {
		if l, ok = ix.old[k]; !ok {
			return loc{}, false
		}
		ix.remember(k, l)
	}
	if at > l.used && at-l.used >= ix.every {
		l.used = at
		ix.young[k] = l
		ix.dirty[k] = at
	}
	return l, true
}

// remember puts k's entry into the cache. ix.mu is held.
func (ix *index) remember(k key, l loc) {
	if len(ix.young) >= cacheEntries {
		ix.old, ix.young = ix.young, make(map[key]loc, cacheEntries)
	}
	ix.young[k] = l
}

// forget makes the cache not know k. ix.mu is held.
func (ix *index) forget(k key) {
	delete(ix.young, k)
	delete(ix.old, k)
	delete(ix.dirty, k)
}

// purpose says whether a look at an entry is a use of it.
type purpose bool

const (
	use  purpose = true
	peek purpose = false
)

// useTime returns when a look for this purpose counts as a use, 0 for not at all.
func (ix *index) useTime(why purpose) uint32 {
	if why == peek {
		return 0
	}
	return ix.now()
}

// find looks ks up and calls found with the position of each that is there, at
// an instant at which it is.
func (ix *index) find(ks []key, why purpose, found func(i int, l loc)) error {
	todo := make([]int, 0, 16)
	ix.mu.Lock()
	if ix.shut {
		ix.mu.Unlock()
		return ErrClosed
	}
	at := ix.useTime(why)
	for i := range ks {
		if !ix.filter.may(&ks[i]) { // one line of memory, where the cache costs several
			continue
		}
		k := ks[i]
		if l, ok := ix.cached(k, at); ok {
			found(i, l)
		} else if !ix.dying[k] {
			todo = append(todo, i)
		}
	}
	epoch := ix.epoch
	ix.mu.Unlock()
	for len(todo) > 0 {
		n := min(len(todo), txnEntries)
		locs, err := ix.read(ks, todo[:n])
		if err != nil {
			return err
		}
		ix.mu.Lock()
		if ix.epoch == epoch {
			ix.take(ks, todo[:n], locs, ix.useTime(why), found)
			todo = todo[n:]
		}
		epoch = ix.epoch
		ix.mu.Unlock()
	}
	return nil
}

// take caches what read has found and notes its use. ix.mu is held.
func (ix *index) take(ks []key, at []int, locs []*loc, when uint32, found func(int, loc)) {
	for j, l := range locs {
		if l == nil || ix.dying[ks[at[j]]] {
			continue
		}
		ix.remember(ks[at[j]], *l)
		if l, ok := ix.cached(ks[at[j]], when); ok {
			found(at[j], l)
		}
	}
}

// read gets the entries ks[at[j]] from badger; nil stands for one that is not there.
func (ix *index) read(ks []key, at []int) ([]*loc, error) {
	locs := make([]*loc, len(at))
	err := ix.db.View(func(txn *badger.Txn) error {
		for j, i := range at {
			l, err := get(txn, ks[i])
			if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
				return err
			}
			if err == nil {
				locs[j] = &l
			}
		}
		return nil
	})
	return locs, err
}

func get(txn *badger.Txn, k key) (loc, error) {
	item, err := txn.Get(k[:])
	if err != nil {
		return loc{}, err
	}
	var l loc
	err = item.Value(func(v []byte) error {
		l = decodeLoc(v)
		return nil
	})
	return l, err
}

// lookup returns k's entry. Errors: cas.ErrNotFound.
func (ix *index) lookup(k key, why purpose) (loc, error) {
	var l loc
	there := false
	err := ix.find([]key{k}, why, func(_ int, at loc) { l, there = at, true })
	if err != nil {
		return loc{}, fmt.Errorf("look up: %w", err)
	}
	if !there {
		return loc{}, cas.ErrNotFound
	}
	return l, nil
}

// current reports whether l is still what k's entry says about its content's place.
func (ix *index) current(k key, l loc) bool {
	at, err := ix.lookup(k, peek)
	return err == nil && at.extent() == l.extent()
}

// scan calls visit for every entry of one kind, function by function, in the
// order of hashes.
func (ix *index) scan(kind byte, visit func(key, loc) error) error {
	for _, f := range digest.Functions() {
		if err := ix.scanBelow(firstByte(kind, f), visit); err != nil {
			return err
		}
	}
	return nil
}

// scanBelow calls visit for every entry whose key begins with a byte.
func (ix *index) scanBelow(first byte, visit func(key, loc) error) error {
	return ix.db.View(func(txn *badger.Txn) error {
		opt := badger.DefaultIteratorOptions
		opt.Prefix = []byte{first}
		opt.PrefetchValues = false // values are small and lie beside their keys
		it := txn.NewIterator(opt)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if len(it.Item().Key()) != len(key{}) {
				continue // nobody can ask for it
			}
			k := key(it.Item().Key())
			err := it.Item().Value(func(v []byte) error { return visit(k, decodeLoc(v)) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// close makes every further look fail.
func (ix *index) close() {
	ix.mu.Lock()
	ix.shut = true
	ix.mu.Unlock()
	ix.filling.Wait()
}

// entry is a key with what it shall say.
type entry struct {
	key key
	loc loc
}

// store writes entries down, durably. Only the committer may call it.
func (ix *index) store(entries []entry) error {
	err := ix.update(len(entries), func(txn *badger.Txn, i int) error {
		return txn.Set(entries[i].key[:], entries[i].loc.encode())
	})
	if err != nil {
		return err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		if e.key.kind() == results {
			ix.epoch++ // may replace what somebody has just read
			ix.forget(e.key)
		}
		ix.remember(e.key, e.loc)
		ix.filter.add(&e.key)
	}
	return nil
}

// removeKeys bounds how many entries are deleted at a time.
const removeKeys = 1024

// remove deletes those keys of whose entries still says so at that instant,
// durably. Only the committer may call it.
func (ix *index) remove(keys []key, still func(key, loc) bool) error {
	for part := range slices.Chunk(keys, removeKeys) {
		all := make([]int, len(part))
		for i := range all {
			all[i] = i
		}
		locs, err := ix.read(part, all)
		if err != nil {
			return err
		}
		gone := ix.condemn(part, locs, still)
		err = ix.update(len(gone), func(txn *badger.Txn, i int) error { return txn.Delete(gone[i][:]) })
		ix.bury(gone)
		if err != nil {
			return err
		}
	}
	return nil
}

// condemn makes keys absent if still says so, though they are on disk for a
// while yet, and returns them.
func (ix *index) condemn(keys []key, locs []*loc, still func(key, loc) bool) []key {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var gone []key
	for i, l := range locs {
		if l == nil {
			continue
		}
		l.used = max(l.used, ix.dirty[keys[i]])
		if still(keys[i], *l) {
			ix.forget(keys[i])
			ix.dying[keys[i]] = true
			gone = append(gone, keys[i])
		}
	}
	ix.epoch++
	return gone
}

// bury ends what condemn began, once keys are gone from disk.
func (ix *index) bury(keys []key) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, k := range keys {
		delete(ix.dying, k)
	}
	ix.epoch++
}

// watch makes every use noted, until it is called again with false, and returns
// a time: uses before it have been noted as far as touchEvery asks, the others all.
func (ix *index) watch(on bool) uint32 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.every = touchEvery
	if on {
		ix.every = 0
	}
	return ix.now()
}

// flushUses writes the noted uses down. Only the committer may call it.
func (ix *index) flushUses() error {
	ix.mu.Lock()
	dirty := ix.dirty
	ix.dirty = map[key]uint32{}
	ix.mu.Unlock()
	keys := make([]key, 0, len(dirty))
	for k := range dirty {
		keys = append(keys, k)
	}
	return ix.update(len(keys), func(txn *badger.Txn, i int) error {
		l, err := get(txn, keys[i])
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		l.used = max(l.used, dirty[keys[i]])
		return errors.Join(err, txn.Set(keys[i][:], l.encode()))
	})
}

// uses returns how many uses are noted and not written.
func (ix *index) uses() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return len(ix.dirty)
}

// update changes n entries in as few transactions as badger allows.
func (ix *index) update(n int, change func(txn *badger.Txn, i int) error) error {
	for start := 0; start < n; start += txnEntries {
		err := ix.db.Update(func(txn *badger.Txn) error {
			for i := start; i < min(n, start+txnEntries); i++ {
				if err := change(txn, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
