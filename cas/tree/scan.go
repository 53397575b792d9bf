package tree

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// ScanOptions say what of a folder on disk becomes part of a tree. The zero
// value takes everything and refuses special files.
type ScanOptions struct {
	// Skip leaves out the entry at a relative path, with all below it.
	Skip func(path string, isDir bool) bool
	// SkipSpecial leaves out devices, pipes and sockets, which otherwise are an error.
	SkipSpecial bool
	// Cache remembers the digests of files that have not changed; nil reads every file.
	Cache *StatCache
}

// Scan digests what is below dir, in parallel, and follows no symlinks. Empty
// directories become entries, others are implied. Errors name the path.
func Scan(ctx context.Context, dir string, opt ScanOptions) (Files, error) {
	files, err := scan(ctx, dir, opt)
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", dir, err)
	}
	return files, nil
}

func scan(ctx context.Context, dir string, opt ScanOptions) (Files, error) {
	l := &lister{root: dir, opt: opt, files: Files{}}
	l.group, l.ctx = errgroup.WithContext(ctx)
	l.group.SetLimit(2 * runtime.GOMAXPROCS(0))
	l.group.Go(func() error { return l.list("") })
	if err := l.group.Wait(); err != nil {
		return nil, err
	}
	digests, err := digestAll(ctx, dir, l.regular, opt.Cache)
	if err != nil {
		return nil, err
	}
	for i, f := range l.regular {
		l.files[f.path] = Entry{Kind: File, Digest: digests[i], Exec: f.stat.exec}
	}
	return l.files, nil
}

// regular is a file to digest.
type regular struct {
	path string // relative to the scan's root
	stat stat
}

// lister finds what is below root.
type lister struct {
	root  string
	opt   ScanOptions
	ctx   context.Context
	group *errgroup.Group

	mu      sync.Mutex
	files   Files // symlinks and empty directories
	regular []regular
}

// list adds the directory at path, and what is below it, to l.
func (l *lister) list(path string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Join(l.root, path))
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.ReadDir(-1)
	if err != nil {
		return err
	}
	found := listing{lister: l, fd: int(dir.Fd()), path: path}
	for _, e := range names {
		if err := found.add(e.Name(), e.Type()); err != nil {
			return err
		}
	}
	l.merge(&found)
	for _, sub := range found.dirs {
		// A slot is taken if one is free; waiting for one could wait for ever.
		if l.group.TryGo(func() error { return l.list(sub) }) {
			continue
		}
		if err := l.list(sub); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) merge(found *listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.regular = append(l.regular, found.regular...)
	for _, s := range found.links {
		l.files[s.path] = Entry{Kind: Symlink, Target: s.target}
	}
	if found.path != "" && len(found.regular)+len(found.links)+len(found.dirs) == 0 {
		l.files[found.path] = Entry{Kind: Dir, Digest: digest.Empty}
	}
}

// listing is what one directory holds.
type listing struct {
	*lister
	fd      int
	path    string
	regular []regular
	links   []symlink
	dirs    []string
}

type symlink struct{ path, target string }

func (l *listing) add(name string, kind fs.FileMode) error {
	path := join(l.path, name)
	if l.opt.Skip != nil && l.opt.Skip(path, kind.IsDir()) {
		return nil
	}
	if err := checkName(name); err != nil {
		return fmt.Errorf("path %q: %w", path, err)
	}
	switch {
	case kind.IsDir():
		l.dirs = append(l.dirs, path)
	case kind.IsRegular():
		st, err := statAt(l.fd, name)
		if err != nil {
			return &fs.PathError{Op: "stat", Path: path, Err: err}
		}
		l.regular = append(l.regular, regular{path: path, stat: st})
	case kind&fs.ModeSymlink != 0:
		target, err := os.Readlink(filepath.Join(l.root, path))
		if err != nil {
			return err
		}
		if err := checkTarget(target); err != nil {
			return fmt.Errorf("path %q: %w", path, err)
		}
		l.links = append(l.links, symlink{path: path, target: target})
	case !l.opt.SkipSpecial:
		return fmt.Errorf("path %q: neither file, directory nor symlink but %v", path, kind)
	}
	return nil
}

// digestAll returns the digests of files below dir, in their order.
func digestAll(ctx context.Context, dir string, files []regular, cache *StatCache) ([]digest.Digest, error) {
	digests := make([]digest.Digest, len(files))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range 2 * runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(files)); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				d, err := cache.digest(filepath.Join(dir, files[i].path), files[i].stat)
				if err != nil {
					return err
				}
				digests[i] = d
			}
			return nil
		})
	}
	return digests, group.Wait()
}

// stat is what tells that a file has not changed.
type stat struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
	exec         bool
	regular      bool
}

func statAt(dir int, name string) (stat, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return newStat(&st), err
}

func statOf(f *os.File) (stat, error) {
	var st unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &st)
	return newStat(&st), err
}

func newStat(st *unix.Stat_t) stat {
	return stat{
		dev: st.Dev, ino: st.Ino, size: st.Size,
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
		exec:    st.Mode&0o111 != 0,
		regular: st.Mode&unix.S_IFMT == unix.S_IFREG,
	}
}
