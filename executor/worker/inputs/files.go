package inputs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// flights makes each file once when several trees want it at a time.
type flights struct {
	mu sync.Mutex
	m  map[string]chan struct{}
}

// begin returns nil if the caller is to make name, and calls end afterwards;
// else what to wait for.
func (f *flights) begin(name string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if wait, ok := f.m[name]; ok {
		return wait
	}
	if f.m == nil {
		f.m = make(map[string]chan struct{})
	}
	f.m[name] = make(chan struct{})
	return nil
}

func (f *flights) end(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.m[name])
	delete(f.m, name)
}

// pooled returns where the content of f is kept, below Dir. A program and a
// plain file of the same content are two, for a link shares the mode.
func (c *Cache) pooled(d digest.Digest, exec bool) string {
	name := d.Hash
	if exec {
		name += "x"
	}
	return filepath.Join(c.boot, "files", d.Hash[:2], name)
}

// link places f by a hard link to the pool, and fetches it first if need be.
func (c *Cache) link(ctx context.Context, f *repb.FileNode, name string) error {
	pool := c.pooled(of(f.Digest), f.IsExecutable)
	for {
		err := os.Link(c.path(pool), name)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EMLINK):
			return c.fetchOwned(ctx, of(f.Digest), f.IsExecutable, name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := c.fill(ctx, of(f.Digest), f.IsExecutable, pool); err != nil {
			return err
		}
	}
}

// fill fetches a file into the pool, or waits for who does. When that one did
// not succeed the caller finds no file and tries itself.
func (c *Cache) fill(ctx context.Context, d digest.Digest, exec bool, pool string) error {
	if wait := c.files.begin(pool); wait != nil {
		select {
		case <-wait:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer c.files.end(pool)
	temp := c.path(c.temp())
	if err := c.fetchOwned(ctx, d, exec, temp); err != nil {
		_ = os.Remove(temp)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path(pool)), 0o755); err != nil {
		return err
	}
	return os.Rename(temp, c.path(pool))
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
