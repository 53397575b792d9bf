// Package rust holds the Rust sources that the farm adds to a kernel: the
// library that written checks are made with, the checks that are shipped, and
// the harness that runs one of them as an ordinary program.
package rust

import (
	"embed"
	"fmt"
	"path"
	"sort"
	"strings"
)

//go:embed kvfarm.rs checks/*.rs replay/*
var files embed.FS

// Crate is one crate of checks.
type Crate struct {
	Name  string
	Files map[string][]byte // by path within the crate; lib.rs is its root
}

// Checks returns the checks that are shipped, by name.
func Checks() ([]Crate, error) {
	list, err := files.ReadDir("checks")
	if err != nil {
		return nil, fmt.Errorf("list checks: %w", err)
	}
	var out []Crate
	for _, f := range list {
		src, err := files.ReadFile(path.Join("checks", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read check: %w", err)
		}
		c, err := NewCrate(strings.TrimSuffix(f.Name(), ".rs"), src)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// NewCrate makes a crate out of one file of checks, which says "mod kvfarm;".
func NewCrate(name string, src []byte) (Crate, error) {
	lib, err := files.ReadFile("kvfarm.rs")
	if err != nil {
		return Crate{}, fmt.Errorf("read check library: %w", err)
	}
	return Crate{Name: name, Files: map[string][]byte{"lib.rs": src, "kvfarm.rs": lib}}, nil
}
