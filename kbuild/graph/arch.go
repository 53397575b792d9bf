package graph

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Arch is an architecture that the Rust of a kernel can be built and verified
// for: 64 bits wide and little-endian, since that is what the engine knows.
type Arch struct {
	Name    string   // as the kernel's Makefile takes it in ARCH, and the folder under arch/
	Aliases []string // other values of ARCH, for the same
	Wrong   []string // what others call it, but not the kernel
	AllRust []byte   // fragment of configuration that enables all Rust of Linux 7.2
	Skip    []string // targets of its own that the kernel prepares and bitcode does not need
	Machine string   // that runs its code, as Go calls it in GOARCH
}

//go:embed rust.config
var allRust []byte

// Archs are the architectures, the default one first.
var Archs = []Arch{
	{Name: "x86", Aliases: []string{"x86_64"}, Wrong: []string{"amd64"}, AllRust: allRust, Skip: []string{"archscripts"}, Machine: "amd64"},
	{Name: "arm64", Wrong: []string{"aarch64"}, AllRust: allRust, Skip: []string{"vdso_prepare"}, Machine: "arm64"},
}

// ArchFor returns the architecture of an ARCH; the default one for an empty one.
func ArchFor(name string) (*Arch, error) {
	if name == "" {
		return &Archs[0], nil
	}
	for i := range Archs {
		a := &Archs[i]
		if a.Name == name || slices.Contains(a.Aliases, name) {
			return a, nil
		}
		if slices.Contains(a.Wrong, name) {
			return nil, fmt.Errorf("architecture %q: the kernel calls it %s", name, a.Name)
		}
	}
	return nil, fmt.Errorf("architecture %q: kvfarm builds and verifies for %s", name, ArchNames())
}

// ArchNames lists the architectures to people.
func ArchNames() string {
	var names []string
	for _, a := range Archs {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}
