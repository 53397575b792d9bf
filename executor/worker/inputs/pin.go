package inputs

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// pin returns the tree of that key and has it made if it is not there. When
// several ask at once, one makes it.
func (c *Cache) pin(ctx context.Context, key string, make func(context.Context) (made, error)) (*Pin, error) {
	for {
		e, mine := c.claim(key)
		if mine {
			m, err := make(ctx)
			c.settle(e, m, err)
			c.trim()
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			c.unpin(e)
			return nil, ctx.Err()
		}
		if e.err == nil {
			return &Pin{Layers: e.made.layers, release: sync.OnceFunc(func() { c.unpin(e) })}, nil
		}
		c.unpin(e)
		if mine || !errors.Is(e.err, context.Canceled) || ctx.Err() != nil {
			return nil, e.err
		}
	}
}

func (c *Cache) claim(key string) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.trees[key]
	if !ok {
		e = &entry{key: key, ready: make(chan struct{})}
		c.trees[key] = e
	}
	e.pins++
	return e, !ok
}

// settle ends the making of e.
func (c *Cache) settle(e *entry, m made, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.made, e.err = m, err
	if err != nil {
		delete(c.trees, e.key)
	} else {
		c.size.add(m.size)
	}
	close(e.ready)
}

// unpin notes the time of use, on the disk too for the next process: as the
// time of access, for the other one is part of what actions see.
func (c *Cache) unpin(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.pins--
	e.used = time.Now()
	if e.pins == 0 && len(e.made.layers) > 0 {
		_ = os.Chtimes(c.path(e.made.layers[0]), e.used, epoch)
	}
}
