package graph

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// content is the files of the kernel tree and what we made up beside them.
type content struct {
	dir string

	mu    sync.Mutex
	files map[digest.Digest]string // path in dir
	blobs map[digest.Digest][]byte
}

func newContent(dir string) *content {
	return &content{dir: dir, files: map[digest.Digest]string{}, blobs: map[digest.Digest][]byte{}}
}

func (c *content) addFiles(files tree.Files) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, e := range files {
		c.files[e.Digest] = p
	}
}

// add makes b part of the content and returns an entry for it.
func (c *content) add(b []byte) tree.Entry {
	d := digest.Of(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blobs[d] = b
	return tree.Entry{Kind: tree.File, Digest: d}
}

// Open implements kbuild.Content.
func (c *content) Open(d digest.Digest) (io.ReadCloser, error) {
	c.mu.Lock()
	b, made := c.blobs[d]
	p, ok := c.files[d]
	c.mu.Unlock()
	switch {
	case made:
		return io.NopCloser(bytes.NewReader(b)), nil
	case ok:
		return os.Open(filepath.Join(c.dir, p))
	}
	return nil, fmt.Errorf("open %v: not of the kernel tree: %w", d, fs.ErrNotExist)
}
