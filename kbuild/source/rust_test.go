package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kvfarm/kvfarm/kbuild/source"
)

func TestParseRust(t *testing.T) {
	tests := []struct {
		name, src string
		want      source.File
	}{
		{"modules", "pub mod a;\nmod b { mod c; mod d {} mod e; }\nmod f;", source.File{Modules: []source.Module{
			{Name: "a"}, {Name: "c", Parent: []string{"b"}}, {Name: "e", Parent: []string{"b"}}, {Name: "f"}}}},
		{"raw name", "mod r#type;", source.File{Modules: []source.Module{{Name: "type"}}}},
		{"path", "#[cfg(x)]\n#[path = \"x/y.rs\"]\npub(crate) mod a;\nmod b;", source.File{
			Modules: []source.Module{{Name: "a", Path: "x/y.rs"}, {Name: "b"}}}},
		{"comments and strings", "// mod a;\n/* mod b; /* mod c; */ mod d; */ const X: &str = \"mod e;\";\nconst Y: &[u8] = br#\"\" mod f;\"#;", source.File{}},
		{"characters and lifetimes", `const Q: char = '"'; fn f<'a>(x: &'a str) -> char { '\'' } const Z: u8 = b'"'; const E: char = 'é'; mod a;`,
			source.File{Modules: []source.Module{{Name: "a"}}}},
		{"options", "#[cfg(CONFIG_A)] fn f() { if cfg!(CONFIG_B_2) {} } // CONFIG_C\nconst S: &str = \"x CONFIG_D y CONFIG_E\";",
			source.File{Options: []string{"CONFIG_A", "CONFIG_B_2", "CONFIG_D", "CONFIG_E"}}},
		{"macros", "macro_rules! m { () => { #[cfg(CONFIG_A)] { include!(concat!(env!(\"OBJTREE\"), \"/rust/g.rs\")); } }; }\n#[cfg(CONFIG_B)] fn f() {}",
			source.File{Options: []string{"CONFIG_A", "CONFIG_B"}, Exported: []string{"CONFIG_A"},
				Strings: []string{"/rust/g.rs"}, Macros: []string{"/rust/g.rs"}}},
		{"included", `const X: &[u8] = include_bytes!("fw.bin"); include!("a.rs");`,
			source.File{Included: []string{"fw.bin", "a.rs"}}},
		{"unfinished", "mod a; \"mod b;", source.File{Modules: []source.Module{{Name: "a"}}}},
		{"nothing", "", source.File{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(&tt.want, source.ParseRust([]byte(tt.src)), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("file (-want +got):\n%s", d)
			}
		})
	}
}

func FuzzParseRust(f *testing.F) {
	f.Add([]byte("mod a { #[path = \"b\"] mod c; } r#\"x\"# 'a 'b' b'c' macro_rules! m { () => {} }"))
	f.Add([]byte("'\\"))
	f.Add([]byte("r#"))
	f.Fuzz(func(t *testing.T, src []byte) {
		source.ParseRust(src) // ends, and does not panic
	})
}

// write makes a tree of the given files.
func write(t *testing.T, files map[string]string) string {
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
	return dir
}

func TestCrate(t *testing.T) {
	dir := write(t, map[string]string{
		"d/root.rs":        "mod a; mod b; mod in_line { mod x; } #[path = \"other/o.rs\"] mod o; mod absent; include_bytes!(\"data\");",
		"d/a.rs":           "mod deep; // CONFIG_NO",
		"d/a/deep.rs":      "#[cfg(CONFIG_DEEP)] fn f() {}",
		"d/deep.rs":        "not of this crate",
		"d/b/mod.rs":       "mod c;",
		"d/b/c.rs":         "",
		"d/in_line/x.rs":   "",
		"d/other/o.rs":     "mod p;",
		"d/other/p.rs":     "",
		"d/other/o/p.rs":   "not of this crate",
		"d/data":           "CONFIG_DATA",
		"d/unmentioned.rs": "",
	})
	c, err := source.NewSources(dir).Crate("d/root.rs")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"d/a.rs", "d/a/deep.rs", "d/b/c.rs", "d/b/mod.rs", "d/data", "d/in_line/x.rs", "d/other/o.rs", "d/other/p.rs", "d/root.rs"}
	if d := cmp.Diff(want, c.Files) + cmp.Diff([]string{"CONFIG_DEEP"}, c.Options); d != "" {
		t.Errorf("crate (-want +got):\n%s", d)
	}
}

func TestCrateWithoutRoot(t *testing.T) {
	if _, err := source.NewSources(t.TempDir()).Crate("a.rs"); err == nil {
		t.Error("a crate without a root file is no error")
	}
}
