package graph_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/kbuild/graph"
)

func TestArchFor(t *testing.T) {
	tests := []struct{ arch, want, err string }{
		{"", "x86", ""}, {"x86", "x86", ""}, {"x86_64", "x86", ""}, {"arm64", "arm64", ""},
		{"aarch64", "", "the kernel calls it arm64"}, {"amd64", "", "the kernel calls it x86"},
		{"riscv", "", "kvfarm builds and verifies for x86, arm64"}, {"arm", "", "kvfarm builds and verifies for x86, arm64"},
	}
	for _, tt := range tests {
		a, err := graph.ArchFor(tt.arch)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), tt.arch) {
				t.Errorf("%q: error = %v, want one with %q", tt.arch, err, tt.err)
			}
			continue
		}
		if err != nil || a.Name != tt.want {
			t.Errorf("%q = %v, %v, want %s", tt.arch, a, err, tt.want)
		}
	}
}

// What every architecture must say of itself.
func TestArchs(t *testing.T) {
	for _, a := range graph.Archs {
		if !bytes.Contains(a.AllRust, []byte("\nCONFIG_RUST=y\n")) {
			t.Errorf("%s: the fragment does not switch Rust on", a.Name)
		}
		if a.Machine == "" || len(a.Skip) == 0 {
			t.Errorf("%+v: something is left out", a)
		}
		for _, name := range append(a.Aliases, a.Name) {
			if b, err := graph.ArchFor(name); err != nil || b.Name != a.Name {
				t.Errorf("%s = %v, %v, want %s", name, b, err, a.Name)
			}
		}
	}
}

// Another architecture reads its own folder under arch/, and names a target that
// rustc knows by itself.
func TestOtherArch(t *testing.T) {
	files, plan := fixture(t)
	files["arch/arm64/Makefile"] = files["arch/x86/Makefile"]
	delete(files, "arch/x86/Makefile")
	plan = strings.NewReplacer("--target=scripts/target.json", "--target=aarch64-unknown-none-softfloat", "arch/x86/", "arch/arm64/").Replace(plan)
	arm64, err := graph.ArchFor("arm64")
	if err != nil {
		t.Fatal(err)
	}
	f := newFarm(t, plan)
	g, err := openFor(t, arm64, f, files, options)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"config arm64", "plan arm64"}, f.takeRan()); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
	for _, u := range g.Units() {
		if _, err := g.Bitcode(context.Background(), u); err != nil {
			t.Error(err)
		}
	}
}
