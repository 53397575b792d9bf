package inputs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// node is a directory with all below it. Nodes are shared and never change.
type node struct {
	digest  digest.Digest
	msg     *repb.Directory // sorted by name
	subs    []*node         // as msg.Directories
	entries int             // files, symlinks and directories below it
}

// graph loads directories and remembers them.
type graph struct {
	store cas.Store
	mu    sync.Mutex
	nodes map[digest.Digest]*node
	held  int // entries of nodes' own messages
}

const (
	maxHeld    = 300_000 // entries remembered, about 300 bytes each
	maxDepth   = 512
	maxEntries = 4 << 20  // of one tree
	maxMessage = 64 << 20 // bytes of one Directory
)

func newGraph(store cas.Store) *graph {
	return &graph{store: store, nodes: make(map[digest.Digest]*node)}
}

// load returns the tree d. Error: *MissingError with all that is missing.
func (g *graph) load(ctx context.Context, d digest.Digest) (*node, error) {
	l := g.loader()
	return l.load(ctx, d, l.want(d))
}

// loadRest returns the tree whose root message is given and not stored.
func (g *graph) loadRest(ctx context.Context, d digest.Digest, msg *repb.Directory) (*node, error) {
	l := g.loader()
	l.fresh[d] = msg
	var level []digest.Digest
	for _, sub := range msg.Directories {
		level = append(level, l.want(of(d.Function, sub.Digest))...)
	}
	return l.load(ctx, d, level)
}

func (g *graph) loader() *loader {
	return &loader{graph: g, fresh: make(map[digest.Digest]*repb.Directory), known: make(map[digest.Digest]*node)}
}

// load reads level and all below it, and returns d, which is above.
func (l *loader) load(ctx context.Context, d digest.Digest, level []digest.Digest) (*node, error) {
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxDepth {
			return nil, fmt.Errorf("%w: %v is deeper than the limit of %d folders", ErrBadTree, d, maxDepth)
		}
		next, err := l.fetch(ctx, level)
		if err != nil {
			return nil, fmt.Errorf("load input tree %v: %w", d, err)
		}
		level = next
	}
	if len(l.missing) > 0 {
		return nil, fmt.Errorf("load input tree %v: %w", d, &MissingError{Digests: l.missing})
	}
	n := l.link(d)
	if n.entries > maxEntries {
		return nil, fmt.Errorf("%w: %v has more entries than the limit of %d", ErrBadTree, d, maxEntries)
	}
	return n, nil
}

func (g *graph) get(d digest.Digest) *node {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nodes[d]
}

// put remembers n. When there is too much it forgets all: what is in use is
// soon back.
func (g *graph) put(n *node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held > maxHeld {
		g.nodes, g.held = make(map[digest.Digest]*node), 0
	}
	g.nodes[n.digest] = n
	g.held += len(n.msg.Files) + len(n.msg.Symlinks) + len(n.msg.Directories)
}

// loader reads what the graph lacks of one tree, a level at a time.
type loader struct {
	graph   *graph
	mu      sync.Mutex
	fresh   map[digest.Digest]*repb.Directory // nil while on its way
	known   map[digest.Digest]*node
	missing []digest.Digest
}

// want returns d, as a list, if it has to be read.
func (l *loader) want(d digest.Digest) []digest.Digest {
	if _, ok := l.fresh[d]; ok || l.known[d] != nil {
		return nil
	}
	if n := l.graph.get(d); n != nil {
		l.known[d] = n
		return nil
	}
	l.fresh[d] = nil
	return []digest.Digest{d}
}

// fetch reads the directories of one level and returns those of the next.
func (l *loader) fetch(ctx context.Context, level []digest.Digest) ([]digest.Digest, error) {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(fetchers)
	var next []digest.Digest
	for _, d := range level {
		eg.Go(func() error {
			msg, err := readDirectory(ctx, l.graph.store, d)
			l.mu.Lock()
			defer l.mu.Unlock()
			switch {
			case errors.Is(err, cas.ErrNotFound):
				l.missing = append(l.missing, d)
				return nil
			case err != nil:
				return err
			}
			l.fresh[d] = msg
			for _, sub := range msg.Directories {
				next = append(next, l.want(of(d.Function, sub.Digest))...)
			}
			return nil
		})
	}
	err := eg.Wait()
	return next, err
}

func readDirectory(ctx context.Context, store cas.Store, d digest.Digest) (*repb.Directory, error) {
	body, err := cas.ReadBlob(ctx, store, d, maxMessage)
	if err != nil {
		return nil, err
	}
	if got := d.Function.Of(body); got != d {
		return nil, fmt.Errorf("read directory %v: %w: it is %v", d, cas.ErrMismatch, got)
	}
	return tree.Decode(body)
}

// link makes nodes of the messages that were read.
func (l *loader) link(d digest.Digest) *node {
	if n := l.known[d]; n != nil {
		return n
	}
	n := &node{digest: d, msg: l.fresh[d]}
	sortEntries(n.msg)
	for _, sub := range n.msg.Directories {
		n.subs = append(n.subs, l.link(of(d.Function, sub.Digest)))
	}
	n.count()
	l.known[d] = n
	l.graph.put(n)
	return n
}

func (n *node) count() {
	n.entries = len(n.msg.Files) + len(n.msg.Symlinks) + len(n.msg.Directories)
	for _, s := range n.subs {
		n.entries = min(n.entries+s.entries, maxEntries+1)
	}
}

// of returns p's digest by f, which has been validated.
func of(f digest.Function, p *repb.Digest) digest.Digest {
	return digest.Digest{Hash: p.Hash, Size: p.SizeBytes, Function: f}
}
