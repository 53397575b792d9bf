package inputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// ErrBadRoot says that a tree cannot be the root of an action.
var ErrBadRoot = errors.New("tree cannot be a root")

// ErrBadTree says that a tree is over a limit.
var ErrBadTree = errors.New("input tree cannot be made")

// Root pins tree d as a root, with the mount points in it that it lacks. It has
// one layer. A zero d is a root with nothing else in it. Errors: *MissingError,
// ErrBadRoot.
func (c *Cache) Root(ctx context.Context, d digest.Digest, mountPoints []string) (*Pin, error) {
	key := filepath.Join("roots", keyName(d))
	return c.pin(ctx, key, func(ctx context.Context) (made, error) { return c.makeRoot(ctx, d, key, mountPoints) })
}

func (c *Cache) makeRoot(ctx context.Context, d digest.Digest, key string, mountPoints []string) (made, error) {
	n := &node{msg: &repb.Directory{}}
	if !d.IsZero() {
		var err error
		if n, err = newGraph(c.store).load(ctx, d); err != nil { // not needed again
			return made{}, err
		}
	}
	b := &builder{give: func(string) error { return nil },
		by: d.Function, place: func(ctx context.Context, d digest.Digest, exec bool, name string) error {
			return fetch(ctx, c.store, d, exec, name)
		}}
	return c.finish(key, b, func(temp string) error {
		if err := b.build(ctx, n, temp); err != nil {
			return err
		}
		if err := makeMountPoints(temp, mountPoints); err != nil {
			return fmt.Errorf("root %v: %w", d, err)
		}
		return c.sync()
	})
}

// keyName is a digest as a file name.
func keyName(d digest.Digest) string { return fmt.Sprintf("%s.%d", hashName(d), d.Size) }

// hashName is a digest's hash in a file name, with what function it is of.
func hashName(d digest.Digest) string {
	if d.Function == digest.SHA256 {
		return d.Hash
	}
	return d.Function.String() + "-" + d.Hash
}

// treeName adds a tree's size to its key.
func treeName(key string, s size) string { return fmt.Sprintf("%s.%d.%d", key, s.bytes, s.entries) }

func parseTreeName(name string) (key string, s size, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 4 {
		return "", size{}, false
	}
	var err1, err2 error
	s.bytes, err1 = strconv.ParseInt(parts[2], 10, 64)
	s.entries, err2 = strconv.ParseInt(parts[3], 10, 64)
	return parts[0] + "." + parts[1], s, err1 == nil && err2 == nil
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

// finish has b make a tree aside and renames it to its place. What could not be
// made is removed.
func (c *Cache) finish(key string, b *builder, make func(temp string) error) (made, error) {
	temp := c.temp()
	if err := make(c.path(temp)); err != nil {
		return made{}, errors.Join(err, os.RemoveAll(c.path(temp)))
	}
	name := treeName(key, b.made)
	if err := os.Rename(c.path(temp), c.path(name)); err != nil {
		return made{}, err
	}
	return made{layers: []string{name}, size: b.made}, nil
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
	off := of(d.Function, top.Directories[i].Digest)
	top.Directories = slices.Delete(top.Directories, i, i+1)
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(top)
	if err != nil {
		return Tree{}, digest.Digest{}, fmt.Errorf("split input tree %v: %w", d, err)
	}
	n, err := c.dirs.loadRest(ctx, d.Function.Of(body), top)
	return Tree{n}, off, err
}

// Inputs pins an input tree. Error: *MissingError.
func (c *Cache) Inputs(ctx context.Context, t Tree) (*Pin, error) {
	key := filepath.Join(c.boot, "trees", keyName(t.digest))
	var under *base
	cost := 0
	p, err := c.pin(ctx, key, func(ctx context.Context) (m made, err error) {
		if !c.cfg.Whole && t.entries >= minEntries {
			if m, under, cost, err = c.makeDifference(ctx, t.node); under != nil || err != nil {
				return m, err
			}
		}
		b := c.linker(t.digest.Function)
		return c.finish(key, b, func(temp string) error { return b.build(ctx, t.node, temp) })
	})
	if err == nil && t.entries >= minEntries {
		c.offerBase(key, t.node, under, cost)
	}
	return p, err
}

// linker makes trees of hard links.
func (c *Cache) linker(by digest.Function) *builder {
	return &builder{by: by, give: c.give, place: c.link, pooled: true}
}
