package report

import (
	"path"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Source gives the text of lines of the tree that is reported on.
type Source interface {
	// Line returns line n (from 1) of the file at a slash-separated path
	// relative to the tree, and false if the tree has no such line.
	Line(file string, n int) (string, bool)
}

// InTree reports whether file, as a position names it, is of the kernel tree
// or of a check, and not of the standard library.
func InTree(file string) bool {
	return file != "" && !path.IsAbs(file) && !strings.HasPrefix(file, "library/") && !strings.Contains(file, "/rustlib/src/")
}

// treeFirst orders files: those of the tree, which are its reader's own, before others.
func treeFirst(a, b string) int {
	switch x, y := InTree(a), InTree(b); {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// place is where a person should look for the failure of s: the innermost
// frame in the tree. A failed check within core says nothing to a kernel
// developer; the line that called it does.
func (b *Builder) place(m *position.Map, s *verdict.Site, w *verdict.Witness) *pb.Place {
	if s.Loc >= 0 && s.Loc < len(m.Locs) && InTree(m.Locs[s.Loc].File) {
		_, fn := sitePosition(m, s)
		return b.at(m.Locs[s.Loc], fn)
	}
	for _, at := range w.Stack {
		for _, f := range m.At(at.Func, at.Inst) {
			if InTree(f.File) {
				return b.at(f, f.Func)
			}
		}
	}
	pos, fn := sitePosition(m, s)
	return b.at(pos, fn)
}

func (b *Builder) at(p position.Pos, fn string) *pb.Place {
	text, _ := b.tree.Line(p.File, p.Line)
	return &pb.Place{File: p.File, Line: uint32(p.Line), Column: uint32(p.Col), Function: fn, Text: text}
}
