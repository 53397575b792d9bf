package inputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// ErrBadRoot says that a tree cannot be the root of an action.
var ErrBadRoot = errors.New("tree cannot be a root")

// Root pins tree d as a root, with the mount points in it that it lacks. It has
// one layer. A zero d is a root with nothing else in it. Errors: *MissingError,
// ErrBadRoot.
func (c *Cache) Root(ctx context.Context, d digest.Digest, mountPoints []string) (*Pin, error) {
	name := "roots/empty"
	if !d.IsZero() {
		name = filepath.Join("roots", treeName(d))
	}
	return c.pin(ctx, name, func(ctx context.Context) error { return c.makeRoot(ctx, d, name, mountPoints) })
}

func treeName(d digest.Digest) string { return fmt.Sprintf("%s.%d", d.Hash, d.Size) }

func (c *Cache) makeRoot(ctx context.Context, d digest.Digest, name string, mountPoints []string) error {
	n := &node{msg: &repb.Directory{}}
	if !d.IsZero() {
		var err error
		if n, err = c.dirs.load(ctx, d); err != nil {
			return err
		}
	}
	b := &builder{seen: make(map[digest.Digest]bool), give: func(string) error { return nil },
		place: func(ctx context.Context, f *repb.FileNode, name string) error {
			return fetch(ctx, c.store, of(f.Digest), f.IsExecutable, name)
		}}
	return c.finish(name, func(temp string) error {
		if err := b.build(ctx, n, temp); err != nil {
			return err
		}
		if err := makeMountPoints(temp, mountPoints); err != nil {
			return fmt.Errorf("root %v: %w", d, err)
		}
		return c.sync()
	})
}

func makeMountPoints(root string, names []string) error {
	for _, m := range names {
		at := filepath.Join(root, m)
		err := os.Mkdir(at, 0o755)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if st, err := os.Lstat(at); err != nil || !st.IsDir() {
			return errors.Join(fmt.Errorf("%w: its %q is no directory", ErrBadRoot, m), err)
		}
	}
	return nil
}

// finish has a tree made aside and renames it to its place. What could not be
// made is removed.
func (c *Cache) finish(name string, make func(temp string) error) error {
	temp := c.path(c.temp())
	if err := make(temp); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return os.Rename(temp, c.path(name))
}

// sync has everything in the cache's file system written to the disk, which
// costs less than doing so file by file.
func (c *Cache) sync() error {
	if err := unix.Syncfs(int(c.lock.Fd())); err != nil {
		return fmt.Errorf("sync input cache: %w", err)
	}
	return nil
}

// Tree is an input tree whose directories are known.
type Tree struct{ *node }

// Split loads tree d less its folder name, and returns that folder's digest
// besides. An empty name splits nothing off. Errors: *MissingError, ErrBadRoot
// if there is no such folder.
func (c *Cache) Split(ctx context.Context, d digest.Digest, name string) (Tree, digest.Digest, error) {
	if name == "" {
		n, err := c.dirs.load(ctx, d)
		return Tree{n}, digest.Digest{}, err
	}
	top, err := readDirectory(ctx, c.store, d)
	if errors.Is(err, cas.ErrNotFound) {
		err = &MissingError{Digests: []digest.Digest{d}}
	}
	if err != nil {
		return Tree{}, digest.Digest{}, fmt.Errorf("split input tree %v: %w", d, err)
	}
	i := slices.IndexFunc(top.Directories, func(n *repb.DirectoryNode) bool { return n.Name == name })
	if i < 0 {
		return Tree{}, digest.Digest{}, fmt.Errorf("split input tree %v: %w: it has no folder %q", d, ErrBadRoot, name)
	}
	off := of(top.Directories[i].Digest)
	top.Directories = slices.Delete(top.Directories, i, i+1)
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(top)
	if err != nil {
		return Tree{}, digest.Digest{}, fmt.Errorf("split input tree %v: %w", d, err)
	}
	n, err := c.dirs.loadRest(ctx, digest.Of(body), top)
	return Tree{n}, off, err
}

// Inputs pins an input tree. Error: *MissingError.
func (c *Cache) Inputs(ctx context.Context, t Tree) (*Pin, error) {
	name := filepath.Join(c.boot, "trees", treeName(t.digest))
	return c.pin(ctx, name, func(ctx context.Context) error { return c.makeTree(ctx, t.node, name) })
}

func (c *Cache) makeTree(ctx context.Context, n *node, name string) error {
	b := &builder{seen: make(map[digest.Digest]bool), give: c.give, place: c.link}
	return c.finish(name, func(temp string) error { return b.build(ctx, n, temp) })
}
