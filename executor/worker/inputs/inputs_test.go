package inputs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/executor/worker/inputs"
)

// countingStore counts what is read.
type countingStore struct {
	*memstore.Store
	by   digest.Function // of what tests put
	mu   sync.Mutex
	gets map[digest.Digest]int
	slow time.Duration
}

func newStore() *countingStore {
	return &countingStore{Store: memstore.New(), gets: make(map[digest.Digest]int)}
}

func (s *countingStore) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	s.mu.Lock()
	s.gets[d]++
	s.mu.Unlock()
	time.Sleep(s.slow)
	return s.Store.Get(ctx, d, offset)
}

// files makes a tree of files whose contents are given; "dir/" is a folder,
// "->x" a link to x.
func files(t testing.TB, s *countingStore, contents map[string]string) tree.Files {
	t.Helper()
	out := tree.Files{}
	for name, content := range contents {
		target, isLink := strings.CutPrefix(content, "->")
		dir, isDir := strings.CutSuffix(name, "/")
		switch {
		case isDir:
			out[dir] = tree.Entry{Kind: tree.Dir, Digest: digest.Empty}
		case isLink:
			out[name] = tree.Entry{Kind: tree.Symlink, Target: target}
		default:
			d := s.by.Of([]byte(content))
			if err := s.Put(t.Context(), d, strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			out[name] = tree.Entry{Kind: tree.File, Digest: d, Exec: strings.Contains(content, "#!")}
		}
	}
	return out
}

func upload(t testing.TB, s *countingStore, contents map[string]string) digest.Digest {
	t.Helper()
	m, err := tree.BuildBy(s.by, files(t, s, contents))
	if err == nil {
		err = m.Upload(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.Root
}

func open(t testing.TB, cfg inputs.Config, s cas.Store) *inputs.Cache {
	t.Helper()
	c, err := inputs.Open(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// pin pins tree d as inputs.
func pin(t testing.TB, c *inputs.Cache, d digest.Digest) *inputs.Pin {
	t.Helper()
	all, _, err := c.Split(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Inputs(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// read returns what a layer holds, in the form that files takes.
func read(t testing.TB, c *inputs.Cache, layer string) map[string]string {
	t.Helper()
	out := map[string]string{}
	top := filepath.Join(c.Dir(), layer)
	err := filepath.WalkDir(top, func(name string, e os.DirEntry, err error) error {
		if err != nil || name == top {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		out[rel], err = describe(name, e)
		if e.IsDir() {
			out[rel+"/"] = ""
			delete(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func describe(name string, e os.DirEntry) (string, error) {
	switch {
	case e.IsDir():
		return "", nil
	case e.Type() == os.ModeSymlink:
		target, err := os.Readlink(name)
		return "->" + target, err
	case e.Type().IsRegular():
		body, err := os.ReadFile(name)
		return string(body), err
	default:
		return "hidden", nil
	}
}

func TestRoot(t *testing.T) {
	s := newStore()
	want := map[string]string{"bin/": "", "bin/sh": "#!", "etc/": "", "etc/passwd": "nobody", "lib": "->usr/lib", "tmp/": ""}
	d := upload(t, s, want)
	c := open(t, inputs.Config{Dir: t.TempDir()}, s)
	p, err := c.Root(t.Context(), d, []string{"tmp", "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	want["x/"] = ""
	if diff := cmp.Diff(want, read(t, c, p.Layers[0])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for name, mode := range map[string]os.FileMode{"bin/sh": 0o755, "etc/passwd": 0o644, "etc": 0o755 | os.ModeDir} {
		info, err := os.Stat(filepath.Join(c.Dir(), p.Layers[0], name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != mode {
			t.Errorf("%s: mode %v, want %v", name, info.Mode(), mode)
		}
	}
	if _, err := c.Root(t.Context(), d, []string{"lib"}); err != nil {
		t.Errorf("root is there already: %v", err)
	}
	bad := upload(t, s, map[string]string{"x": "a file"})
	if _, err := c.Root(t.Context(), bad, []string{"x"}); !errors.Is(err, inputs.ErrBadRoot) {
		t.Errorf("root with a file as mount point: %v", err)
	}
	empty, err := c.Root(t.Context(), digest.Digest{}, []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"x/": ""}, read(t, c, empty.Layers[0])); diff != "" {
		t.Errorf("empty root (-want +got)\n%s", diff)
	}
}

func TestSplit(t *testing.T) {
	s := newStore()
	root := upload(t, s, map[string]string{"bin/": "", "bin/sh": "#!"})
	in := files(t, s, map[string]string{"a": "a"})
	in["root"] = tree.Entry{Kind: tree.Dir, Digest: root}
	d, err := tree.Upload(t.Context(), s, in)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, inputs.Config{Dir: t.TempDir()}, s)
	rest, off, err := c.Split(t.Context(), d, "root")
	if err != nil || off != root {
		t.Fatalf("split off %v, %v; want %v", off, err, root)
	}
	p, err := c.Inputs(t.Context(), rest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "a"}, read(t, c, p.Layers[0])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := s.gets[root]; n != 0 {
		t.Errorf("the root was read %d times", n)
	}
	if _, _, err := c.Split(t.Context(), d, "absent"); !errors.Is(err, inputs.ErrBadRoot) {
		t.Errorf("split off nothing: %v", err)
	}
}

func TestSingleFlight(t *testing.T) {
	s := newStore()
	s.slow = time.Millisecond
	contents := map[string]string{}
	for i := range 100 {
		contents[fmt.Sprintf("d%d/f%d", i%7, i)] = fmt.Sprint("content ", i%50)
	}
	d := upload(t, s, contents)
	c := open(t, inputs.Config{Dir: t.TempDir()}, s)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { pin(t, c, d).Release() })
	}
	wg.Wait()
	fetched, err := tree.Load(t.Context(), s.Store, d, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range fetched {
		if n := s.gets[e.Digest]; n != 1 {
			t.Errorf("%s was fetched %d times", name, n)
		}
	}
}

func TestMissing(t *testing.T) {
	s := newStore()
	d := upload(t, s, map[string]string{"a": "1", "b": "2", "c/d": "2", "e/f": "3"})
	gone := []digest.Digest{digest.Of([]byte("1")), digest.Of([]byte("2"))}
	s.Delete(gone...)
	c := open(t, inputs.Config{Dir: t.TempDir()}, s)
	for range 2 {
		_, err := c.Root(t.Context(), d, nil)
		var missing *inputs.MissingError
		if !errors.As(err, &missing) || len(missing.Digests) != 2 || !errors.Is(err, cas.ErrNotFound) {
			t.Errorf("missing: %v", err)
		}
	}
	if _, err := cas.PutBlob(t.Context(), s, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := cas.PutBlob(t.Context(), s, []byte("2")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Root(t.Context(), d, nil); err != nil {
		t.Errorf("when they are there: %v", err)
	}
}

// lyingStore says "lie!" for every file of that size.
type lyingStore struct{ *countingStore }

func (s lyingStore) Get(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	if d.Size == 4 {
		return io.NopCloser(strings.NewReader("lie!")), nil
	}
	return s.countingStore.Get(ctx, d, offset)
}

func TestContentIsChecked(t *testing.T) {
	s := newStore()
	d := upload(t, s, map[string]string{"a": "true"})
	c := open(t, inputs.Config{Dir: t.TempDir()}, lyingStore{s})
	if _, err := c.Root(t.Context(), d, nil); !errors.Is(err, cas.ErrMismatch) {
		t.Errorf("root: %v", err)
	}
	all, _, err := c.Split(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inputs(t.Context(), all); !errors.Is(err, cas.ErrMismatch) {
		t.Errorf("inputs: %v", err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	c := open(t, inputs.Config{Dir: dir}, newStore())
	if _, err := inputs.Open(inputs.Config{Dir: dir}, newStore()); !errors.Is(err, inputs.ErrInUse) {
		t.Errorf("second: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, inputs.Config{Dir: dir}, newStore())
}

// TestRestart checks that trees are taken over from an earlier process, and
// half-made ones are not.
func TestRestart(t *testing.T) {
	s := newStore()
	dir := t.TempDir()
	content := map[string]string{"a": "1", "b/": "", "b/c": "2"}
	d := upload(t, s, content)
	first := open(t, inputs.Config{Dir: dir}, s)
	if _, err := first.Root(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	pin(t, first, d)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	boots, err := filepath.Glob(filepath.Join(dir, "boot-*"))
	if err != nil || len(boots) != 1 {
		t.Fatal(boots, err)
	}
	leftover := filepath.Join(boots[0], "tmp", "7", "half")
	old := filepath.Join(dir, "boot-of-yesterday", "trees", "t")
	for _, junk := range []string{leftover, old} {
		if err := os.MkdirAll(junk, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	clear(s.gets)
	c := open(t, inputs.Config{Dir: dir}, s)
	root, err := c.Root(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*inputs.Pin{root, pin(t, c, d)} {
		if diff := cmp.Diff(content, read(t, c, p.Layers[0])); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	if n := s.gets[digest.Of([]byte("1"))]; n != 0 {
		t.Errorf("a file was fetched %d times again", n)
	}
	for _, junk := range []string{leftover, old} {
		if _, err := os.Stat(junk); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", junk, err)
		}
	}
}

// TestOrderOfUseIsKept drops the longest unused tree although another process
// used it.
func TestOrderOfUseIsKept(t *testing.T) {
	s := newStore()
	var trees []digest.Digest
	for i := range 3 {
		trees = append(trees, upload(t, s, map[string]string{"f": strings.Repeat(fmt.Sprint(i), 1000)}))
	}
	use := func(c *inputs.Cache, i int) {
		p, err := c.Root(t.Context(), trees[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Release()
	}
	dir := t.TempDir()
	first := open(t, inputs.Config{Dir: dir}, s)
	for _, i := range []int{0, 1, 0} {
		use(first, i)
		time.Sleep(20 * time.Millisecond) // more than the clock of the file system
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, inputs.Config{Dir: dir, Bytes: 2500}, s)
	use(second, 2)
	clear(s.gets)
	use(second, 0)
	if n := s.gets[digest.Of([]byte(strings.Repeat("0", 1000)))]; n != 0 {
		t.Error("the tree that was used last was dropped")
	}
}

func TestLimits(t *testing.T) {
	s := newStore()
	var trees []digest.Digest
	for i := range 20 {
		trees = append(trees, upload(t, s, map[string]string{"f": strings.Repeat(fmt.Sprint(i%10), 1000) + fmt.Sprint(i)}))
	}
	for _, cfg := range []inputs.Config{{Bytes: 10_000}, {Entries: 20}} {
		cfg.Dir = t.TempDir()
		c := open(t, cfg, s)
		held := pin(t, c, trees[0])
		for _, d := range trees[1:] {
			pin(t, c, d).Release()
			root, err := c.Root(t.Context(), d, nil)
			if err != nil {
				t.Fatal(err)
			}
			root.Release()
		}
		if got := read(t, c, held.Layers[0]); len(got) != 1 {
			t.Errorf("what was in use is %v", got)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		bytes, entries := usage(t, cfg.Dir)
		if cfg.Bytes != 0 && bytes > 12_000 || cfg.Entries != 0 && entries > 60 {
			t.Errorf("limits %d bytes, %d entries: left %d, %d", cfg.Bytes, cfg.Entries, bytes, entries)
		}
	}
}

func usage(t *testing.T, dir string) (bytes, entries int64) {
	t.Helper()
	seen := map[any]bool{}
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && !seen[inode(info)] {
			seen[inode(info)] = true
			bytes += info.Size()
		}
		entries++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes, entries
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
