// Package inputs keeps what actions read on a local disk: whole directory trees
// by digest, ready to be mounted.
package inputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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
	// Limit is the size in bytes above which trees are dropped that nobody
	// uses. Zero: 32 GiB.
	Limit int64
	// UID and GID get the files of input trees, if Give is set.
	UID, GID int
	Give     bool
	// Whole has every tree in one layer.
	Whole bool
}

const (
	defaultLimit = 32 << 30
	fetchers     = 8 // files fetched at a time
)

// Cache is safe for concurrent use. Its folder holds
//
//	lock               held while a process has it open
//	roots/HASH.SIZE    trees that were synced to the disk
//	boot-ID/           what was not, and does not outlive the machine's uptime:
//	  files/XX/HASH[x] contents, hard-linked into trees
//	  trees/HASH.SIZE  trees of hard links
//	  tmp/             what is being made
//
// A tree is made in tmp and renamed. All of it is read by actions through
// read-only mounts and as lower layers of overlays only, so that no hard link
// can be written through.
type Cache struct {
	cfg    Config
	store  cas.Store
	lock   *os.File
	boot   string // name of the boot-ID folder
	serial atomic.Int64

	mu    sync.Mutex
	trees map[string]*entry // by path below Dir
	files flights
	dirs  *graph
}

// entry is a tree that is there or being made.
type entry struct {
	name  string // below Dir
	pins  int
	used  time.Time
	ready chan struct{} // closed when made, or not
	err   error
}

// Open opens the cache in cfg.Dir and removes what a process that was killed
// left half made. Error: ErrInUse.
func Open(cfg Config, store cas.Store) (*Cache, error) {
	if cfg.Limit == 0 {
		cfg.Limit = defaultLimit
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
		return errors.Join(ErrInUse, err)
	}
	c.lock = f
	return nil
}

// Close lets other processes open the cache.
func (c *Cache) Close() error { return c.lock.Close() }

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
	return errors.Join(err, c.adopt("roots"), c.adopt(c.boot+"/trees"))
}

// adopt takes over the trees of an earlier process.
func (c *Cache) adopt(dir string) error {
	found, err := os.ReadDir(c.path(dir))
	if err != nil {
		return err
	}
	closed := make(chan struct{})
	close(closed)
	for _, e := range found {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		name := filepath.Join(dir, e.Name())
		c.trees[name] = &entry{name: name, used: info.ModTime(), ready: closed}
	}
	return nil
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

// pin returns the tree of that name and makes it if it is not there. When
// several ask at once, one makes it.
func (c *Cache) pin(ctx context.Context, name string, make func(context.Context) error) (*Pin, error) {
	for {
		e, mine := c.claim(name)
		if mine {
			c.settle(e, make(ctx))
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			c.unpin(e)
			return nil, ctx.Err()
		}
		if e.err == nil {
			return &Pin{Layers: []string{name}, release: sync.OnceFunc(func() { c.unpin(e) })}, nil
		}
		c.unpin(e)
		if mine || !errors.Is(e.err, context.Canceled) || ctx.Err() != nil {
			return nil, e.err
		}
	}
}

func (c *Cache) claim(name string) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.trees[name]
	if !ok {
		e = &entry{name: name, ready: make(chan struct{})}
		c.trees[name] = e
	}
	e.pins++
	return e, !ok
}

// settle ends the making of e.
func (c *Cache) settle(e *entry, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err = err; err != nil {
		delete(c.trees, e.name)
	}
	close(e.ready)
}

func (c *Cache) unpin(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.pins--
	e.used = time.Now()
}
