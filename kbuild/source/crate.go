package source

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Sources reads the Rust of a tree, each file once.
type Sources struct {
	dir string

	mu    sync.Mutex
	files map[string]*File
}

// NewSources returns the sources of the kernel tree dir.
func NewSources(dir string) *Sources {
	return &Sources{dir: dir, files: map[string]*File{}}
}

// Crate is the sum of the files of a crate.
type Crate struct {
	Files    []string // sorted, relative to the tree
	Options  []string // sorted
	Exported []string // sorted; see File
	Strings  []string // sorted; see File
	Macros   []string // sorted; see File
}

// Crate follows the modules of the crate with the given root file. Files that
// do not exist are left out: rustc knows better whether it needs them.
func (s *Sources) Crate(root string) (*Crate, error) {
	w := crateWalk{sources: s, seen: map[string]bool{}, crate: &Crate{}}
	if err := w.file(root, true); err != nil {
		return nil, fmt.Errorf("read crate %s: %w", root, err)
	}
	c := w.crate
	for _, l := range []*[]string{&c.Files, &c.Options, &c.Exported, &c.Strings, &c.Macros} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return c, nil
}

type crateWalk struct {
	sources *Sources
	seen    map[string]bool
	crate   *Crate
}

// file adds file p, which is there, and all that it names.
func (w *crateWalk) file(p string, owner bool) error {
	if w.seen[p] {
		return nil
	}
	w.seen[p] = true
	f, err := w.sources.parse(p)
	if err != nil {
		return err
	}
	c := w.crate
	c.Files = append(c.Files, p)
	c.Options = append(c.Options, f.Options...)
	c.Exported = append(c.Exported, f.Exported...)
	c.Strings = append(c.Strings, f.Strings...)
	c.Macros = append(c.Macros, f.Macros...)
	for _, m := range f.Modules {
		for _, q := range moduleFiles(p, owner, m) {
			if err := w.optional(q, m.Path != "" || path.Base(q) == "mod.rs"); err != nil {
				return err
			}
		}
	}
	for _, name := range f.Included {
		if err := w.optional(path.Join(path.Dir(p), name), true); err != nil {
			return err
		}
	}
	return nil
}

// optional adds file p if it is in the tree.
func (w *crateWalk) optional(p string, owner bool) error {
	if strings.HasPrefix(p, "../") {
		return nil
	}
	info, err := os.Stat(filepath.Join(w.sources.dir, p))
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return w.file(p, owner)
}

func (s *Sources) parse(p string) (*File, error) {
	s.mu.Lock()
	f := s.files[p]
	s.mu.Unlock()
	if f != nil {
		return f, nil
	}
	b, err := os.ReadFile(filepath.Join(s.dir, p))
	if err != nil {
		return nil, err
	}
	f = &File{}
	if path.Ext(p) == ".rs" {
		f = ParseRust(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[p] = f
	return f, nil
}
