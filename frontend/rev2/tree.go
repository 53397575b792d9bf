package rev2

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// Pages of GetTree end at the first of these.
const (
	pageDirs  = 1000
	pageBytes = 1 << 20
)

// GetTree streams the directories below a root, each once, breadth first. What
// the store lacks is left out, except for the root. A page token is the number
// of directories that came before the page.
func (s *Server) GetTree(req *repb.GetTreeRequest, stream repb.ContentAddressableStorage_GetTreeServer) error {
	return s.fail(s.getTree(req, stream))
}

func (s *Server) getTree(req *repb.GetTreeRequest, stream repb.ContentAddressableStorage_GetTreeServer) error {
	root, err := named(req.RootDigest, req.DigestFunction)
	if err != nil {
		return err
	}
	p := pager{stream: stream, size: pageDirs, page: &repb.GetTreeResponse{}}
	if req.PageSize > 0 {
		p.size = int(req.PageSize)
	}
	if req.PageToken != "" {
		if p.skip, err = strconv.Atoi(req.PageToken); err != nil || p.skip < 0 {
			return invalid("page token %q is none of ours", req.PageToken)
		}
	}
	lost, err := walk(stream.Context(), s.cfg.Store, root, nil, func(_ digest.Digest, dir *repb.Directory) error { return p.add(dir) })
	if err != nil {
		return err
	}
	if len(lost) > 0 && lost[0] == root {
		return fmt.Errorf("get tree %v: %w", root, cas.ErrNotFound)
	}
	return stream.Send(p.page) // the last page has no token
}

// pager sends directories in pages, after skipping some.
type pager struct {
	stream repb.ContentAddressableStorage_GetTreeServer
	size   int // directories of a page
	skip   int
	seen   int
	bytes  int
	page   *repb.GetTreeResponse
}

func (p *pager) add(dir *repb.Directory) error {
	if len(p.page.Directories) >= p.size || p.bytes >= pageBytes {
		p.page.NextPageToken = strconv.Itoa(p.seen)
		if err := p.stream.Send(p.page); err != nil {
			return err
		}
		p.page, p.bytes = &repb.GetTreeResponse{}, 0
	}
	p.seen++
	if p.seen > p.skip {
		p.page.Directories = append(p.page.Directories, dir)
		p.bytes += proto.Size(dir)
	}
	return nil
}

// walk visits the directories below root breadth first, each once, but for
// those that skip accepts. It returns the directories that are not stored.
func walk(ctx context.Context, store cas.Store, root digest.Digest, skip func(digest.Digest) bool,
	visit func(digest.Digest, *repb.Directory) error) (lost []digest.Digest, err error) {
	seen := map[digest.Digest]bool{root: true}
	for todo := []digest.Digest{root}; len(todo) > 0; todo = todo[1:] {
		d := todo[0]
		if skip != nil && skip(d) {
			continue
		}
		dir, err := tree.Read(ctx, store, d)
		switch {
		case errors.Is(err, cas.ErrNotFound):
			lost = append(lost, d)
			continue
		case err != nil:
			return nil, err
		}
		if err := visit(d, dir); err != nil {
			return nil, err
		}
		for _, node := range dir.Directories {
			c, err := digestOf(root.Function, node.Digest)
			if err != nil {
				return nil, err
			}
			if !seen[c] {
				seen[c] = true
				todo = append(todo, c)
			}
		}
		if len(seen) > maxDirs {
			return nil, invalid("tree %v: more than %d directories", root, maxDirs)
		}
	}
	return lost, nil
}
