package toolchain_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/kbuild/toolchain"
)

func TestRecipes(t *testing.T) {
	for _, r := range toolchain.Recipes {
		if got, err := toolchain.RecipeFor(r.Name); err != nil || got.Name != r.Name {
			t.Errorf("recipe %s = %v, %v", r.Name, got.Name, err)
		}
	}
	if _, err := toolchain.RecipeFor("none"); err == nil || !strings.Contains(err.Error(), "kernel, sdk") {
		t.Errorf("error = %v, want one that lists what there is", err)
	}
}

func TestNothingIsMade(t *testing.T) {
	dir := t.TempDir()
	if _, err := toolchain.Find(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "toolchain make") {
		t.Errorf("error = %v, want one that says what to do", err)
	}
	if l, err := (toolchain.Cache{Dir: dir}).List(); len(l) > 0 || err != nil {
		t.Errorf("list = %v, %v, want nothing", l, err)
	}
}

func TestListsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "toolchains", "kernel-old")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(at, "toolchain.json")
	if err := os.WriteFile(meta, []byte(`{"Name": "kernel", "Env": {"PATH": "/bin"}, "Packages": [{"Name": "rustc", "Version": "1"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	c := toolchain.Cache{Dir: dir}
	l, err := c.List()
	if err != nil || len(l) != 1 || l[0].Dir != filepath.Join(at, "root") || l[0].Env["PATH"] != "/bin" || l[0].Packages[0].Name != "rustc" {
		t.Errorf("list = %+v, %v", l, err)
	}
	if err := l[0].Import(context.Background(), memstore.New(), nil); err == nil {
		t.Error("a root that no action runs in was imported")
	}
	if err := os.WriteFile(meta, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(); err == nil {
		t.Error("a damaged toolchain.json is no error")
	}
}

func TestSourceRefuses(t *testing.T) {
	c := toolchain.Cache{Dir: t.TempDir()}
	for _, pkg := range []string{"", "linux-source", "linux-image-7.2", "linux-source-7.2=", "linux-source-7.2=1;rm", "linux-source-7.2 x"} {
		if _, err := c.Source(context.Background(), &toolchain.Toolchain{}, pkg); err == nil || !strings.Contains(err.Error(), "want linux-source") {
			t.Errorf("source %q: error = %v", pkg, err)
		}
	}
}

func TestSourceWithoutMirror(t *testing.T) {
	dir := t.TempDir()
	c := toolchain.Cache{Dir: dir}
	nowhere := &toolchain.Toolchain{Dir: filepath.Join(dir, "no-root")}
	if _, err := c.Source(context.Background(), nowhere, "linux-source-7.2"); err == nil {
		t.Error("no mirror and nothing unpacked is no error")
	}
	want := filepath.Join(dir, "sources", "linux-source-7.2_7.2.6-1")
	if err := os.MkdirAll(want, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"linux-source-7.2", "linux-source-7.2=7.2.6-1", "linux-source-7.2=7.2.6"} {
		if got, err := c.Source(context.Background(), nowhere, pkg); got != want || err != nil {
			t.Errorf("source %s = %q, %v, want what is there", pkg, got, err)
		}
	}
	if got, err := c.Source(context.Background(), nowhere, "linux-source-7.2=7.2.60"); err == nil {
		t.Errorf("a version that is not there is %s", got)
	}
}
