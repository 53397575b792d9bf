package rev2

import (
	"context"
	"sync"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// completeness finds what an action's input root lacks. A toolchain has tens
// of thousands of files and stands in every input root, so subtrees that were
// found complete are not looked at again for a while.
type completeness struct {
	store cas.Store
	fresh time.Duration

	mu    sync.Mutex
	known map[digest.Digest]time.Time // of complete directories: until when
}

// maxKnown bounds the directories that are remembered.
const maxKnown = 1 << 20

func newCompleteness(store cas.Store, fresh time.Duration) *completeness {
	return &completeness{store: store, fresh: fresh, known: map[digest.Digest]time.Time{}}
}

// missing returns what the store lacks of the tree below root, and marks the
// rest as used.
func (c *completeness) missing(ctx context.Context, root digest.Digest) ([]digest.Digest, error) {
	var dirs, blobs []digest.Digest
	lost, err := walk(ctx, c.store, root, c.isKnown, func(d digest.Digest, dir *repb.Directory) error {
		dirs = append(dirs, d)
		for _, f := range dir.Files {
			fd, err := digestOf(d.Function, f.Digest)
			if err != nil {
				return err
			}
			blobs = append(blobs, fd)
		}
		return nil
	})
	if err != nil || len(dirs)+len(lost) == 0 {
		return nil, err
	}
	absent, err := c.store.Missing(ctx, append(blobs, dirs...))
	if err != nil {
		return nil, err
	}
	if absent = append(lost, absent...); len(absent) == 0 {
		c.remember(dirs)
	}
	return absent, nil
}

func (c *completeness) isKnown(d digest.Digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.known[d])
}

func (c *completeness) remember(dirs []digest.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known)+len(dirs) > maxKnown {
		clear(c.known)
	}
	until := time.Now().Add(c.fresh)
	for _, d := range dirs {
		c.known[d] = until
	}
}

// forget drops all that is remembered, after a worker missed an input.
func (c *completeness) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.known)
}
