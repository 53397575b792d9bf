package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// Stat is what a store holds and takes.
type Stat struct {
	Usage
	Packs  int
	Disk   int64     // bytes of all files in the store's folder
	Free   int64     // bytes that the disk has left
	Oldest time.Time // the least recent use; zero if the store is empty
}

// Stat looks through the whole index.
func (s *Store) Stat(ctx context.Context) (Stat, error) {
	st, err := s.stat(ctx)
	if err != nil {
		return st, fmt.Errorf("stat of store %s: %w", s.dir, err)
	}
	return st, nil
}

func (s *Store) stat(ctx context.Context) (Stat, error) {
	st := Stat{Packs: len(s.packs.snapshot().tails)}
	oldest := s.index.now()
	err := s.each(ctx, func(k key, l loc) {
		st.add(k, l)
		oldest = min(oldest, l.used)
	})
	if err != nil {
		return st, err
	}
	if st.Blobs+st.Results > 0 {
		st.Oldest = time.Unix(int64(oldest), 0)
	}
	if st.Free, err = s.space.free(); err != nil {
		return st, err
	}
	st.Disk, err = diskUsage(s.dir)
	return st, err
}

// Content returns the bytes that content takes on disk, dead stretches that are
// not yet collected included. It is cheap.
func (s *Store) Content() (int64, error) { return s.packs.blocks() }

// Free returns the bytes that the disk has left.
func (s *Store) Free() (int64, error) { return s.space.free() }

func (s *Store) usage(ctx context.Context) (Usage, error) {
	var u Usage
	err := s.each(ctx, u.add)
	return u, err
}

// each calls visit for every entry: results, then blobs.
func (s *Store) each(ctx context.Context, visit func(key, loc)) error {
	for _, kind := range []byte{results, blobs} {
		err := s.index.scan(kind, func(k key, l loc) error {
			visit(k, l)
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// diskUsage returns the bytes that the files below dir take, as far as they stay.
func diskUsage(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return gone(err)
		}
		n, err := fileUsage(path)
		total += n
		return gone(err)
	})
	return total, err
}

// gone is err, unless a file is no more: files go while they are counted.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
