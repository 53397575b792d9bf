package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	sdkdigest "github.com/bazelbuild/remote-apis-sdks/go/pkg/digest"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Blob returns blob d, which must not be larger than limit bytes.
func (c *Client) Blob(ctx context.Context, d digest.Digest, limit int64) ([]byte, error) {
	return cas.ReadBlob(ctx, c.store, d, limit)
}

// Blobs returns many small blobs at the price of a few calls. None of them may
// be larger than limit bytes.
func (c *Client) Blobs(ctx context.Context, ds []digest.Digest, limit int64) (map[digest.Digest][]byte, error) {
	asked := make([]sdkdigest.Digest, 0, len(ds))
	for _, d := range ds {
		if d.Size > limit {
			return nil, fmt.Errorf("read %v: larger than the limit of %d bytes", d, limit)
		}
		asked = append(asked, sdkdigest.Digest{Hash: d.Hash, Size: d.Size})
	}
	return c.batches(ctx, asked)
}

// batches reads ds, as many at a time as the farm allows.
func (c *Client) batches(ctx context.Context, ds []sdkdigest.Digest) (map[digest.Digest][]byte, error) {
	blobs := make(map[digest.Digest][]byte, len(ds))
	for len(ds) > 0 {
		n, size := 0, int64(0)
		for n < len(ds) && n < int(c.sdk.MaxBatchDigests) && (n == 0 || size+ds[n].Size <= int64(c.sdk.MaxBatchSize)) {
			size += ds[n].Size
			n++
		}
		if err := c.batch(ctx, ds[:n], blobs); err != nil {
			return nil, err
		}
		ds = ds[n:]
	}
	return blobs, nil
}

func (c *Client) batch(ctx context.Context, ds []sdkdigest.Digest, blobs map[digest.Digest][]byte) error {
	if len(ds) == 1 {
		d := digest.Digest{Hash: ds[0].Hash, Size: ds[0].Size}
		b, err := c.Blob(ctx, d, d.Size)
		blobs[d] = b
		return err
	}
	got, err := c.sdk.BatchDownloadBlobs(ctx, ds)
	if err != nil {
		return fmt.Errorf("read %d blobs: %w", len(ds), err)
	}
	for sd, b := range got {
		d := digest.Digest{Hash: sd.Hash, Size: sd.Size}
		if digest.Of(b) != d {
			return fmt.Errorf("read %v: farm sent other bytes: %w", d, cas.ErrCorrupt)
		}
		blobs[d] = b
	}
	return nil
}

// head returns the first limit bytes of d.
func (c *Client) head(ctx context.Context, d digest.Digest, limit int64) ([]byte, error) {
	r, err := c.store.Get(ctx, d, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit))
}

// Save writes blob d to a file, which appears with its whole content or not at all.
func (c *Client) Save(ctx context.Context, d digest.Digest, path string) (err error) {
	r, err := c.store.Get(ctx, d, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.CreateTemp(filepath.Dir(path), ".save-*")
	if err != nil {
		return fmt.Errorf("save %v: %w", d, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("save %v: %w", d, err), os.Remove(f.Name()))
		}
	}()
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
