// Package inputs keeps what actions read on a local disk: whole directory trees
// by digest, ready to be mounted.
package inputs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// ErrInUse says that another process has the cache's folder open.
var ErrInUse = errors.New("cache is in use by another process")

// Config sets up a Cache.
type Config struct {
	// Dir is the folder, on a file system that can be a layer of an overlay.
	Dir string
	// Bytes and Entries are the sizes above which trees are dropped that
	// nobody uses, the longest unused first. Zero: 32 GiB, two million.
	Bytes, Entries int64
	// UID and GID get the files of input trees, if Give is set.
	UID, GID int
	Give     bool
	// Whole has every tree in one layer.
	Whole bool
}

const (
	defaultBytes   = 32 << 30
	defaultEntries = 2_000_000
	fetchers       = 8 // files fetched at a time
)

// Cache is safe for concurrent use. Its folder holds
//
//	lock                   held while a process has it open
//	roots/TREE             trees that were synced to the disk
//	boot-ID/               what was not, and does not outlive the machine's uptime:
//	  files/XX/HASH[x]     contents, hard-linked into trees
//	  trees/TREE           trees of hard links
//	  tmp/                 what is being made, dropped, or not to outlive the process
//
// where HASH begins with "blake3-" if it is one, and TREE is HASH.SIZE of the digest, the tree's bytes and entries. A tree
// is made in tmp and renamed. All of it is read by actions through read-only
// mounts and as lower layers of overlays only, so that no hard link can be
// written through.
type Cache struct {
	cfg    Config
	store  cas.Store
	lock   *os.File
	boot   string // name of the boot-ID folder
	serial atomic.Int64
	dirs   *graph
	pool   pool
	drops  sync.WaitGroup

	mu    sync.Mutex
	trees map[string]*entry
	size  size // of all trees
	bases []*base
}

// size is what something takes on the disk.
type size struct{ bytes, entries int64 }

func (s *size) add(t size) { s.bytes += t.bytes; s.entries += t.entries }

func (s *size) sub(t size) { s.bytes -= t.bytes; s.entries -= t.entries }

// entry is a tree that is there or being made.
type entry struct {
	key   string
	made  made
	pins  int // of actions, and of trees that are a difference to this one
	used  time.Time
	ready chan struct{} // closed when made, or not
	err   error
}

// made is a tree on the disk.
type made struct {
	layers []string // below Dir, top first; the first is its own
	base   *entry   // that the other layers belong to
	size   size
}

// Open opens the cache in cfg.Dir and removes what a process that was killed
// left half made. Error: ErrInUse.
func Open(cfg Config, store cas.Store) (*Cache, error) {
	if cfg.Bytes == 0 {
		cfg.Bytes = defaultBytes
	}
	if cfg.Entries == 0 {
		cfg.Entries = defaultEntries
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("open input cache: %w", err)
	}
	c := &Cache{cfg: cfg, store: store, boot: "boot-" + strings.TrimSpace(string(id)),
		trees: make(map[string]*entry), dirs: newGraph(store)}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("open input cache: %w", err)
	}
	if err := c.takeLock(); err != nil {
		return nil, fmt.Errorf("open input cache %s: %w", cfg.Dir, err)
	}
	if err := c.prepare(); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("open input cache %s: %w", cfg.Dir, err)
	}
	return c, nil
}

func (c *Cache) takeLock() error {
	f, err := os.OpenFile(filepath.Join(c.cfg.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrInUse
		}
		return fmt.Errorf("lock: %w", err)
	}
	c.lock = f
	return nil
}

// Close lets other processes open the cache.
func (c *Cache) Close() error {
	c.drops.Wait()
	return c.lock.Close()
}

// prepare makes the folders and drops left-overs: unfinished trees, and those
// that a crash of the machine may have torn.
func (c *Cache) prepare() error {
	old, err := filepath.Glob(filepath.Join(c.cfg.Dir, "boot-*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if filepath.Base(dir) != c.boot {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	err = errors.Join(err, os.RemoveAll(c.path(c.boot, "tmp")))
	for _, dir := range []string{"roots", c.boot, c.boot + "/files", c.boot + "/trees", c.boot + "/tmp"} {
		err = errors.Join(err, os.MkdirAll(c.path(dir), 0o755))
	}
	return errors.Join(err, c.adopt("roots"), c.adopt(c.boot+"/trees"), c.adoptPool())
}

// adopt takes over the trees of an earlier process.
func (c *Cache) adopt(dir string) error {
	found, err := os.ReadDir(c.path(dir))
	if err != nil {
		return err
	}
	closed := make(chan struct{})
	close(closed)
	for _, f := range found {
		hash, size, ok := parseTreeName(f.Name())
		info, err := f.Info()
		if err != nil || !ok {
			return errors.Join(fmt.Errorf("unknown file %s/%s", dir, f.Name()), err)
		}
		key := filepath.Join(dir, hash)
		c.trees[key] = &entry{key: key, used: accessed(info), ready: closed,
			made: made{layers: []string{filepath.Join(dir, f.Name())}, size: size}}
		c.size.add(size)
	}
	return nil
}

func accessed(info os.FileInfo) time.Time {
	st := info.Sys().(*syscall.Stat_t)
	return time.Unix(st.Atim.Unix())
}

func (c *Cache) path(parts ...string) string {
	return filepath.Join(append([]string{c.cfg.Dir}, parts...)...)
}

// temp returns a new name, below Dir, to make something under.
func (c *Cache) temp() string {
	return fmt.Sprintf("%s/tmp/%d", c.boot, c.serial.Add(1))
}

// Dir returns the folder that layers are relative to.
func (c *Cache) Dir() string { return c.cfg.Dir }

// Pin is a tree that stays until it is released.
type Pin struct {
	Layers  []string // below Dir, top first
	release func()
}

// Release says that the tree is not used any more.
func (p *Pin) Release() { p.release() }

// MissingError lists the blobs of a tree that are not in the store.
type MissingError struct{ Digests []digest.Digest }

// Error implements error.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%d blobs are missing, such as %v", len(e.Digests), e.Digests[0])
}

// Unwrap makes it cas.ErrNotFound.
func (e *MissingError) Unwrap() error { return cas.ErrNotFound }
