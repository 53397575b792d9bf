// Package tree turns files into Merkle trees of REv2 Directory messages and back.
package tree

import "github.com/kvfarm/kvfarm/cas/digest"

// Kind says what an Entry is.
type Kind uint8

// The kinds of entry.
const (
	File Kind = iota
	Dir
	Symlink
)

// Entry is what stands at one path of an input root.
type Entry struct {
	Kind   Kind
	Digest digest.Digest // File: of its content; Dir: of its Directory message
	Exec   bool          // File
	Target string        // Symlink
}

// Files is a tree by slash-separated relative path. A Dir entry grafts a whole
// tree that is known by digest; parents need no entry of their own.
type Files map[string]Entry
