package inputs

import (
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
	had := index(base)
	for _, f := range want.msg.Files {
		old, ok := had.files[f.Name]
		if !ok || of(old.Digest) != of(f.Digest) || old.IsExecutable != f.IsExecutable {
			out.files = append(out.files, f)
			d.room--
		}
		had.keep(f.Name)
	}
	for _, l := range want.msg.Symlinks {
		if old, ok := had.symlinks[l.Name]; !ok || old.Target != l.Target {
			out.symlinks = append(out.symlinks, l)
			d.room--
		}
		had.keep(l.Name)
	}
	for i, f := range want.msg.Directories {
		d.folder(out, f.Name, had.folders[f.Name], want.subs[i])
		had.keep(f.Name)
		if d.room < 0 {
			return out
		}
	}
	out.gone = had.rest()
	d.room -= len(out.gone)
	return out
}

func (d *differ) folder(out *difference, name string, old, want *node) {
	switch {
	case old == nil:
		out.news = append(out.news, name)
		out.folders = append(out.folders, want)
		d.room -= want.entries + 1
	case old.digest != want.digest:
		d.room--
		out.names = append(out.names, name)
		out.changed = append(out.changed, d.node(old, want))
	}
}

// listing is a folder's entries by name.
type listing struct {
	files    map[string]*repb.FileNode
	symlinks map[string]*repb.SymlinkNode
	folders  map[string]*node
	order    []string
	kept     map[string]bool
}

func index(n *node) *listing {
	l := &listing{files: map[string]*repb.FileNode{}, symlinks: map[string]*repb.SymlinkNode{},
		folders: map[string]*node{}, kept: map[string]bool{}}
	for _, f := range n.msg.Files {
		l.files[f.Name] = f
		l.order = append(l.order, f.Name)
	}
	for _, s := range n.msg.Symlinks {
		l.symlinks[s.Name] = s
		l.order = append(l.order, s.Name)
	}
	for i, f := range n.msg.Directories {
		l.folders[f.Name] = n.subs[i]
		l.order = append(l.order, f.Name)
	}
	return l
}

func (l *listing) keep(name string) { l.kept[name] = true }

// rest returns the names that were not kept.
func (l *listing) rest() []string {
	var out []string
	for _, name := range l.order {
		if !l.kept[name] {
			out = append(out, name)
		}
	}
	return out
}
