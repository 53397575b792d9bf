package farm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/kbuild"
)

// Small blobs are sent in batches, which bounds what is held in memory.
const (
	smallBlob    = 64 << 10 // bytes
	batchBytes   = 2 << 20
	batchBlobs   = 2000
	parallelPuts = 8 // of batches and of larger blobs
)

// opener opens a blob on this side.
type opener func(digest.Digest) (io.ReadCloser, error)

// Upload makes sure that the farm holds the blobs ds; content opens those that
// it lacks.
func (c *Client) Upload(ctx context.Context, ds []digest.Digest, content kbuild.Content) error {
	return c.ensure(ctx, ds, func(d digest.Digest) (io.ReadCloser, error) { return c.open(ctx, d, content) })
}

// UploadTree makes sure that the farm holds the tree below root. If the farm
// has the root directory it is believed to have the rest, until an action
// shows otherwise.
func (c *Client) UploadTree(ctx context.Context, root digest.Digest) error {
	if len(c.known.unknown([]digest.Digest{root})) == 0 {
		return nil
	}
	absent, err := c.store.Missing(ctx, []digest.Digest{root})
	if err != nil {
		return err
	}
	if len(absent) > 0 {
		return c.sendTree(ctx, root)
	}
	c.known.add(root)
	return nil
}

// upload makes sure that the farm holds all that j names.
func (c *Client) upload(ctx context.Context, j *job) error {
	if len(c.known.unknown(j.all())) == 0 {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c.tell(j, Uploading, "")
	for _, root := range j.grafts {
		if err := c.UploadTree(ctx, root); err != nil {
			return err
		}
	}
	return c.ensure(ctx, j.all(), func(d digest.Digest) (io.ReadCloser, error) {
		if b, ok := j.blobs[d]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		return c.open(ctx, d, j.Content)
	})
}

// open finds a blob on this side.
func (c *Client) open(ctx context.Context, d digest.Digest, content kbuild.Content) (io.ReadCloser, error) {
	if content != nil {
		r, err := content.Open(d)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	if c.cfg.Local != nil {
		r, err := c.cfg.Local.Get(ctx, d, 0)
		if !errors.Is(err, cas.ErrNotFound) {
			return r, err
		}
	}
	return nil, fmt.Errorf("neither the farm nor this machine has blob %v", d)
}

// ensure sends what the farm lacks of ds.
func (c *Client) ensure(ctx context.Context, ds []digest.Digest, open opener) error {
	absent, err := c.store.Missing(ctx, c.known.unknown(ds))
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelPuts)
	for _, batch := range split(absent) {
		g.Go(func() error { return c.send(gctx, batch, open) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	c.known.add(ds...)
	return nil
}

// split makes batches of small blobs, and of each larger one a batch of its own.
func split(ds []digest.Digest) [][]digest.Digest {
	var batches [][]digest.Digest
	var small []digest.Digest
	var size int64
	for _, d := range ds {
		if d.Size > smallBlob {
			batches = append(batches, []digest.Digest{d})
			continue
		}
		if size += d.Size; size > batchBytes || len(small) == batchBlobs {
			batches = append(batches, small)
			small, size = nil, d.Size
		}
		small = append(small, d)
	}
	if len(small) > 0 {
		batches = append(batches, small)
	}
	return batches
}

func (c *Client) send(ctx context.Context, batch []digest.Digest, open opener) error {
	if batch[0].Size > smallBlob {
		return c.sendLarge(ctx, batch[0], open)
	}
	blobs := make([]cas.Blob, len(batch))
	for i, d := range batch {
		b, err := readSmall(d, open)
		if err != nil {
			return err
		}
		blobs[i] = cas.Blob{Digest: d, Data: b}
	}
	return cas.OneError(c.store.PutBatch(ctx, blobs))
}

func (c *Client) sendLarge(ctx context.Context, d digest.Digest, open opener) error {
	r, err := open(d)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer r.Close()
	return c.store.Put(ctx, d, r)
}

func readSmall(d digest.Digest, open opener) ([]byte, error) {
	r, err := open(d)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, smallBlob+1))
	if err != nil {
		return nil, fmt.Errorf("upload %v: %w", d, err)
	}
	return b, nil
}

// sendTree sends what the farm lacks of a tree, and the root when all else is
// there: a root never stands without the rest.
func (c *Client) sendTree(ctx context.Context, root digest.Digest) error {
	if c.cfg.Local == nil {
		return fmt.Errorf("upload tree: neither the farm nor this machine has %v", root)
	}
	all, err := tree.Closure(ctx, c.cfg.Local, root, tree.Limits{}) // the root first
	if err != nil {
		return fmt.Errorf("upload tree: %w", err)
	}
	if c.cfg.LinkTargets {
		if err := c.sendTargets(ctx, root); err != nil {
			return fmt.Errorf("upload tree: %w", err)
		}
	}
	for _, ds := range [][]digest.Digest{all[1:], {root}} {
		if err := c.Upload(ctx, ds, nil); err != nil {
			return fmt.Errorf("upload tree %v: %w", root, err)
		}
	}
	return nil
}

// restore sends again what the farm turned out to lack. What is no part of j
// itself stands below one of its grafts.
func (c *Client) restore(ctx context.Context, j *job, lost []digest.Digest) error {
	c.known.forget(lost...)
	own := map[digest.Digest]bool{}
	for _, d := range append(j.all(), digest.Empty) {
		own[d] = true
	}
	for _, d := range lost {
		if own[d] {
			continue
		}
		for _, root := range j.grafts {
			if err := c.sendTree(ctx, root); err != nil {
				return err
			}
		}
		break
	}
	return nil
}
