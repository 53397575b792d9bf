package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// Settle does to dir, which looks as the one layer of the command's Spec did,
// what the command did to its input root. It is for farms that look for outputs
// in the folder where they put the inputs. Files are never written in place:
// they may be shared by hard links. It is an error if more than limit bytes
// would be written.
func (r *Result) Settle(dir string, limit int64) error {
	if r.changes == nil {
		return errors.New("settle changes: none were asked for")
	}
	to, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("settle changes: %w", err)
	}
	defer func() { _ = to.Close() }()
	if err := (&settler{from: r.changes, to: to, room: limit}).dir("."); err != nil {
		return fmt.Errorf("settle changes: %w", err)
	}
	return nil
}

// settler reads a layer as overlayfs writes it: a device 0/0 stands for what is
// gone, and a folder may be marked as having nothing to do with the one below.
type settler struct {
	from, to *os.Root
	room     int64 // bytes that may be written
}

// ErrTooMuch says that a command left more bytes than it may.
var ErrTooMuch = errors.New("all changes together are over the limit of bytes")

func (s *settler) dir(at string) error {
	d, err := s.from.Open(at)
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if err := s.entry(path.Join(at, e.Name()), info); err != nil {
			return err
		}
	}
	return nil
}

func (s *settler) entry(at string, info fs.FileInfo) error {
	if info.IsDir() {
		return s.folder(at, info)
	}
	if err := s.to.RemoveAll(at); err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := s.from.Readlink(at)
		if err != nil {
			return err
		}
		return s.to.Symlink(target, at)
	case info.Mode().IsRegular():
		return s.file(at, info)
	case gone(info):
		return nil
	default: // for the farm to refuse as an output, if it is one
		return s.node(at, info)
	}
}

func (s *settler) folder(at string, info fs.FileInfo) error {
	was, err := s.to.Lstat(at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	opaque, xerr := s.opaque(at)
	if xerr != nil {
		return xerr
	}
	if was != nil && (opaque || !was.IsDir()) {
		if err := s.to.RemoveAll(at); err != nil {
			return err
		}
		was = nil
	}
	if was == nil {
		if err := s.to.Mkdir(at, info.Mode().Perm()|0o700); err != nil {
			return err
		}
	}
	return s.dir(at)
}

// opaque reports whether a folder hides all that was there before.
func (s *settler) opaque(at string) (bool, error) {
	f, err := s.from.Open(at)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	for _, name := range []string{"trusted.overlay.opaque", "user.overlay.opaque"} {
		value := make([]byte, 1)
		n, err := unix.Fgetxattr(int(f.Fd()), name, value)
		switch {
		case err == nil && n == 1 && value[0] == 'y':
			return true, nil
		case err != nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ERANGE):
			return false, fmt.Errorf("read %s of %s: %w", name, at, err)
		}
	}
	return false, nil
}

func (s *settler) file(at string, info fs.FileInfo) error {
	if s.room -= info.Size(); s.room < 0 { // it may have no byte on disk and claim to have terabytes
		return fmt.Errorf("%s: %w", at, ErrTooMuch)
	}
	in, err := s.from.Open(at)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := s.to.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close())
}

// gone reports whether an entry stands for one that was removed.
func gone(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}

// node makes a pipe or a socket, which is all that a command can leave beside
// files, folders and links.
func (s *settler) node(at string, info fs.FileInfo) error {
	parent, err := s.to.Open(path.Dir(at))
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }()
	kind := uint32(unix.S_IFIFO)
	if info.Mode()&fs.ModeSocket != 0 {
		kind = unix.S_IFSOCK
	}
	return unix.Mknodat(int(parent.Fd()), path.Base(at), kind|uint32(info.Mode().Perm()), 0)
}
