package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
)

// Badger writes through memory maps, and a page of a map that finds no room on
// disk kills the process. So the store stops taking content while there still
// is room for all that badger may want to do, and keeps a file of its own, the
// ballast, to be dropped when deletions and the last flush find the disk
// filled by others.
const (
	ballastBytes = 48 << 20
	openBytes    = 40 << 20 // that badger may need to open
)

type space struct {
	dir     string
	reserve int64 // bytes that must stay free
	log     *slog.Logger
}

// free returns the bytes that are left to us.
func (s *space) free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return 0, fmt.Errorf("look for space in %s: %w", s.dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// check says whether n bytes more may be written. Errors: cas.ErrFull.
func (s *space) check(n int64) error {
	free, err := s.free()
	if err == nil && free-s.reserve < n {
		err = fmt.Errorf("%w: %d bytes free in %s, %d of them reserved", cas.ErrFull, free, s.dir, s.reserve)
	}
	return err
}

// checkOpen makes room for badger to open in, or says that there is none.
// Errors: cas.ErrFull.
func (s *space) checkOpen() error {
	s.dropBallast()
	free, err := s.free()
	if err == nil && free < openBytes {
		err = fmt.Errorf("%w: %d bytes free in %s, opening may take %d", cas.ErrFull, free, s.dir, openBytes)
	}
	return err
}

func (s *space) ballast() string { return filepath.Join(s.dir, "ballast") }

// takeBallast sets the ballast aside if there is room for it.
func (s *space) takeBallast() error {
	if st, err := os.Stat(s.ballast()); err == nil && st.Size() == ballastBytes {
		return nil
	}
	if s.check(ballastBytes) != nil {
		return nil // better no ballast than no store
	}
	f, err := os.Create(s.ballast())
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, ballastBytes)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = nil // an empty file then: this is a second net, not the first
	}
	return errors.Join(err, f.Close())
}

// dropBallast makes room for badger if there is little.
func (s *space) dropBallast() {
	if s.check(0) == nil {
		return
	}
	if err := os.Remove(s.ballast()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("make room", "err", err)
	}
}

// fileUsage returns the bytes that a file takes on disk, 0 if it is gone.
func fileUsage(path string) (int64, error) {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if errors.Is(err, unix.ENOENT) {
		return 0, nil
	}
	return st.Blocks * 512, err
}
