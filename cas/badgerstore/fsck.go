package badgerstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// FsckReport says what a check has found. All that it lists has been dropped.
type FsckReport struct {
	Checked        Usage
	CorruptBlobs   []digest.Digest // content is not what the digest says
	CorruptResults []digest.Digest // of actions: content is damaged
	Incomplete     []digest.Digest // of actions: results some of whose outputs are gone
	Freed          int64           // bytes of disk given back
}

// Clean reports whether everything was as it should be.
func (r *FsckReport) Clean() bool {
	return len(r.CorruptBlobs)+len(r.CorruptResults)+len(r.Incomplete) == 0
}

// Fsck reads every blob against its digest and every result against its
// outputs, drops what does not hold, and frees what nothing refers to. All else
// may go on beside it.
func (s *Store) Fsck(ctx context.Context) (FsckReport, error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	c := check{store: s}
	err := c.run(ctx)
	if err == nil {
		c.report.Freed, err = s.reclaim()
	}
	if err != nil {
		return c.report, fmt.Errorf("check store %s: %w", s.dir, err)
	}
	return c.report, nil
}

type check struct {
	store *Store

	mu     sync.Mutex
	report FsckReport
}

func (c *check) run(ctx context.Context) error {
	if err := c.each(ctx, blobs, c.blob); err != nil {
		return err
	}
	// Only now: results lack the blobs that have been dropped.
	if err := c.each(ctx, results, c.result); err != nil {
		return err
	}
	for _, ds := range [][]digest.Digest{c.report.CorruptBlobs, c.report.CorruptResults, c.report.Incomplete} {
		slices.SortFunc(ds, digest.Compare)
	}
	return nil
}

// each checks all entries of one kind, in parallel, in the order in which they
// lie on disk.
func (c *check) each(ctx context.Context, kind byte, check func(context.Context, entry) error) error {
	var all []entry
	err := c.store.index.scan(kind, func(k key, l loc) error {
		all = append(all, entry{k, l})
		c.report.Checked.add(k, l)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.loc.pack, b.loc.pack), cmp.Compare(a.loc.off, b.loc.off))
	})
	group, inGroup := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range all {
		if inGroup.Err() != nil {
			break
		}
		group.Go(func() error { return check(inGroup, e) })
	}
	return errors.Join(group.Wait(), ctx.Err())
}

// blob reads the blob of entry e.
func (c *check) blob(ctx context.Context, e entry) error {
	d := e.key.digest()
	got, err := c.digest(ctx, d)
	switch {
	case errors.Is(err, cas.ErrNotFound):
		return nil // dropped meanwhile
	case errors.Is(err, cas.ErrCorrupt):
		c.note(&c.report.CorruptBlobs, d)
		return nil
	case err == nil && got != d:
		_ = c.store.corrupt(e.key, e.loc, cas.ErrMismatch)
		c.note(&c.report.CorruptBlobs, d)
	}
	return err
}

func (c *check) digest(ctx context.Context, d digest.Digest) (digest.Digest, error) {
	r, err := c.store.get(ctx, d, 0, peek)
	if err != nil {
		return digest.Digest{}, err
	}
	defer r.Close()
	return d.Function.OfReader(r)
}

// result checks that entry e can be read and that its outputs are there.
func (c *check) result(ctx context.Context, e entry) error {
	r, err := c.store.result(ctx, e.key, peek)
	if errors.Is(err, cas.ErrNotFound) {
		c.note(&c.report.CorruptResults, e.key.digest())
		return nil
	}
	if err != nil {
		return err
	}
	ok, err := complete.Check(ctx, quiet{c.store}, e.key.function(), r)
	if err != nil || ok {
		return err
	}
	c.note(&c.report.Incomplete, e.key.digest())
	return c.store.drop([]key{e.key}, func(_ key, l loc) bool { return l.extent() == e.loc.extent() })
}

func (c *check) note(list *[]digest.Digest, d digest.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*list = append(*list, d)
}
