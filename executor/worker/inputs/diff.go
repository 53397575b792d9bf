package inputs

import (
	"cmp"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// difference is what, laid over one tree, makes another. It has the form of a
// tree too: folders that are partly the same, and in them what is new and what
// is gone.
type difference struct {
	files    []*repb.FileNode
	symlinks []*repb.SymlinkNode
	folders  []*node  // wholly new, named by news
	news     []string // names of folders
	changed  []*difference
	names    []string // of changed
	gone     []string // names to be hidden
}

// differ compares trees and gives up when the difference grows over a limit.
type differ struct{ room int }

// diff returns the difference from base to want, and its number of entries; nil
// if that is more than limit.
func diff(base, want *node, limit int) (*difference, int) {
	d := &differ{room: limit}
	out := d.node(base, want)
	if d.room < 0 {
		return nil, 0
	}
	return out, limit - d.room
}

func (d *differ) node(base, want *node) *difference {
	out := &difference{}
	var gone []string
	was, is := base.msg, want.msg
	join(was.Files, is.Files, (*repb.FileNode).GetName, func(i, j int) {
		switch {
		case j < 0:
			gone = append(gone, was.Files[i].Name)
		case i < 0 || !sameFile(was.Files[i], is.Files[j]):
			out.files = append(out.files, is.Files[j])
			d.room--
		}
	})
	join(was.Symlinks, is.Symlinks, (*repb.SymlinkNode).GetName, func(i, j int) {
		switch {
		case j < 0:
			gone = append(gone, was.Symlinks[i].Name)
		case i < 0 || was.Symlinks[i].Target != is.Symlinks[j].Target:
			out.symlinks = append(out.symlinks, is.Symlinks[j])
			d.room--
		}
	})
	join(was.Directories, is.Directories, (*repb.DirectoryNode).GetName, func(i, j int) {
		switch {
		case j < 0:
			gone = append(gone, was.Directories[i].Name)
		case i < 0:
			out.news = append(out.news, is.Directories[j].Name)
			out.folders = append(out.folders, want.subs[j])
			d.room -= want.subs[j].entries + 1
		default:
			d.folder(out, is.Directories[j].Name, base.subs[i], want.subs[j])
		}
	})
	for _, name := range gone {
		if !has(is, name) { // as something else
			out.gone = append(out.gone, name)
			d.room--
		}
	}
	return out
}

// folder compares two folders of one name.
func (d *differ) folder(out *difference, name string, old, want *node) {
	if d.room < 0 || old.digest == want.digest {
		return
	}
	d.room--
	out.names = append(out.names, name)
	out.changed = append(out.changed, d.node(old, want))
}

func sameFile(a, b *repb.FileNode) bool {
	return a.Digest.Hash == b.Digest.Hash && a.Digest.SizeBytes == b.Digest.SizeBytes && a.IsExecutable == b.IsExecutable
}

// join visits the names of two sorted lists with their indices, -1 where a list
// lacks the name.
func join[T any](a, b []T, name func(T) string, visit func(i, j int)) {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		order := 0
		switch {
		case i == len(a):
			order = 1
		case j == len(b):
			order = -1
		default:
			order = cmp.Compare(name(a[i]), name(b[j]))
		}
		switch {
		case order < 0:
			visit(i, -1)
			i++
		case order > 0:
			visit(-1, j)
			j++
		default:
			visit(i, j)
			i++
			j++
		}
	}
}

// has reports whether there is something of that name in dir, which is sorted.
func has(dir *repb.Directory, name string) bool {
	return find(dir.Files, name, (*repb.FileNode).GetName) ||
		find(dir.Symlinks, name, (*repb.SymlinkNode).GetName) ||
		find(dir.Directories, name, (*repb.DirectoryNode).GetName)
}

func find[T any](list []T, want string, name func(T) string) bool {
	_, ok := slices.BinarySearchFunc(list, want, func(e T, want string) int { return cmp.Compare(name(e), want) })
	return ok
}

// sortEntries brings a directory into the order that it should have.
func sortEntries(dir *repb.Directory) {
	sortList(dir.Files, (*repb.FileNode).GetName)
	sortList(dir.Symlinks, (*repb.SymlinkNode).GetName)
	sortList(dir.Directories, (*repb.DirectoryNode).GetName)
}

func sortList[T any](list []T, name func(T) string) {
	order := func(a, b T) int { return cmp.Compare(name(a), name(b)) }
	if !slices.IsSortedFunc(list, order) {
		slices.SortFunc(list, order)
	}
}
