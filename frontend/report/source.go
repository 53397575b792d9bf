package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// Dir is the Source of a kernel tree on disk and of checks beside it.
type Dir struct {
	dir    string
	checks map[string][]byte
	lines  map[string][]string
}

// NewDir returns the source of the tree in dir. checks are the root files of
// crates of checks by name; positions name them by a path with that name as
// its last folder.
func NewDir(dir string, checks map[string][]byte) *Dir {
	return &Dir{dir: dir, checks: checks, lines: map[string][]string{}}
}

// Line implements Source.
func (d *Dir) Line(file string, n int) (string, bool) {
	lines, ok := d.lines[file]
	if !ok {
		lines = d.read(file)
		d.lines[file] = lines
	}
	if n < 1 || n > len(lines) {
		return "", false
	}
	return lines[n-1], true
}

func (d *Dir) read(file string) []string {
	if !InTree(file) || !filepath.IsLocal(filepath.FromSlash(file)) {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(file)))
	if err != nil {
		b = d.check(file)
	}
	return strings.Split(string(bytes.TrimSuffix(b, []byte("\n"))), "\n")
}

func (d *Dir) check(file string) []byte {
	dir, base := filepath.Split(file)
	if base != "lib.rs" {
		return nil
	}
	return d.checks[filepath.Base(dir)]
}
