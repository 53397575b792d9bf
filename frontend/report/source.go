package report

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Lines is a Source that reads each file once.
type Lines struct {
	read  func(file string) []byte // nil if there is no such file
	lines map[string][]string
}

// stdSource is where a toolchain has the source of the standard library.
const stdSource = "/usr/lib/rustlib/src/"

// NewDir returns the source of the kernel tree in dir, and of the standard library
// in the root file system in the folder root, if that is not "". checks are the root files
// of crates of checks by name; positions name them by a path with that name as
// its last folder.
func NewDir(dir, root string, checks map[string][]byte) *Lines {
	return &Lines{lines: map[string][]string{}, read: func(file string) []byte {
		if root != "" && strings.HasPrefix(path.Clean(file), stdSource) {
			b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path.Clean(file))))
			if err != nil {
				return nil
			}
			return b
		}
		if !InTree(file) || !filepath.IsLocal(filepath.FromSlash(file)) {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return checkSource(checks, file)
		}
		return b
	}}
}

func checkSource(checks map[string][]byte, file string) []byte {
	dir, base := filepath.Split(file)
	if base != "lib.rs" {
		return nil
	}
	return checks[filepath.Base(dir)]
}

// NewFiles returns the source of files by name.
func NewFiles(files map[string][]byte) *Lines {
	return &Lines{lines: map[string][]string{}, read: func(file string) []byte { return files[file] }}
}

// Line implements Source.
func (l *Lines) Line(file string, n int) (string, bool) {
	lines, ok := l.lines[file]
	if !ok {
		lines = strings.Split(string(bytes.TrimSuffix(l.read(file), []byte("\n"))), "\n")
		l.lines[file] = lines
	}
	if n < 1 || n > len(lines) {
		return "", false
	}
	return lines[n-1], true
}
