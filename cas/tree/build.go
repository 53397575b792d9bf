package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// maxDepth bounds how deep trees may be, made or read: more than any path of
// Linux's 4096 bytes needs in practice, less than a stack minds.
const maxDepth = 512

// Merkle is a tree as Directory messages, each under its digest. Grafted
// directories are referred to but not among them.
type Merkle struct {
	Root digest.Digest
	Dirs map[digest.Digest][]byte
}

// Build makes the canonical Merkle tree of files, with SHA-256 as their digests
// are: equal files give equal bytes. Errors name the path: an unclean path, a
// name that REv2 cannot carry, an entry below something that is no directory.
func Build(files Files) (*Merkle, error) { return BuildBy(digest.SHA256, files) }

// BuildBy is Build with another function. A digest by a different one is an
// error, for nobody could tell.
func BuildBy(f digest.Function, files Files) (*Merkle, error) {
	b := builder{function: f, files: files, dirs: map[digest.Digest][]byte{}}
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, comparePaths)
	root, err := b.dir("", paths, 0)
	if err != nil {
		return nil, err
	}
	return &Merkle{Root: root, Dirs: b.dirs}, nil
}

// Upload stores the Directory messages of files in s and returns the root's
// digest. The files' contents are the caller's to store.
func Upload(ctx context.Context, s cas.Store, files Files) (digest.Digest, error) {
	m, err := Build(files)
	if err != nil {
		return digest.Digest{}, err
	}
	return m.Root, m.Upload(ctx, s)
}

// Upload stores those Directory messages that s lacks.
func (m *Merkle) Upload(ctx context.Context, s cas.Store) error {
	all := make([]digest.Digest, 0, len(m.Dirs))
	for d := range m.Dirs {
		all = append(all, d)
	}
	missing, err := s.Missing(ctx, all)
	if err != nil {
		return fmt.Errorf("upload tree %v: %w", m.Root, err)
	}
	blobs := make([]cas.Blob, len(missing))
	for i, d := range missing {
		blobs[i] = cas.Blob{Digest: d, Data: m.Dirs[d]}
	}
	if err := cas.OneError(cas.PutBatch(ctx, s, blobs)); err != nil {
		return fmt.Errorf("upload tree %v: %w", m.Root, err)
	}
	return nil
}

// comparePaths orders paths such that everything below a directory follows it
// at once: as strings, with the slash before all other bytes.
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

type builder struct {
	function digest.Function
	files    Files
	dirs     map[digest.Digest][]byte
}

// dir makes the directory whose path, with a trailing slash, is prefix; paths
// are the sorted paths below it.
func (b *builder) dir(prefix string, paths []string, depth int) (digest.Digest, error) {
	if depth > maxDepth {
		return digest.Digest{}, fmt.Errorf("tree: %q is deeper than the limit of %d directories", prefix, maxDepth)
	}
	msg := &repb.Directory{}
	for len(paths) > 0 {
		name, _, _ := strings.Cut(paths[0][len(prefix):], "/")
		if err := checkName(name); err != nil {
			return digest.Digest{}, fmt.Errorf("tree: path %q: %w", paths[0], err)
		}
		path := paths[0][:len(prefix)+len(name)]
		n := countBelow(paths, path)
		if err := b.node(msg, name, path, paths[:n], depth); err != nil {
			return digest.Digest{}, err
		}
		paths = paths[n:]
	}
	return b.add(msg)
}

// countBelow returns how many of the sorted paths are path itself or below it;
// the first one is.
func countBelow(paths []string, path string) int {
	return sort.Search(len(paths), func(i int) bool {
		rest, ok := strings.CutPrefix(paths[i], path)
		return !ok || rest != "" && rest[0] != '/'
	})
}

// node adds the entry called name to msg; paths holds path itself, if it has an
// entry, and all below it.
func (b *builder) node(msg *repb.Directory, name, path string, paths []string, depth int) error {
	e, explicit := b.files[path]
	if !explicit || e.Kind == Dir && e.Digest.IsEmpty() {
		if explicit {
			paths = paths[1:]
		}
		d, err := b.dir(path+"/", paths, depth+1)
		if err != nil {
			return err
		}
		msg.Directories = append(msg.Directories, &repb.DirectoryNode{Name: name, Digest: d.Proto()})
		return nil
	}
	if len(paths) > 1 {
		return fmt.Errorf("tree: %q is below %q, which is %v", paths[1], path, e.Kind)
	}
	return b.leaf(msg, name, path, e)
}

// leaf adds e, below which nothing else stands, to msg.
func (b *builder) leaf(msg *repb.Directory, name, path string, e Entry) error {
	if e.Kind != Symlink {
		if err := e.Digest.Validate(); err != nil {
			return fmt.Errorf("tree: path %q: %w", path, err)
		}
		if e.Digest.Function != b.function {
			return fmt.Errorf("tree: path %q: %v in a tree of %v", path, e.Digest, b.function)
		}
	}
	switch e.Kind {
	case File:
		msg.Files = append(msg.Files, &repb.FileNode{Name: name, Digest: e.Digest.Proto(), IsExecutable: e.Exec})
	case Dir:
		msg.Directories = append(msg.Directories, &repb.DirectoryNode{Name: name, Digest: e.Digest.Proto()})
	case Symlink:
		if err := checkTarget(e.Target); err != nil {
			return fmt.Errorf("tree: path %q: %w", path, err)
		}
		msg.Symlinks = append(msg.Symlinks, &repb.SymlinkNode{Name: name, Target: e.Target})
	default:
		return fmt.Errorf("tree: path %q: entry of %v", path, e.Kind)
	}
	return nil
}

func (b *builder) add(msg *repb.Directory) (digest.Digest, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		return digest.Digest{}, fmt.Errorf("tree: encode directory: %w", err)
	}
	d := b.function.Of(data)
	b.dirs[d] = data
	return d, nil
}

// checkName says why name cannot stand in a Directory message.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("empty name")
	case name == "." || name == "..":
		return fmt.Errorf("name %q is not clean", name)
	case strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("name %q holds a slash or a zero byte", name)
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8, which the remote execution API requires", name)
	}
	return nil
}

// checkTarget says why target cannot be a symlink's.
func checkTarget(target string) error {
	switch {
	case target == "":
		return errors.New("empty symlink target")
	case strings.ContainsRune(target, 0):
		return fmt.Errorf("symlink target %q holds a zero byte", target)
	case !utf8.ValidString(target):
		return fmt.Errorf("symlink target %q is not UTF-8, which the remote execution API requires", target)
	}
	return nil
}
