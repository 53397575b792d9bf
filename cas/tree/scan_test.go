package tree_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
)

func write(t testing.TB, dir, path, content string, mode os.FileMode) {
	t.Helper()
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func scan(t testing.TB, dir string, opt tree.ScanOptions) tree.Files {
	t.Helper()
	files, err := tree.Scan(t.Context(), dir, opt)
	if err != nil {
		t.Fatalf("Scan = %v", err)
	}
	return files
}

// example fills dir with one of everything and returns what Scan makes of it.
func example(t testing.TB, dir string) tree.Files {
	t.Helper()
	write(t, dir, "Makefile", "all:\n", 0o644)
	write(t, dir, "scripts/run.sh", "#!/bin/sh\n", 0o755)
	write(t, dir, "scripts/ü", "", 0o600)
	if err := os.MkdirAll(filepath.Join(dir, "a/empty/dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../nowhere", filepath.Join(dir, "a/link")); err != nil {
		t.Fatal(err)
	}
	run := file("#!/bin/sh\n")
	run.Exec = true
	return tree.Files{
		"Makefile": file("all:\n"), "scripts/run.sh": run, "scripts/ü": file(""),
		"a/empty/dir": {Kind: tree.Dir, Digest: digest.Empty}, "a/link": link("../nowhere"),
	}
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	want := example(t, dir)
	if diff := cmp.Diff(want, scan(t, dir, tree.ScanOptions{})); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
	skip := func(path string, isDir bool) bool { return path == "a" && isDir || path == "Makefile" && !isDir }
	delete(want, "Makefile")
	delete(want, "a/empty/dir")
	delete(want, "a/link")
	if diff := cmp.Diff(want, scan(t, dir, tree.ScanOptions{Skip: skip})); diff != "" {
		t.Errorf("files without skipped ones differ (-want +got):\n%s", diff)
	}
}

func TestScanRefuses(t *testing.T) {
	tests := []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"pipe", func(dir string) error { return unix.Mkfifo(filepath.Join(dir, "p"), 0o600) }, `path "p": neither file`},
		{"odd name", func(dir string) error { return os.WriteFile(filepath.Join(dir, "\xff"), nil, 0o600) }, `"\xff" is not UTF-8`},
		{"odd folder", func(dir string) error { return os.Mkdir(filepath.Join(dir, "a\xff"), 0o700) }, `"a\xff" is not UTF-8`},
		{"odd target", func(dir string) error { return os.Symlink("\xff", filepath.Join(dir, "l")) }, `path "l": symlink target`},
		{"nothing there", os.Remove, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.make(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := tree.Scan(t.Context(), dir, tree.ScanOptions{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Scan = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestScanSkipsSpecial(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := scan(t, dir, tree.ScanOptions{SkipSpecial: true}); len(got) != 0 {
		t.Errorf("Scan finds %v", got)
	}
}

// age makes path look older than any race.
func age(t testing.TB, path string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

// settle waits until the change times of what has been written are old enough
// to be trusted.
func settle() { time.Sleep(2100 * time.Millisecond) }

func TestStatCacheSeesChanges(t *testing.T) {
	changes := map[string]func(t *testing.T, dir string){
		"content of the same size and time": func(t *testing.T, dir string) {
			write(t, dir, "f", "two", 0o644)
			age(t, filepath.Join(dir, "f"))
		},
		"another file renamed onto it": func(t *testing.T, dir string) {
			write(t, dir, "g", "two", 0o644)
			age(t, filepath.Join(dir, "g"))
			if err := os.Rename(filepath.Join(dir, "g"), filepath.Join(dir, "f")); err != nil {
				t.Fatal(err)
			}
		},
		"size": func(t *testing.T, dir string) { write(t, dir, "f", "longer", 0o644) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cache := openCache(t, filepath.Join(t.TempDir(), "stats"))
			write(t, dir, "f", "one", 0o644)
			age(t, filepath.Join(dir, "f"))
			settle()
			if got := scan(t, dir, tree.ScanOptions{Cache: cache}); got["f"] != file("one") {
				t.Fatalf("first scan: %v", got)
			}
			change(t, dir)
			want := scan(t, dir, tree.ScanOptions{})
			if diff := cmp.Diff(want, scan(t, dir, tree.ScanOptions{Cache: cache})); diff != "" {
				t.Errorf("with a cache the scan differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatCacheRace changes a file again and again between scans, faster than
// clocks tick.
func TestStatCacheRace(t *testing.T) {
	dir := t.TempDir()
	cache := openCache(t, filepath.Join(t.TempDir(), "stats"))
	for i := range 2000 {
		content := fmt.Sprintf("%04d", i)
		write(t, dir, "f", content, 0o644)
		if got := scan(t, dir, tree.ScanOptions{Cache: cache}); got["f"] != file(content) {
			t.Fatalf("scan %d sees stale content", i)
		}
	}
}

func openCache(t testing.TB, path string) *tree.StatCache {
	t.Helper()
	c, err := tree.OpenStatCache(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStatCachePersists shows that a saved cache is used instead of the files:
// it forges a digest in it.
func TestStatCachePersists(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "stats")
	write(t, dir, "f", "content", 0o644)
	settle()
	cache := openCache(t, path)
	scan(t, dir, tree.ScanOptions{Cache: cache})
	if err := cache.Save(); err != nil {
		t.Fatal(err)
	}
	forge(t, path)
	got := scan(t, dir, tree.ScanOptions{Cache: openCache(t, path)})
	raw, err := file("content").Digest.Raw()
	if err != nil {
		t.Fatal(err)
	}
	raw[31] ^= 1
	if want := digest.SHA256.FromRaw(raw, 7); got["f"].Digest != want {
		t.Errorf("digest is %v, want the forged %v", got["f"].Digest, want)
	}
}

// forge changes the last byte of the last record, and the checksum with it.
func forge(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const magic = 16
	body := b[magic+sha256.Size:]
	body[len(body)-1] ^= 1
	sum := sha256.Sum256(body)
	copy(b[magic:], sum[:])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStatCacheDamaged(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "stats")
	want := example(t, dir)
	settle()
	cache := openCache(t, path)
	scan(t, dir, tree.ScanOptions{Cache: cache})
	if err := cache.Save(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		damaged := append([]byte(nil), whole...)
		damaged[i] ^= 1
		for _, b := range [][]byte{damaged, whole[:i]} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, scan(t, dir, tree.ScanOptions{Cache: openCache(t, path)})); diff != "" {
				t.Fatalf("damaged at byte %d, files differ (-want +got):\n%s", i, diff)
			}
		}
	}
}

func TestUploadDir(t *testing.T) {
	dir := t.TempDir()
	want := example(t, dir)
	write(t, dir, "big", strings.Repeat("0123456789", 100000), 0o644)
	for i := range 3000 {
		write(t, dir, fmt.Sprintf("many/%d/%d", i%7, i), fmt.Sprint(i), 0o644)
	}
	files := scan(t, dir, tree.ScanOptions{})
	s := memstore.New()
	done, total := 0, 0
	root, err := tree.UploadDir(t.Context(), s, dir, files, func(d, n int) { done, total = d, n })
	if err != nil {
		t.Fatalf("UploadDir = %v", err)
	}
	got, err := tree.Load(t.Context(), s, root, tree.Limits{})
	if err != nil {
		t.Fatalf("Load = %v", err)
	}
	if diff := cmp.Diff(files, got); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
	all, err := tree.Closure(t.Context(), s, root, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if missing, err := s.Missing(t.Context(), all); err != nil || len(missing) > 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
	if distinct := 3000 + 1 + 2; done != distinct || total != distinct {
		t.Errorf("told of %d of %d contents, want %d", done, total, distinct)
	}
	if len(files) != len(want)+3001 {
		t.Errorf("%d files", len(files))
	}
}

func TestUploadDirSeesChange(t *testing.T) {
	for _, size := range []int{10, 1 << 20} {
		dir := t.TempDir()
		write(t, dir, "a", strings.Repeat("a", size), 0o644)
		write(t, dir, "b", strings.Repeat("b", size), 0o644)
		files := scan(t, dir, tree.ScanOptions{})
		write(t, dir, "b", strings.Repeat("c", size), 0o644)
		_, err := tree.UploadDir(t.Context(), memstore.New(), dir, files, nil)
		if !errors.Is(err, cas.ErrMismatch) || !strings.Contains(err.Error(), "b has changed") {
			t.Errorf("UploadDir = %v, want ErrMismatch that names b", err)
		}
	}
}

// BenchmarkScan50000 digests 50,000 files of 8 KiB, 400 MB in all.
func BenchmarkScan50000(b *testing.B) {
	dir := b.TempDir()
	content := strings.Repeat("0123456789abcdef", 512)
	for i := range 50000 {
		write(b, dir, fmt.Sprintf("d%d/e%d/f%d.c", i%37, i%59, i), fmt.Sprint(i, content), 0o644)
	}
	run := func(name string, cache *tree.StatCache) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if files := scan(b, dir, tree.ScanOptions{Cache: cache}); len(files) != 50000 {
					b.Fatal(len(files))
				}
			}
		})
	}
	settle()
	path := filepath.Join(b.TempDir(), "stats")
	run("reading", nil)
	cache := openCache(b, path)
	scan(b, dir, tree.ScanOptions{Cache: cache})
	if err := cache.Save(); err != nil {
		b.Fatal(err)
	}
	run("cached", openCache(b, path))
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			openCache(b, path)
		}
	})
}
