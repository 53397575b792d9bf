package farm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// targets adds the targets of the job's links to its blobs, as Config.LinkTargets
// wants them.
func (j *job) targets() {
	for _, e := range j.inputs {
		if e.Kind == tree.Symlink {
			b := []byte(e.Target)
			j.blobs[digest.Of(b)] = b
		}
	}
}

// sendTargets does the same for a tree that a job names by its root alone.
func (c *Client) sendTargets(ctx context.Context, root digest.Digest) error {
	blobs := map[digest.Digest][]byte{}
	err := tree.Walk(ctx, c.cfg.Local, root, tree.Limits{}, func(_ string, dir *repb.Directory) error {
		for _, l := range dir.Symlinks {
			b := []byte(l.Target)
			blobs[digest.Of(b)] = b
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list links of %v: %w", root, err)
	}
	return c.ensure(ctx, slices.Collect(maps.Keys(blobs)), func(d digest.Digest) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(blobs[d])), nil
	})
}
