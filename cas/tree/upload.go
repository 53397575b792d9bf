package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

const (
	// wholeFile is the size in bytes up to which files travel in batches.
	wholeFile = 256 << 10
	// batchBytes and batchFiles bound a batch.
	batchBytes = 4 << 20
	batchFiles = 1000
)

// UploadDir stores files, which Scan has found in dir, with their contents,
// and returns the digest of the root Directory, which is stored last. What s
// has is not read. told, unless nil, is called again and again with how many
// contents of how many have been stored. A file that has changed since the scan
// is cas.ErrMismatch.
func UploadDir(ctx context.Context, s cas.Store, dir string, files Files, told func(done, total int)) (digest.Digest, error) {
	root, err := uploadDir(ctx, s, dir, files, told)
	if err != nil {
		return digest.Digest{}, fmt.Errorf("upload %s: %w", dir, err)
	}
	return root, nil
}

func uploadDir(ctx context.Context, s cas.Store, dir string, files Files, told func(done, total int)) (digest.Digest, error) {
	paths := map[digest.Digest]string{}
	ask := make([]digest.Digest, 0, len(files))
	for path, e := range files {
		if _, known := paths[e.Digest]; e.Kind == File && !known {
			paths[e.Digest] = path
			ask = append(ask, e.Digest)
		}
	}
	missing, err := s.Missing(ctx, ask)
	if err != nil {
		return digest.Digest{}, err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	u := uploader{ctx: gctx, store: s, dir: dir, paths: paths, total: len(missing), told: told}
	for _, part := range split(missing) {
		group.Go(func() error { return u.upload(part) })
	}
	if err := group.Wait(); err != nil {
		return digest.Digest{}, err
	}
	return Upload(ctx, s, files)
}

// split divides blobs into batches; a large one is a batch of its own.
func split(ds []digest.Digest) [][]digest.Digest {
	var parts [][]digest.Digest
	var part []digest.Digest
	size := int64(0)
	for _, d := range ds {
		if d.Size > wholeFile {
			parts = append(parts, []digest.Digest{d})
			continue
		}
		part = append(part, d)
		size += d.Size
		if size >= batchBytes || len(part) == batchFiles {
			parts = append(parts, part)
			part, size = nil, 0
		}
	}
	if len(part) > 0 {
		parts = append(parts, part)
	}
	return parts
}

type uploader struct {
	ctx   context.Context
	store cas.Store
	dir   string
	paths map[digest.Digest]string

	mu          sync.Mutex
	done, total int
	told        func(done, total int)
}

// tell counts n contents more, one caller at a time.
func (u *uploader) tell(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done += n
	if u.told != nil {
		u.told(u.done, u.total)
	}
}

// upload stores one batch.
func (u *uploader) upload(part []digest.Digest) error {
	send := u.batch
	if len(part) == 1 {
		send = u.stream
	}
	if err := send(part); err != nil {
		return err
	}
	u.tell(len(part))
	return nil
}

func (u *uploader) batch(part []digest.Digest) error {
	blobs := make([]cas.Blob, len(part))
	for i, d := range part {
		b, err := os.ReadFile(u.path(d))
		if err != nil {
			return err
		}
		blobs[i] = cas.Blob{Digest: d, Data: b}
	}
	for i, err := range cas.PutBatch(u.ctx, u.store, blobs) {
		if err != nil {
			return u.explain(part[i], err)
		}
	}
	return nil
}

func (u *uploader) stream(part []digest.Digest) error {
	d := part[0]
	f, err := os.Open(u.path(d))
	if err != nil {
		return err
	}
	return errors.Join(u.explain(d, u.store.Put(u.ctx, d, f)), f.Close())
}

func (u *uploader) explain(d digest.Digest, err error) error {
	if errors.Is(err, cas.ErrMismatch) {
		return fmt.Errorf("%s has changed since it was scanned: %w", u.paths[d], err)
	}
	return err
}

func (u *uploader) path(d digest.Digest) string { return filepath.Join(u.dir, u.paths[d]) }
