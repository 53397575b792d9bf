package inputs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// pool keeps contents as files, once however many trees they are in.
type pool struct {
	dir    string
	mu     sync.Mutex
	held   size
	flight map[string]chan struct{} // files that are being fetched
}

// adoptPool takes over the files of an earlier process.
func (c *Cache) adoptPool() error {
	c.pool.dir = c.path(c.boot, "files")
	return filepath.WalkDir(c.pool.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			c.pool.count(size{info.Size(), 1})
		}
		return err
	})
}

func (p *pool) count(s size) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held.add(s)
}

func (p *pool) size() size {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// name returns where a content is kept. A program and a plain file of the same
// content are two, for a link shares the mode.
func (p *pool) name(d digest.Digest, exec bool) string {
	name := hashName(d)
	if exec {
		name += "x"
	}
	return filepath.Join(p.dir, d.Hash[:2], name)
}

// begin returns nil if the caller is to fetch name, and calls end afterwards;
// else what to wait for.
func (p *pool) begin(name string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait, ok := p.flight[name]; ok {
		return wait
	}
	if p.flight == nil {
		p.flight = make(map[string]chan struct{})
	}
	p.flight[name] = make(chan struct{})
	return nil
}

func (p *pool) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.flight[name])
	delete(p.flight, name)
}

// sweep removes files that are in no tree, until so much is freed, the longest
// unlinked first. A tree that wants one meanwhile fetches it again.
func (p *pool) sweep(excess size) {
	type file struct {
		name  string
		size  int64
		since syscall.Timespec
	}
	var idle []file
	_ = filepath.WalkDir(p.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			if st := info.Sys().(*syscall.Stat_t); st.Nlink == 1 {
				idle = append(idle, file{name, st.Size, st.Ctim})
			}
		}
		return nil
	})
	slices.SortFunc(idle, func(a, b file) int { return cmp.Compare(a.since.Nano(), b.since.Nano()) })
	for _, f := range idle {
		if excess.bytes <= 0 && excess.entries <= 0 {
			return
		}
		if os.Remove(f.name) == nil {
			p.count(size{-f.size, -1})
			excess.sub(size{f.size, 1})
		}
	}
}

// link places a file by a hard link to the pool, and fetches it first if need be.
func (c *Cache) link(ctx context.Context, d digest.Digest, exec bool, name string) error {
	kept := c.pool.name(d, exec)
	for {
		err := os.Link(kept, name)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EMLINK):
			return c.fetchOwned(ctx, d, exec, name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := c.fill(ctx, d, exec, kept); err != nil {
			return err
		}
	}
}

// fill fetches a file into the pool, or waits for who does. When that one did
// not succeed the caller finds no file and tries itself.
func (c *Cache) fill(ctx context.Context, d digest.Digest, exec bool, kept string) error {
	if wait := c.pool.begin(kept); wait != nil {
		select {
		case <-wait:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer c.pool.end(kept)
	if _, err := os.Lstat(kept); err == nil {
		return nil // made since the caller looked
	}
	temp := c.path(c.temp())
	if err := c.fetchOwned(ctx, d, exec, temp); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return err
	}
	c.pool.count(size{d.Size, 1})
	return os.Rename(temp, kept)
}

func (c *Cache) fetchOwned(ctx context.Context, d digest.Digest, exec bool, name string) error {
	if err := fetch(ctx, c.store, d, exec, name); err != nil {
		return err
	}
	return c.give(name)
}

// give makes the actions' user the owner of an input.
func (c *Cache) give(name string) error {
	if !c.cfg.Give {
		return nil
	}
	return os.Lchown(name, c.cfg.UID, c.cfg.GID)
}
