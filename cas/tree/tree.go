// Package tree turns files into Merkle trees of REv2 Directory messages and back.
package tree

import (
	"fmt"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// Kind says what an Entry is.
type Kind uint8

// The kinds of entry.
const (
	File Kind = iota
	Dir
	Symlink
)

// String names the kind for messages.
func (k Kind) String() string {
	switch k {
	case File:
		return "a file"
	case Dir:
		return "a directory known by digest"
	case Symlink:
		return "a symlink"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Entry is what stands at one path of an input root.
type Entry struct {
	Kind   Kind
	Digest digest.Digest // File: of its content; Dir: of its Directory message
	Exec   bool          // File
	Target string        // Symlink
}

// Files is a tree by slash-separated relative path. A Dir entry grafts a whole
// tree that is known by digest; parents need no entry of their own. The empty
// directory is a Dir with the digest of nothing, below which other entries may stand.
type Files map[string]Entry
