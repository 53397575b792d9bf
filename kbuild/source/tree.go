// Package source picks, out of the hundred thousand files of a kernel tree,
// the few thousand that its Rust build reads.
package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoRust says that a tree has no Rust to build.
var ErrNoRust = errors.New("no Rust in this tree")

// Tree is a kernel tree: the paths of those of its files that matter, relative
// to it and sorted. Products of a build inside the tree are never among them.
type Tree struct {
	Dir  string
	Arch string // name of the folder under arch/

	Config []string // what configuring reads
	Build  []string // what preparing and planning read besides: Makefiles, C and headers
	Rust   []string // Rust sources; the plan needs to know only that they are there

	built map[string]bool // products that kbuild has left a record of
}

// skipped are folders at the top below which no build of Rust reads a file.
var skipped = []string{"LICENSES", ".git", "tools"}

// Scan finds the files of the kernel tree dir. Errors: ErrNoRust, or that dir is no kernel tree.
func Scan(dir, arch string) (*Tree, error) {
	for _, p := range []string{"Kbuild", "Kconfig", "Makefile", "scripts/Makefile.build"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			return nil, fmt.Errorf("%s is no kernel tree: %w", dir, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "arch", arch, "Makefile")); err != nil {
		return nil, fmt.Errorf("architecture %q: %w", arch, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "rust/kernel/lib.rs")); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", dir, ErrNoRust, err)
	}
	t := &Tree{Dir: dir, Arch: arch, built: map[string]bool{}}
	s := scanner{tree: t}
	if err := s.scan(); err != nil {
		return nil, err
	}
	s.folders()
	if err := t.headers(); err != nil {
		return nil, err
	}
	for _, l := range []*[]string{&t.Config, &t.Build, &t.Rust} {
		*l = slices.DeleteFunc(*l, func(p string) bool { return t.built[p] })
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return t, nil
}

type scanner struct {
	tree  *Tree
	makes []string // Makefiles of folders that might hold Rust
}

func (s *scanner) scan() error {
	root := os.DirFS(s.tree.Dir)
	return fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("scan kernel tree: %w", err)
		}
		if d.IsDir() {
			return s.enter(p)
		}
		if of, ok := recorded(p); ok {
			s.tree.built[of] = true
		}
		if d.Type().IsRegular() && !product(p) {
			s.file(p)
		}
		return nil
	})
}

// enter skips what is never read, and products of a build.
func (s *scanner) enter(p string) error {
	dir, name := path.Split(p)
	switch {
	case slices.Contains(skipped, p), dir == "Documentation/",
		strings.HasPrefix(p, "arch/") && name == "boot", name == "generated" && strings.HasSuffix(dir, "include/"), p == "include/config",
		dir == "scripts/" && slices.Contains(otherScripts, name):
		return fs.SkipDir
	}
	return nil
}

// otherScripts are folders of scripts/ that serve other ends than building.
var otherScripts = []string{"atomic", "bash-completion", "clang-tools", "coccinelle", "crypto", "dtc", "gdb", "genksyms",
	"ipe", "ksymoops", "livepatch", "package", "sbom", "selinux", "tracing"}

// otherCalls is what scripts/checksyscalls.sh compares every architecture's
// system calls with.
const otherCalls = "arch/x86/entry/syscalls/syscall_32.tbl"

// file sorts one file in, by its path alone.
func (s *scanner) file(p string) {
	t, dir, name := s.tree, path.Dir(p), path.Base(p)
	top, _, _ := strings.Cut(p, "/")
	arch := "arch/" + t.Arch + "/"
	switch {
	case strings.HasPrefix(name, "Kconfig"), top == "scripts", p == "Makefile", p == arch+"Makefile",
		dir+"/" == arch && strings.HasPrefix(name, "Makefile"), strings.HasPrefix(p, arch+"configs/"):
		t.Config = append(t.Config, p)
	case top == "arch" && !strings.HasPrefix(p, arch) && p != otherCalls:
	case path.Ext(name) == ".rs":
		t.Rust = append(t.Rust, p)
	case top == "rust", p == "Kbuild",
		strings.HasPrefix(p, arch+"include/"), strings.HasPrefix(p, arch+"entry/syscalls/"),
		strings.HasPrefix(p, arch+"kernel/syscalls/"), strings.HasPrefix(p, arch+"tools/"),
		strings.HasPrefix(p, "include/asm-generic/"), strings.HasPrefix(p, "include/uapi/asm-generic/"),
		p == otherCalls:
		t.Build = append(t.Build, p)
	case name == "Makefile" || name == "Kbuild":
		s.makes = append(s.makes, p)
	case path.Ext(p) == ".bc":
		t.Build = append(t.Build, p)
	}
}

// folders keeps the Makefiles of the folders on the way to a Rust source.
func (s *scanner) folders() {
	on := map[string]bool{}
	for _, p := range s.tree.Rust {
		for d := path.Dir(p); d != "." && !on[d]; d = path.Dir(d) {
			on[d] = true
		}
	}
	for _, p := range s.makes {
		if on[path.Dir(p)] || path.Dir(p)+"/" == "arch/"+s.tree.Arch+"/" {
			s.tree.Build = append(s.tree.Build, p)
		}
	}
}

// recorded returns what p is kbuild's record of, if it is one: beside a product
// X it leaves a file .X.cmd.
func recorded(p string) (of string, ok bool) {
	dir, name := path.Split(p)
	name, isCmd := strings.CutSuffix(name, ".cmd")
	name, hidden := strings.CutPrefix(name, ".")
	return dir + name, isCmd && hidden
}

// unrecorded are products that kbuild leaves no record of.
var unrecorded = []string{"scripts/target.json", "scripts/kconfig/parser.tab.c", "scripts/module.lds", "scripts/mod/devicetable-offsets.h"}

var productSuffixes = []string{".o", ".a", ".so", ".ko", ".mod", ".cmd", ".d", ".s", ".rlib", ".rmeta", ".ll", ".order", ".orig", ".rej"}

// product reports whether p looks like something that a build or a patch left.
func product(p string) bool {
	name := path.Base(p)
	return slices.Contains(productSuffixes, path.Ext(name)) || strings.HasPrefix(name, ".") || slices.Contains(unrecorded, p)
}
