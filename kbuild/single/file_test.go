package single_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/kbuild/single"
)

// write makes files in a folder of their own, which becomes the working folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadTakesWhatFilesTakeIn(t *testing.T) {
	write(t, map[string]string{
		"rust/a.rs": "mod b;\nmod kvfarm;\nconst T: &str = include_str!(\"table.txt\");", "rust/b.rs": "mod c;", "rust/b/c.rs": "//", "rust/table.txt": "1",
		"rust/other.rs": "//",
		"c/a.c":         "#include \"inc/x.h\"\n#include <stdlib.h>\n#include \"none.h\"\n#include \"../secret.h\"\n", "c/inc/x.h": "#include \"y.h\"\n#include \"x.h\"\n", "c/inc/y.h": "//",
		"secret.h": "//",
	})
	for file, want := range map[string][]string{
		"rust/a.rs": {"rust/a.rs", "rust/b.rs", "rust/b/c.rs", "rust/table.txt"},
		"c/a.c":     {"c/a.c", "c/inc/x.h", "c/inc/y.h"},
	} {
		got, err := single.Read([]string{"./" + file})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(got[0].Files))); d != "" || got[0].Name != file {
			t.Errorf("%s is called %s and takes in (-want +got):\n%s", file, got[0].Name, d)
		}
	}
}

func TestReadNamesFilesApart(t *testing.T) {
	dir := write(t, map[string]string{"x/a.rs": "//", "y/a.rs": "//", "here/a.rs": "//", "here/z/a.rs": "//"})
	t.Chdir("here")
	got, err := single.Read([]string{"a.rs", "z/a.rs", "../x/a.rs", filepath.Join(dir, "y/a.rs")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range got {
		names = append(names, f.Name)
	}
	if d := cmp.Diff([]string{"a.rs", "z/a.rs", "x/a.rs", "y/a.rs"}, names); d != "" {
		t.Error(d)
	}
}

func TestReadRefuses(t *testing.T) {
	write(t, map[string]string{"empty.rs": "", "a.txt": "//", "noext": "//", "folder.rs/x": "", "a.rs": "//", "-a.rs": "//", "@a.rs": "//"})
	for want, files := range map[string][]string{
		"empty.rs is empty":                 {"empty.rs"},
		"a.txt: want a file whose name":     {"a.txt"},
		"noext: want a file whose name":     {"noext"},
		"folder.rs is a folder":             {"folder.rs"},
		"there is no file none.c":           {"none.c"},
		"name that begins with -":           {"-a.rs"},
		"name that begins with @":           {"./@a.rs"},
		"a.rs is named twice":               {"a.rs", "./a.rs"},
		"/dev/null: want a file whose name": {"/dev/null"},
	} {
		if _, err := single.Read(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", files, err, want)
		}
	}
}
