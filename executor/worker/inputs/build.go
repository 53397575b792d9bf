package inputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// epoch is the time stamp of all inputs: make sees nothing as newer.
var epoch = time.Unix(946684800, 0) // the year 2000

// builder lays out one tree. Files are placed several at a time.
type builder struct {
	by     digest.Function // of all of it
	place  func(ctx context.Context, d digest.Digest, exec bool, name string) error
	give   func(name string) error
	pooled bool // place links files that the pool accounts for
	eg     *errgroup.Group
	stamps []string // folders, parents first
	made   size

	mu      sync.Mutex
	missing []digest.Digest
	seen    map[digest.Digest]bool
}

// build makes n as the folder dir, which does not exist. Error: *MissingError
// with all files that are missing.
func (b *builder) build(ctx context.Context, n *node, dir string) error {
	return b.all(ctx, func(ctx context.Context) error { return b.folder(ctx, n, dir) })
}

// buildDifference makes what is to be laid over another tree.
func (b *builder) buildDifference(ctx context.Context, d *difference, dir string) error {
	return b.all(ctx, func(ctx context.Context) error { return b.difference(ctx, d, dir) })
}

func (b *builder) all(ctx context.Context, lay func(context.Context) error) error {
	b.seen = make(map[digest.Digest]bool)
	b.eg, ctx = errgroup.WithContext(ctx)
	b.eg.SetLimit(fetchers)
	err := lay(ctx)
	if cause := b.eg.Wait(); cause != nil {
		err = cause // which lay only knows as the end of ctx
	}
	if err != nil {
		return err
	}
	if len(b.missing) > 0 {
		return &MissingError{Digests: b.missing}
	}
	for i := len(b.stamps) - 1; i >= 0; i-- {
		if err := os.Chtimes(b.stamps[i], epoch, epoch); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	b.made.entries++
	b.stamps = append(b.stamps, dir)
	return b.give(dir)
}

func (b *builder) folder(ctx context.Context, n *node, dir string) error {
	if err := b.mkdir(dir); err != nil {
		return err
	}
	for i, sub := range n.msg.Directories {
		if err := b.folder(ctx, n.subs[i], filepath.Join(dir, sub.Name)); err != nil {
			return err
		}
	}
	return b.leaves(ctx, n.msg.Files, n.msg.Symlinks, dir)
}

func (b *builder) difference(ctx context.Context, d *difference, dir string) error {
	if err := b.mkdir(dir); err != nil {
		return err
	}
	for i, name := range d.news {
		if err := b.folder(ctx, d.folders[i], filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for i, name := range d.names {
		if err := b.difference(ctx, d.changed[i], filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range d.gone {
		if err := b.hide(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return b.leaves(ctx, d.files, d.symlinks, dir)
}

// hide makes the device that an overlay takes for "nothing here".
func (b *builder) hide(name string) error {
	b.made.entries++
	return syscall.Mknod(name, syscall.S_IFCHR, 0)
}

func (b *builder) leaves(ctx context.Context, files []*repb.FileNode, links []*repb.SymlinkNode, dir string) error {
	for _, l := range links {
		if err := b.symlink(l.Target, filepath.Join(dir, l.Name)); err != nil {
			return err
		}
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.made.entries++
		if !b.pooled {
			b.made.bytes += f.Digest.SizeBytes
		}
		b.eg.Go(func() error { return b.file(ctx, f, filepath.Join(dir, f.Name)) })
	}
	return nil
}

func (b *builder) symlink(target, name string) error {
	if err := os.Symlink(target, name); err != nil {
		return err
	}
	b.made.entries++
	return b.give(name)
}

func (b *builder) file(ctx context.Context, f *repb.FileNode, name string) error {
	d := of(b.by, f.Digest)
	err := b.place(ctx, d, f.IsExecutable, name)
	if !errors.Is(err, cas.ErrNotFound) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen[d] {
		b.seen[d] = true
		b.missing = append(b.missing, d)
	}
	return nil
}

// fetch writes blob d to the new file name and checks it on the way.
func fetch(ctx context.Context, store cas.Store, d digest.Digest, exec bool, name string) error {
	r, err := store.Get(ctx, d, 0)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	mode := os.FileMode(0o644)
	if exec {
		mode = 0o755
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	hash := d.Function.New()
	n, err := io.Copy(io.MultiWriter(f, hash), r)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("fetch %v: %w", d, err)
	}
	if got := d.Function.OfHash(hash, n); got != d {
		return fmt.Errorf("fetch %v: %w: it is %v", d, cas.ErrMismatch, got)
	}
	return os.Chtimes(name, epoch, epoch)
}
