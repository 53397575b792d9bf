package tree

import (
	"fmt"
	"maps"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Tree returns the encoded Tree message of m: the root and every other
// directory once, parents before children. It fails if m has grafts.
func (m *Merkle) Tree() ([]byte, error) {
	msg := &repb.Tree{}
	seen := map[digest.Digest]bool{m.Root: true}
	for queue := []digest.Digest{m.Root}; len(queue) > 0; queue = queue[1:] {
		data, ok := m.Dirs[queue[0]]
		if !ok {
			return nil, fmt.Errorf("tree of %v: directory %v is known by digest only", m.Root, queue[0])
		}
		dir, err := Decode(data)
		if err != nil {
			return nil, fmt.Errorf("tree of %v: %w", m.Root, err)
		}
		if queue[0] == m.Root {
			msg.Root = dir
		} else {
			msg.Children = append(msg.Children, dir)
		}
		for _, sub := range dir.Directories {
			if d := of(m.Root.Function, sub.Digest); !seen[d] {
				seen[d] = true
				queue = append(queue, d)
			}
		}
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(msg)
}

// DecodeTree reads a Tree message; every directory in it is valid. Errors wrap
// ErrMalformed.
func DecodeTree(b []byte) (*repb.Tree, error) {
	msg := &repb.Tree{}
	if err := proto.Unmarshal(b, msg); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if msg.Root == nil {
		msg.Root = &repb.Directory{} // the empty directory encodes to nothing
	}
	for _, dir := range directories(msg) {
		if err := validate(dir); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return msg, nil
}

// TreeFiles returns the digests by f of all files in a valid Tree message, each
// once, sorted.
func TreeFiles(f digest.Function, msg *repb.Tree) []digest.Digest {
	set := map[digest.Digest]bool{}
	for _, dir := range directories(msg) {
		for _, n := range dir.Files {
			set[of(f, n.Digest)] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), digest.Compare)
}

func directories(msg *repb.Tree) []*repb.Directory {
	return append([]*repb.Directory{msg.Root}, msg.Children...)
}
