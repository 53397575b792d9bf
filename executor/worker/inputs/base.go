package inputs

import (
	"context"
	"errors"
	"os"
	"slices"
)

// base is a tree that others can be made as a difference to, itself whole or a
// difference to the one under it.
type base struct {
	entry *entry
	tree  *node
	under *base
	cost  int // entries of the difference
}

const (
	maxBases    = 8   // trees that are compared with one that is wanted
	maxLayers   = 16  // of a tree
	minEntries  = 64  // of a tree that is worth comparing
	worthwhile  = 4   // how many times less a difference must be than its tree
	closeEnough = 128 // how many times less it is when no other base is looked at
)

// offerBase makes tree n, which is pinned, the first of those that others can be
// a difference to: one that is whole, or was just made as a difference.
func (c *Cache) offerBase(key string, n *node, under *base, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &base{c.trees[key], n, under, cost}
	if i := slices.IndexFunc(c.bases, func(b *base) bool { return b.entry == c.trees[key] }); i >= 0 {
		b = c.bases[i]
		c.bases = slices.Delete(c.bases, i, i+1)
	} else if under == nil && b.entry.made.base != nil {
		return // a difference to what is forgotten
	}
	c.bases = slices.Insert(c.bases, 0, b)
	c.bases = c.bases[:min(len(c.bases), maxBases)]
}

// makeDifference makes n as a difference to one of the trees in use, if one is
// similar enough, and returns that one. It does not outlive the process.
func (c *Cache) makeDifference(ctx context.Context, n *node) (made, *base, int, error) {
	under, least, cost := c.choose(n)
	if under == nil {
		return made{}, nil, 0, nil
	}
	b := c.linker(n.digest.Function)
	temp := c.temp()
	if err := b.buildDifference(ctx, least, c.path(temp)); err != nil {
		c.unpin(under.entry)
		return made{}, nil, 0, errors.Join(err, os.RemoveAll(c.path(temp)))
	}
	layers := append([]string{temp}, under.entry.made.layers...)
	return made{layers: layers, base: under.entry, size: size{entries: b.made.entries}}, under, cost, nil
}

// choose returns what n is best made as a difference to, pinned, or nil: the
// base that it differs least from, or one that lies under that. A layer is
// always larger than the one above it, or else made anew as one with it. So
// trees that change step by step, each time a little more away from the first,
// cost a step each and now and then several, and have few layers.
func (c *Cache) choose(n *node) (under *base, least *difference, cost int) {
	bases := c.pinBases()
	room := n.entries / worthwhile
	for _, b := range bases {
		if b.tree.digest.Function != n.digest.Function {
			continue // there is no telling what is the same
		}
		if d, cost := diff(b.tree, n, room); d != nil {
			under, least, room = b, d, cost
		}
		if room <= n.entries/closeEnough {
			break
		}
	}
	cost = room
	for under != nil && under.under != nil && (under.cost <= cost || len(under.entry.made.layers) >= maxLayers) {
		under = under.under
		if least, cost = diff(under.tree, n, n.entries/worthwhile); least == nil {
			under = nil
		}
	}
	if under != nil {
		c.mu.Lock()
		under.entry.pins++ // before the others are not pinned any more: it may lie under one of them
		c.mu.Unlock()
	}
	for _, b := range bases {
		c.unpin(b.entry)
	}
	return under, least, cost
}

// pinBases pins the trees to compare with. The caller unpins them.
func (c *Cache) pinBases() []*base {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.bases {
		b.entry.pins++
	}
	return slices.Clone(c.bases)
}
