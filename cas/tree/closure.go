package tree

import (
	"context"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// Closure returns the digests of all that tree root consists of, each once:
// Directory messages, the root first, and files. Every directory is read once,
// however often it stands in the tree; Limits.Entries counts it once, too.
func Closure(ctx context.Context, s cas.Store, root digest.Digest, limits Limits) ([]digest.Digest, error) {
	c := closure{ctx: ctx, store: s, limits: limits.orDefaults(), seen: map[digest.Digest]bool{}}
	if err := c.dir(root, 0); err != nil {
		return nil, fmt.Errorf("closure of %v: %w", root, err)
	}
	return c.all, nil
}

type closure struct {
	ctx     context.Context
	store   cas.Store
	limits  Limits
	entries int
	seen    map[digest.Digest]bool // directories
	all     []digest.Digest
}

func (c *closure) dir(d digest.Digest, depth int) error {
	if c.seen[d] {
		return nil
	}
	if depth > c.limits.Depth {
		return fmt.Errorf("deeper than the limit of %d directories", c.limits.Depth)
	}
	c.seen[d] = true
	msg, err := Read(c.ctx, c.store, d)
	if err != nil {
		return err
	}
	c.entries += len(msg.Files) + len(msg.Directories) + len(msg.Symlinks)
	if c.entries > c.limits.Entries {
		return fmt.Errorf("more than the limit of %d entries", c.limits.Entries)
	}
	c.all = append(c.all, d)
	for _, f := range msg.Files {
		c.all = append(c.all, of(d.Function, f.Digest))
	}
	for _, sub := range msg.Directories {
		if err := c.dir(of(d.Function, sub.Digest), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// ReadTree gets the Tree message d, which names an output directory, from s.
// Every directory in it is valid. Errors: those of the store, ErrMalformed.
func ReadTree(ctx context.Context, s cas.Store, d digest.Digest) (*repb.Tree, error) {
	b, err := cas.ReadBlob(ctx, s, d, maxMessage)
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	msg, err := DecodeTree(b)
	if err != nil {
		return nil, fmt.Errorf("read tree %v: %w", d, err)
	}
	return msg, nil
}
