// Package rust holds the Rust sources that the farm adds to a kernel: the
// library that written checks are made with, the checks that are shipped, and
// the harness that runs one of them as an ordinary program.
package rust

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strings"
)

//go:embed checks/*.rs model/*.rs replay/*
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
		out = append(out, NewCrate(strings.TrimSuffix(f.Name(), ".rs"), src))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Builtins is the root file of a crate compiler_builtins without content.
//
//go:embed library/builtins.rs
var Builtins []byte

// Library is the root file of the crate kvfarm, whose module is Module.
//
//go:embed library/lib.rs
var Library []byte

// PanicHandler is the root file of a crate with the panic handler of native runs.
//
//go:embed library/panic.rs
var PanicHandler []byte

// Module is the check library as a module: "mod kvfarm;".
//
//go:embed kvfarm.rs
var Module []byte

// NewCrate makes a crate out of one file of checks, which says "mod kvfarm;", and "mod NAME;" for
// each of the shared models of C that it takes in.
func NewCrate(name string, src []byte) Crate {
	c := Crate{Name: name, Files: map[string][]byte{"lib.rs": src, "kvfarm.rs": Module}}
	for _, model := range models(src) {
		c.Files[model+".rs"], _ = files.ReadFile("model/" + model + ".rs")
	}
	return c
}

var module = regexp.MustCompile(`(?m)^mod (\w+);$`)

// models are the names of the shared models of C that a file of checks takes in.
func models(src []byte) []string {
	var out []string
	for _, m := range module.FindAllSubmatch(src, -1) {
		name := string(m[1])
		if _, err := fs.Stat(files, "model/"+name+".rs"); err == nil {
			out = append(out, name)
		}
	}
	return out
}
