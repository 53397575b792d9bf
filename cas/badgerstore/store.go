// Package badgerstore is the Store and ActionCache on disk: content in large
// append-only packs, an index of it in badger. See the README.
package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Config says where and how a Store keeps its state. Only Dir has no default.
type Config struct {
	Dir     string // made if it is not there
	Wait    bool   // if another process has the store open, wait for it instead of ErrLocked
	Reserve int64  // bytes of the disk to leave free; default 64 MiB
	// Lazy acknowledges what would survive the end of this process, but not that
	// of the machine: content is flushed every ten seconds and by Close.
	Lazy bool
	Log  *slog.Logger // for what happens in the background; default slog.Default
}

// Store is a cas.Store, cas.Batcher and cas.ActionCache. One process at a time
// may have it open.
type Store struct {
	dir    string
	log    *slog.Logger
	lock   *os.File
	db     *badger.DB
	index  *index
	packs  *packs
	space  *space
	commit *committer

	upkeep sync.Mutex    // held by collection and check, one at a time
	stop   chan struct{} // ends what runs in the background
	behind sync.WaitGroup
	close  func() error
}

// Open opens the store in cfg.Dir. Errors: ErrLocked, ErrFormat, cas.ErrFull,
// cas.ErrCorrupt.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", cfg.Dir, full(err))
	}
	return s, nil
}

func open(ctx context.Context, cfg Config) (_ *Store, err error) {
	if cfg.Reserve == 0 {
		cfg.Reserve = 64 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Store{dir: cfg.Dir, log: cfg.Log, space: &space{dir: cfg.Dir, reserve: cfg.Reserve, log: cfg.Log}}
	if s.lock, err = lockDir(ctx, cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.shut())
		}
	}()
	if err = s.space.checkOpen(); err != nil {
		return nil, err
	}
	if s.packs, err = openPacks(filepath.Join(cfg.Dir, "packs"), cfg.Lazy); err != nil {
		return nil, err
	}
	if s.db, err = openBadger(badgerOptions(cfg), cfg.Log); err != nil {
		return nil, err
	}
	lost, err := restore(s.db, s.packs)
	if err != nil {
		return nil, err
	}
	if lost > 0 {
		cfg.Log.Info("the index has been given back what it had lost", "entries", lost)
	}
	if err = s.space.takeBallast(); err != nil {
		return nil, err
	}
	s.index = openIndex(s.db, cfg.Log)
	s.commit = startCommitter(s.index, s.packs, s.space, cfg.Log)
	s.stop = make(chan struct{})
	s.behind.Go(func() { s.checkpoints(s.stop) })
	s.close = sync.OnceValue(s.shut)
	return s, nil
}

// formatVersion goes up when the index or the packs change their meaning; what
// another version has written is refused then.
const formatVersion = 1

// ErrFormat says that a store was written by a version of this package that has
// another format. It is whole, only not for us.
var ErrFormat = errors.New("another version's format")

// badgerOptions are those for an index of small entries, read through memory
// maps. It need not be flushed, for the packs are: see replay.
func badgerOptions(cfg Config) badger.Options {
	return badger.DefaultOptions(filepath.Join(cfg.Dir, "index")).
		WithSyncWrites(false).
		WithDetectConflicts(false). // one goroutine writes
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithValueLogFileSize(16 << 20). // unused: entries are far below the threshold
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithMetricsEnabled(false).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithExternalMagic(formatVersion).
		WithLogger(logger{cfg.Log})
}

// openBadger opens the index. Badger panics over some kinds of damage, and dies
// of others, which are looked for before it does.
// Errors: cas.ErrCorrupt, unless the disk is at fault.
func openBadger(opt badger.Options, log *slog.Logger) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("unreadable, badger gives up over it: %v", p)
		}
		var sys *fs.PathError
		if err != nil && !errors.As(err, &sys) && !errors.Is(err, ErrFormat) {
			err = fmt.Errorf("%w: index: %w; move the folder away and a new, empty store begins", cas.ErrCorrupt, err)
		}
	}()
	if err := errors.Join(checkFooters(opt.Dir), dropEmptyLogs(opt.Dir, log)); err != nil {
		return nil, err
	}
	if db, err = badger.Open(opt); err != nil {
		return nil, err // badger returns half a DB
	}
	if err := db.VerifyChecksum(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close writes down what is queued and gives the state to other processes.
// Readers that are open must not be used any more.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	var errs []error
	if s.stop != nil {
		close(s.stop)
		s.behind.Wait()
	}
	if s.commit != nil {
		s.commit.close()
		s.index.close()
		s.packs.flush(s.log)
	}
	if s.db != nil {
		s.space.dropBallast()
		if s.commit != nil && s.space.check(0) == nil {
			errs = append(errs, newCheckpoint(s.packs).save(s.db)) // so that the next to open has nothing to read
		}
		errs = append(errs, s.db.Close())
	}
	if s.packs != nil {
		errs = append(errs, s.packs.close())
	}
	errs = append(errs, s.lock.Close())
	return errors.Join(errs...)
}

// Missing implements cas.Store.
func (s *Store) Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error) {
	missing, err := s.missing(ctx, ds, use)
	if err != nil {
		return nil, fmt.Errorf("look for blobs: %w", err)
	}
	return missing, nil
}

func (s *Store) missing(ctx context.Context, ds []digest.Digest, why purpose) ([]digest.Digest, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	keys, err := blobKeys(ds)
	if err != nil {
		return nil, err
	}
	there, absent := make([]bool, len(ds)), len(ds)
	err = s.index.find(keys, why, func(i int, _ loc) {
		there[i] = true
		absent--
	})
	if err != nil {
		return nil, err
	}
	missing := make([]digest.Digest, 0, absent)
	seen := newSeen(absent)
	for i, d := range ds {
		if !there[i] && !d.IsEmpty() && seen.add(keys, i) {
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// seen is a set of keys by their place in a list. A map of the keys themselves
// would be most of the work for a list that is absent.
type seen []int32 // 1 + the place, 0 for none; a power of two, half of it free

func newSeen(n int) seen { return make(seen, 2<<bits.Len(uint(n))) }

// seenSeed keeps clients from choosing hashes that all come to lie in one place.
var seenSeed = maphash.MakeSeed()

// add reports whether keys[i] was not in it.
func (s seen) add(keys []key, i int) bool {
	mask := uint64(len(s) - 1)
	for at := maphash.Bytes(seenSeed, keys[i][:]) & mask; ; at = (at + 1) & mask {
		if s[at] == 0 {
			s[at] = int32(i + 1)
			return true
		}
		if keys[s[at]-1] == keys[i] {
			return false
		}
	}
}

// has reports whether the blob of key k is there, and notes its use.
func (s *Store) has(k key) (bool, error) {
	_, err := s.index.lookup(k, use)
	if errors.Is(err, cas.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// quiet is a Store to look at without using: what it reads stays as old as it was.
type quiet struct{ *Store }

// Get implements cas.Store.
func (q quiet) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	return q.get(ctx, d, offset, peek)
}

// Missing implements cas.Store.
func (q quiet) Missing(ctx context.Context, ds []digest.Digest) ([]digest.Digest, error) {
	return q.missing(ctx, ds, peek)
}
