package inputs

import (
	"os"
	"slices"
)

// trim drops what nobody uses until the cache is within its limits, or nothing
// is left to drop.
func (c *Cache) trim() {
	for e := c.excess(); e.bytes > 0 || e.entries > 0; e = c.excess() {
		// Some more, so that it is not over again at once.
		c.pool.sweep(size{e.bytes + c.cfg.Bytes/16, e.entries + c.cfg.Entries/16})
		if e = c.excess(); (e.bytes > 0 || e.entries > 0) && !c.dropOldest() {
			return
		}
	}
}

// excess returns by how much the cache is over its limits.
func (c *Cache) excess() size {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.size
	e.add(c.pool.size())
	e.sub(size{c.cfg.Bytes, c.cfg.Entries})
	return e
}

// dropOldest drops the longest unused of the trees, a sixteenth of them, and
// reports whether there was any.
func (c *Cache) dropOldest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var idle []*entry
	for _, e := range c.trees {
		if e.pins == 0 {
			idle = append(idle, e)
		}
	}
	slices.SortFunc(idle, func(a, b *entry) int { return a.used.Compare(b.used) })
	n := (len(idle) + 15) / 16
	for _, e := range idle[:n] {
		c.drop(e)
	}
	return n > 0
}

// drop forgets e and removes it, at leisure, from the disk. Its name is free at
// once.
func (c *Cache) drop(e *entry) {
	delete(c.trees, e.key)
	c.size.sub(e.made.size)
	c.bases = slices.DeleteFunc(c.bases, func(b *base) bool { return b.entry == e })
	if e.made.base != nil {
		e.made.base.pins--
	}
	trash := c.path(c.temp())
	if err := os.Rename(c.path(e.made.layers[0]), trash); err != nil {
		return // it is out of use, and the next start takes it over
	}
	c.drops.Go(func() { _ = os.RemoveAll(trash) })
}
