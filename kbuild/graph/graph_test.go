package graph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/kbuild/graph"
	"github.com/kvfarm/kvfarm/kbuild/source"
)

// fixture returns the small kernel's files and its plan.
func fixture(t *testing.T) (files map[string]string, plan string) {
	t.Helper()
	a, err := txtar.ParseFile("testdata/kernel.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	plan = files["plan"]
	delete(files, "plan")
	return files, plan
}

const options = "CONFIG_HZ=100\nCONFIG_UNRELATED=y\n"

// open writes files to a new folder and opens the tree.
func open(t *testing.T, f *farm, files map[string]string, fragment string) (*graph.Graph, error) {
	t.Helper()
	return openFor(t, nil, f, files, fragment)
}

func openFor(t *testing.T, arch *graph.Arch, f *farm, files map[string]string, fragment string) (*graph.Graph, error) {
	t.Helper()
	dir := t.TempDir()
	for p, text := range files {
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return graph.Open(context.Background(), graph.Config{Tree: dir, Arch: arch, Fragment: []byte(fragment),
		Root: digest.Empty, Runner: f, Store: f.store})
}

// build compiles every unit and the helpers.
func build(t *testing.T, f *farm, files map[string]string, fragment string) (*graph.Graph, map[string]*graph.Bitcode) {
	t.Helper()
	g, err := open(t, f, files, fragment)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*graph.Bitcode{}
	for _, u := range g.Units() {
		if out[u.Name], err = g.Bitcode(context.Background(), u); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := g.Helpers(context.Background()); err != nil || !ok {
		t.Fatalf("helpers: %v, %v", ok, err)
	}
	return g, out
}

var all = []string{
	"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "config x86", "cpp rust/kernel/asm.rs", "plan x86",
	"rustc bindings", "rustc core", "rustc drivers/a/a", "rustc drivers/b", "rustc kernel", "rustc macros",
}

func TestBuild(t *testing.T) {
	files, plan := fixture(t)
	f := newFarm(t, plan)
	g, out := build(t, f, files, options)
	if d := cmp.Diff(all, f.takeRan()); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
	const checks = 2
	n, err := g.Count(g.Units(), checks)
	want := len(all) - 1 + len(g.Units()) + checks // the helpers are nobody's dependency; every unit has types
	if err != nil || n != want {
		t.Errorf("count = %d, %v, want %d", n, err, want)
	}
	var units []string
	for _, u := range g.Units() {
		units = append(units, u.Source)
	}
	if d := cmp.Diff([]string{"/usr/lib/core/src/lib.rs", "rust/bindings/lib.rs", "rust/kernel/lib.rs", "drivers/a/a.rs", "drivers/b.rs"}, units); d != "" {
		t.Errorf("units (-want +got):\n%s", d)
	}
	if l := out["a"].Link; len(l) != 4 || l[3] != out["a"].Crate || !slices.Contains(l, out["kernel"].Crate) {
		t.Errorf("a links %v, want core, bindings, kernel and itself", l)
	}
	if d := cmp.Diff([]string{"drivers/a/a.rs", "drivers/a/part.rs"}, sources(t, g, "drivers/a/a.rs")); d != "" {
		t.Errorf("sources of a (-want +got):\n%s", d)
	}
}

func sources(t *testing.T, g *graph.Graph, root string) []string {
	t.Helper()
	for _, u := range g.Units() {
		if u.Source == root {
			files, err := g.Files(u)
			if err != nil {
				t.Fatal(err)
			}
			return files
		}
	}
	t.Fatalf("no unit %s", root)
	return nil
}

// TestWhatRunsAgain is about keys: what is done again after an edit.
func TestWhatRunsAgain(t *testing.T) {
	tests := []struct {
		name     string
		edit     func(files map[string]string)
		fragment string
		want     []string
	}{
		{"nothing, at another path", func(map[string]string) {}, options, nil},
		{"comment in a driver", func(f map[string]string) { f["drivers/a/part.rs"] = "// More.\n" + f["drivers/a/part.rs"] }, options,
			[]string{"rustc drivers/a/a"}},
		{"comment in the kernel crate, whose outputs stay", func(f map[string]string) { f["rust/kernel/time.rs"] += "// More.\n" }, options,
			[]string{"rustc kernel"}},
		{"function in the kernel crate", func(f map[string]string) { f["rust/kernel/time.rs"] += "fn f() {}\n" }, options,
			[]string{"rustc drivers/a/a", "rustc drivers/b", "rustc kernel"}},
		{"file that nothing reads", func(f map[string]string) { f["include/linux/unused.h"], f["README"] = "DATA x", "x" }, options, nil},
		{"comment in a header", func(f map[string]string) { f["include/linux/api.h"] += "// More.\n" }, options,
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "plan x86"}},
		{"structure in a header", func(f map[string]string) { f["include/linux/api.h"] += "DATA more\n" }, options,
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "plan x86",
				"rustc bindings", "rustc drivers/a/a", "rustc drivers/b", "rustc kernel"}},
		{"assembly that macros bring to drivers", func(f map[string]string) { f["rust/kernel/asm.rs.S"] = "DATA other\n" }, options,
			[]string{"cpp rust/kernel/asm.rs", "plan x86", "rustc drivers/a/a", "rustc drivers/b", "rustc kernel"}},
		{"option that no Rust mentions", func(map[string]string) {}, options + "CONFIG_MORE=y\n",
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "config x86", "cpp rust/kernel/asm.rs", "plan x86"}},
		{"option of one driver", func(map[string]string) {}, options + "CONFIG_A_DEBUG=y\n",
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "config x86", "cpp rust/kernel/asm.rs", "plan x86",
				"rustc drivers/a/a"}},
		{"option in a macro, which is its users' too", func(map[string]string) {}, options + "CONFIG_TRACE=y\n",
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "config x86", "cpp rust/kernel/asm.rs", "plan x86",
				"rustc drivers/a/a", "rustc drivers/b", "rustc kernel"}},
		{"option in a procedural macro", func(map[string]string) {}, options + "CONFIG_IN_QUOTE=y\n",
			[]string{"bindgen rust/bindings/bindings_generated.rs", "clang rust/helpers/helpers.bc", "config x86", "cpp rust/kernel/asm.rs", "plan x86",
				"rustc drivers/a/a", "rustc drivers/b", "rustc kernel", "rustc macros"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, plan := fixture(t)
			f := newFarm(t, plan)
			build(t, f, files, options)
			f.takeRan()
			tt.edit(files)
			build(t, f, files, tt.fragment)
			if d := cmp.Diff(tt.want, f.takeRan(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("actions that ran again (-want +got):\n%s", d)
			}
		})
	}
}

func TestModuleMadeByMacro(t *testing.T) {
	files, plan := fixture(t)
	files["drivers/a/a.rs"] = "make_mod!();\n"
	files["drivers/a/made.rs"] = "fn made() {}\n"
	f := newFarm(t, plan)
	g, err := open(t, f, files, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Bitcode(context.Background(), g.Units()[3]); err != nil {
		t.Errorf("a module that only the compiler knows of: %v", err)
	}
	if types, err := g.Types(context.Background(), g.Units()[3]); err != nil || len(types) != 4 {
		t.Errorf("its types: %v, %v", types, err)
	}
}

func TestCheckAndTypes(t *testing.T) {
	files, plan := fixture(t)
	f := newFarm(t, plan)
	g, _ := build(t, f, files, options)
	f.takeRan()
	for range 2 {
		b, err := g.Check(context.Background(), "mine", map[string][]byte{"lib.rs": []byte("mod m;"), "m.rs": []byte("fn check_m() {}")})
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Link) != 4 || b.Link[3] != b.Crate {
			t.Errorf("check links %v, want core, bindings, kernel and itself", b.Link)
		}
	}
	if d := cmp.Diff([]string{"rustc mine"}, f.takeRan()); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
	u := g.Units()[3]
	for range 2 {
		types, err := g.Types(context.Background(), u)
		b, _ := g.Bitcode(context.Background(), u)
		if err != nil || len(types) != 4 || types[0] == b.Crate {
			t.Errorf("types = %v, %v: want bitcode of its own for the driver, kernel, bindings and core", types, err)
		}
	}
	ran := f.takeRan()
	slices.Sort(ran)
	if d := cmp.Diff([]string{"rustc bindings", "rustc core", "rustc drivers/a/a", "rustc kernel"}, ran); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
}

// Types are compiled beside what is verified: neither waits for the other.
func TestTypesWaitForNoBitcode(t *testing.T) {
	files, plan := fixture(t)
	f := newFarm(t, plan)
	g, _ := build(t, f, files, options)
	f.takeRan()
	if _, err := g.Types(context.Background(), g.Units()[3]); err != nil {
		t.Fatal(err)
	}
	compiles := slices.DeleteFunc(f.takeRan(), func(a string) bool { return a != "rustc drivers/a/a" })
	if len(compiles) != 1 {
		t.Errorf("types of drivers/a/a took %d compiles of it, want 1", len(compiles))
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name     string
		edit     func(files map[string]string)
		fragment string
		want     []string
	}{
		{"no Rust", func(f map[string]string) { delete(f, "rust/kernel/lib.rs") }, "", []string{source.ErrNoRust.Error()}},
		{"option off", func(map[string]string) {}, "CONFIG_RUST=n\nCONFIG_HAVE_RUST=y\n", []string{"CONFIG_RUST is off in the configuration for x86", "depends on RUST_IS_AVAILABLE"}},
		{"does not compile", func(f map[string]string) { f["drivers/b.rs"] = "SYNTAX ERROR" }, "",
			[]string{"rustc drivers/b: exit status 1", "--> drivers/b.rs:1:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, plan := fixture(t)
			tt.edit(files)
			f := newFarm(t, plan)
			g, err := open(t, f, files, tt.fragment)
			if err == nil {
				_, err = g.Bitcode(context.Background(), g.Units()[4])
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %v\nwant %q in it", err, want)
				}
			}
		})
	}
}

func TestCratesInACircle(t *testing.T) {
	files, plan := fixture(t)
	plan = strings.Replace(plan, "--crate-name bindings", "--extern kernel --crate-name bindings", 1)
	_, err := open(t, newFarm(t, plan), files, options)
	if err == nil || !strings.Contains(err.Error(), "need one another: ") {
		t.Errorf("error = %v, want one about a circle", err)
	}
}

func TestOptionOffSaysWhy(t *testing.T) {
	files, plan := fixture(t)
	_, err := open(t, newFarm(t, plan), files, "CONFIG_RUST=n\nCONFIG_GCC_PLUGIN=y\n")
	var off *graph.ConfigError
	if !errors.As(err, &off) {
		t.Fatalf("error = %v", err)
	}
	if !strings.Contains(err.Error(), "this kernel has no Rust for x86") {
		t.Errorf("error = %v", err)
	}
	if d := cmp.Diff([]string{"HAVE_RUST", "!GCC_PLUGIN || CLANG", "RUST_IS_AVAILABLE"}, off.Unmet); d != "" {
		t.Errorf("conditions that do not hold (-want +got):\n%s", d)
	}
}
