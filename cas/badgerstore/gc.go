package badgerstore

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// GCConfig says what a collection leaves.
type GCConfig struct {
	// Limit in bytes of content. What Grace and Keep protect stays even beyond it.
	Limit int64
	// Grace protects what has been used within it. A collection beside running
	// work needs as much as a client takes from asking for its blobs to having
	// an action run that keeps them.
	Grace time.Duration
	// Keep protects what running and queued work needs.
	Keep Roots
}

// Roots name content with all that it refers to.
type Roots struct {
	Actions []digest.Digest // Action messages: command and input root
	Trees   []digest.Digest // root Directories
	Blobs   []digest.Digest
}

// Usage is how much a store holds.
type Usage struct {
	Blobs   int
	Results int
	Bytes   int64 // of content, with its checksums
}

// GCReport says what a collection did.
type GCReport struct {
	Before, After Usage
	Freed         int64 // bytes of disk given back
}

// GC drops what has not been used for longest until the rest is within the
// limit. A result that stays keeps all its outputs, those inside Trees
// included; a result goes before its blobs do, and goes if it is incomplete.
// Beside it everything else may go on: what is used meanwhile stays.
func (s *Store) GC(ctx context.Context, cfg GCConfig) (GCReport, error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	s.space.dropBallast()
	defer s.index.watch(false)
	c := &collection{ctx: ctx, store: s, cfg: cfg, kept: map[mark]bool{}, start: s.index.watch(true)}
	report, err := c.run()
	if err == nil {
		err = s.space.takeBallast()
	}
	if err != nil {
		return report, fmt.Errorf("collect garbage: %w", err)
	}
	return report, nil
}

// mark stands for a key in a set that may be large. Should two keys share one,
// more is kept than need be.
type mark uint64

func markOf(k key) mark { return mark(binary.BigEndian.Uint64(k[1:])) ^ mark(k[0]) }

type collection struct {
	ctx   context.Context
	store *Store
	cfg   GCConfig
	start uint32

	candidates []candidate // newest first
	results    []key
	kept       map[mark]bool
	bytes      int64 // of what is kept
}

// candidate is an entry that may stay or go. There are as many as entries, so
// they are kept small.
type candidate struct {
	mark   mark
	size   int64 // in bytes, framed
	used   uint32
	result int32 // index in collection.results, -1 for a blob
}

func (c *collection) run() (GCReport, error) {
	var report GCReport
	var err error
	if report.Before, err = c.load(); err != nil {
		return report, err
	}
	if err := c.keepRoots(); err != nil {
		return report, err
	}
	for _, e := range c.candidates {
		if err := errors.Join(c.ctx.Err(), c.consider(e)); err != nil {
			return report, err
		}
	}
	for _, kind := range []byte{results, blobs} { // in this order: no result may outlive its blobs
		if err := c.drop(kind); err != nil {
			return report, err
		}
	}
	if report.Freed, err = c.store.reclaim(); err != nil {
		return report, err
	}
	report.After, err = c.store.usage(c.ctx)
	return report, err
}

// load reads the index, newest entries first. Of equally old ones results come
// first, so that they are weighed with all their outputs.
func (c *collection) load() (Usage, error) {
	var flushed error
	gate := c.store.commit.between(func() { flushed = c.store.index.flushUses() })
	if err := errors.Join(gate, flushed); err != nil {
		return Usage{}, err
	}
	var u Usage
	err := c.store.each(c.ctx, func(k key, l loc) {
		u.add(k, l)
		e := candidate{mark: markOf(k), size: framed(l.size), used: l.used, result: -1}
		if k.kind() == results {
			e.result = int32(len(c.results))
			c.results = append(c.results, k)
		}
		c.candidates = append(c.candidates, e)
	})
	slices.SortStableFunc(c.candidates, func(a, b candidate) int { return cmp.Compare(b.used, a.used) })
	return u, err
}

func (u *Usage) add(k key, l loc) {
	u.Bytes += framed(l.size)
	if k.kind() == results {
		u.Results++
	} else {
		u.Blobs++
	}
}

// consider keeps e, with all that it stands for, if it is protected or fits.
func (c *collection) consider(e candidate) error {
	if c.kept[e.mark] {
		return nil
	}
	cost := e.size
	var outputs []key
	if e.result >= 0 {
		var ok bool
		var err error
		if outputs, ok, err = c.outputs(c.results[e.result]); err != nil || !ok {
			return err
		}
		cost += c.cost(outputs)
	}
	if c.protected(e.used) || c.bytes+cost <= c.cfg.Limit {
		c.kept[e.mark] = true
		c.keep(outputs)
		c.bytes += cost
	}
	return nil
}

// protected reports whether what was used then may not be dropped, fit or not.
func (c *collection) protected(used uint32) bool {
	grace := uint32(c.cfg.Grace / time.Second)
	if grace > 0 {
		grace += touchEvery // the last use may be that much later than the noted one
	}
	return used >= c.start-min(grace, c.start)
}

// outputs returns the blobs without which result k is of no use. A result of
// which some are gone is not ok.
func (c *collection) outputs(k key) (ks []key, ok bool, err error) {
	r, err := c.store.result(c.ctx, k, peek)
	if errors.Is(err, cas.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	ds, err := complete.Blobs(c.ctx, quiet{c.store}, k.function(), r)
	if complete.IsGone(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	missing, err := c.store.missing(c.ctx, ds, peek)
	if err != nil || len(missing) > 0 {
		return nil, false, err
	}
	ks, err = blobKeys(ds)
	return ks, err == nil, err
}

// cost returns the bytes that keeping blobs ks adds.
func (c *collection) cost(ks []key) int64 {
	var n int64
	seen := make(map[mark]bool, len(ks))
	for _, k := range ks {
		if m := markOf(k); !c.kept[m] && !seen[m] {
			seen[m] = true
			n += framed(k.digest().Size)
		}
	}
	return n
}

func (c *collection) keep(ks []key) {
	for _, k := range ks {
		c.kept[markOf(k)] = true
	}
}

// keepRoots keeps what the caller protects, as far as it is there.
func (c *collection) keepRoots() error {
	trees := slices.Clone(c.cfg.Keep.Trees)
	needed := closure{dirs: map[digest.Digest]bool{}, files: map[digest.Digest]bool{}}
	needed.add(c.cfg.Keep.Blobs...)
	for _, d := range c.cfg.Keep.Actions {
		a, err := c.action(d)
		if err != nil {
			return err
		}
		needed.add(d)
		if command, err := d.Function.FromProto(a.GetCommandDigest()); err == nil {
			needed.add(command)
		}
		if root, err := d.Function.FromProto(a.GetInputRootDigest()); err == nil {
			trees = append(trees, root)
		}
	}
	for _, d := range trees {
		if err := needed.walk(c.ctx, quiet{c.store}, d); err != nil {
			return err
		}
	}
	return c.keepThose(needed)
}

// keepThose keeps what is there of a closure.
func (c *collection) keepThose(needed closure) error {
	all := slices.AppendSeq(slices.Collect(maps.Keys(needed.dirs)), maps.Keys(needed.files))
	missing, err := c.store.missing(c.ctx, all, peek)
	if err != nil {
		return err
	}
	gone := map[digest.Digest]bool{}
	for _, d := range missing {
		gone[d] = true
	}
	all = slices.DeleteFunc(all, func(d digest.Digest) bool { return gone[d] })
	ks, err := blobKeys(all)
	c.bytes += c.cost(ks)
	c.keep(ks)
	return err
}

// closure is all that some trees hold. Thousands of queued actions share most of
// theirs, so each directory is read once.
type closure struct{ dirs, files map[digest.Digest]bool }

func (c closure) add(ds ...digest.Digest) {
	for _, d := range ds {
		c.files[d] = true
	}
}

// walk adds what is below a root. Where a directory is gone there is nothing to
// keep, but the rest is kept: a client may be about to send it.
func (c closure) walk(ctx context.Context, s cas.Store, root digest.Digest) error {
	for todo := []digest.Digest{root}; len(todo) > 0; {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if c.dirs[d] {
			continue
		}
		c.dirs[d] = true
		dir, err := tree.Read(ctx, s, d)
		if complete.IsGone(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range dir.Files {
			if fd, err := d.Function.FromProto(f.Digest); err == nil {
				c.add(fd)
			}
		}
		for _, sub := range dir.Directories {
			if sd, err := d.Function.FromProto(sub.Digest); err == nil {
				todo = append(todo, sd)
			}
		}
	}
	return nil
}

// action reads an Action message; one that cannot be read protects nothing.
func (c *collection) action(d digest.Digest) (*repb.Action, error) {
	b, err := cas.ReadBlob(c.ctx, quiet{c.store}, d, maxResult)
	if err != nil && !complete.IsGone(err) {
		return nil, err
	}
	a := &repb.Action{}
	if proto.Unmarshal(b, a) != nil {
		a = nil
	}
	return a, nil
}

// drop deletes the entries of one kind that are neither kept nor were used
// since the collection began.
func (c *collection) drop(kind byte) error {
	old := func(_ key, l loc) bool { return l.used < c.start }
	ks := make([]key, 0, txnEntries)
	err := c.store.index.scan(kind, func(k key, l loc) error {
		if c.kept[markOf(k)] || !old(k, l) {
			return nil
		}
		if ks = append(ks, k); len(ks) < txnEntries {
			return nil
		}
		err := c.store.drop(ks, old)
		ks = ks[:0]
		return errors.Join(err, c.ctx.Err())
	})
	return errors.Join(err, c.store.drop(ks, old))
}

// drop deletes those entries for which still holds at that instant.
func (s *Store) drop(ks []key, still func(key, loc) bool) error {
	var err error
	gate := s.commit.between(func() { err = s.index.remove(ks, still) })
	return errors.Join(gate, err)
}

func blobKeys(ds []digest.Digest) ([]key, error) {
	ks := make([]key, len(ds))
	for i, d := range ds {
		if err := ks[i].set(blobs, d); err != nil {
			return nil, err
		}
	}
	return ks, nil
}
