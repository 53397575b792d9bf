package tree

import (
	"context"
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// ErrMalformed is wrapped by every error about a message that is no proper
// Directory or Tree.
var ErrMalformed = errors.New("malformed tree")

// maxMessage bounds the size in bytes of one Directory or Tree message that is read.
const maxMessage = 256 << 20

// Limits bound what reading a tree may cost. Zero fields mean the defaults.
type Limits struct {
	Depth   int // directories below one another; default 512
	Entries int // files, symlinks and directories, counted at each place they stand; default 4 million
}

func (l Limits) orDefaults() Limits {
	if l.Depth == 0 {
		l.Depth = maxDepth
	}
	if l.Entries == 0 {
		l.Entries = 4 << 20
	}
	return l
}

// Decode reads a Directory message: every name is valid and stands once, every
// digest is well-formed. Errors wrap ErrMalformed.
func Decode(b []byte) (*repb.Directory, error) {
	msg := &repb.Directory{}
	if err := proto.Unmarshal(b, msg); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if err := validate(msg); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return msg, nil
}

// Read gets the Directory message d from s.
func Read(ctx context.Context, s cas.Store, d digest.Digest) (*repb.Directory, error) {
	b, err := cas.ReadBlob(ctx, s, d, maxMessage)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	msg, err := Decode(b)
	if err != nil {
		return nil, fmt.Errorf("read directory %v: %w", d, err)
	}
	return msg, nil
}

func validate(msg *repb.Directory) error {
	seen := make(map[string]bool, len(msg.Files)+len(msg.Directories)+len(msg.Symlinks))
	name := func(n string) error {
		if seen[n] {
			return fmt.Errorf("name %q stands twice", n)
		}
		seen[n] = true
		return checkName(n)
	}
	for _, f := range msg.Files {
		_, err := digest.FromProto(f.Digest)
		if err := errors.Join(name(f.Name), err); err != nil {
			return err
		}
	}
	for _, d := range msg.Directories {
		_, err := digest.FromProto(d.Digest)
		if err := errors.Join(name(d.Name), err); err != nil {
			return err
		}
	}
	for _, l := range msg.Symlinks {
		if err := errors.Join(name(l.Name), checkTarget(l.Target)); err != nil {
			return err
		}
	}
	return nil
}

// Walk calls visit for every directory of tree root, parents first, at each
// path where it stands. The root's path is "", others end without a slash.
// Errors: those of the store, ErrMalformed, a limit, visit's own.
func Walk(ctx context.Context, s cas.Store, root digest.Digest, limits Limits,
	visit func(path string, dir *repb.Directory) error) error {
	w := walker{ctx: ctx, store: s, limits: limits.orDefaults(), visit: visit}
	return w.walk("", root, 0)
}

type walker struct {
	ctx     context.Context
	store   cas.Store
	limits  Limits
	entries int
	visit   func(string, *repb.Directory) error
}

func (w *walker) walk(path string, d digest.Digest, depth int) error {
	if depth > w.limits.Depth {
		return fmt.Errorf("walk tree: %q is deeper than the limit of %d directories", path, w.limits.Depth)
	}
	msg, err := Read(w.ctx, w.store, d)
	if err != nil {
		return fmt.Errorf("walk tree at %q: %w", path, err)
	}
	w.entries += len(msg.Files) + len(msg.Directories) + len(msg.Symlinks)
	if w.entries > w.limits.Entries {
		return fmt.Errorf("walk tree: more than the limit of %d entries", w.limits.Entries)
	}
	if err := w.visit(path, msg); err != nil {
		return err
	}
	for _, sub := range msg.Directories {
		if err := w.walk(join(path, sub.Name), of(d.Function, sub.Digest), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Load reads tree root, the inverse of Upload: the entries are its files,
// symlinks and empty directories.
func Load(ctx context.Context, s cas.Store, root digest.Digest, limits Limits) (Files, error) {
	files := Files{}
	err := Walk(ctx, s, root, limits, func(path string, dir *repb.Directory) error {
		files.add(root.Function, path, dir)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

func (f Files) add(by digest.Function, path string, dir *repb.Directory) {
	for _, n := range dir.Files {
		f[join(path, n.Name)] = Entry{Kind: File, Digest: of(by, n.Digest), Exec: n.IsExecutable}
	}
	for _, n := range dir.Symlinks {
		f[join(path, n.Name)] = Entry{Kind: Symlink, Target: n.Target}
	}
	if path != "" && len(dir.Files)+len(dir.Symlinks)+len(dir.Directories) == 0 {
		f[path] = Entry{Kind: Dir, Digest: by.Empty()}
	}
}

// of returns p's digest by f, which has been validated.
func of(f digest.Function, p *repb.Digest) digest.Digest {
	return digest.Digest{Hash: p.Hash, Size: p.SizeBytes, Function: f}
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
