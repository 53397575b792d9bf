package tree_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
)

// FuzzDecode reads bytes as a Directory and as a Tree: an error or something
// whose names can be used as file names.
func FuzzDecode(f *testing.F) {
	for _, files := range []tree.Files{{}, {"a": file("1")}, {"a/b": file("1"), "c": link("a"), "d": dir(digest.Empty)}} {
		m, err := tree.Build(files)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Dirs[m.Root])
		msg, err := m.Tree()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if msg, err := tree.Decode(b); err == nil {
			wantSound(t, msg)
		} else if msg != nil || !errors.Is(err, tree.ErrMalformed) {
			t.Errorf("Decode = %v, %v", msg, err)
		}
		if msg, err := tree.DecodeTree(b); err == nil {
			for _, dir := range append(msg.Children, msg.Root) {
				wantSound(t, dir)
			}
			tree.TreeFiles(digest.SHA256, msg)
		} else if msg != nil || !errors.Is(err, tree.ErrMalformed) {
			t.Errorf("DecodeTree = %v, %v", msg, err)
		}
	})
}

func wantSound(t *testing.T, msg *repb.Directory) {
	t.Helper()
	seen := map[string]bool{}
	name := func(n string) {
		if seen[n] || n == "" || n == "." || n == ".." || strings.ContainsAny(n, "/\x00") {
			t.Errorf("name %q is let through", n)
		}
		seen[n] = true
	}
	for _, n := range msg.Files {
		name(n.Name)
		_ = n.Digest.Hash
	}
	for _, n := range msg.Directories {
		name(n.Name)
		_ = n.Digest.Hash
	}
	for _, n := range msg.Symlinks {
		name(n.Name)
	}
	if _, err := proto.Marshal(msg); err != nil {
		t.Errorf("cannot be encoded again: %v", err)
	}
}

// FuzzBuild makes trees of arbitrary paths: what Build takes, Load returns.
func FuzzBuild(f *testing.F) {
	f.Add("a/b\na/c\nd", "x")
	f.Add("a\na/b", "../y")
	f.Add("a//b\n/\n.\n..", "")
	f.Add("a-b\na/b\na.b\na", "/")
	f.Fuzz(func(t *testing.T, paths, target string) {
		files := tree.Files{}
		for i, p := range strings.Split(paths, "\n") {
			switch i % 3 {
			case 0:
				files[p] = file(p)
			case 1:
				files[p] = dir(digest.Empty)
			case 2:
				files[p] = link(target)
			}
		}
		s := memstore.New()
		root, err := tree.Upload(t.Context(), s, files)
		if err != nil {
			return
		}
		got, err := tree.Load(t.Context(), s, root, tree.Limits{})
		if err != nil {
			t.Fatalf("Load of what Upload took = %v", err)
		}
		for p, e := range files { // explicit directories that others imply are not told of
			if _, ok := got[p]; !ok && e.Kind == tree.Dir {
				delete(files, p)
			}
		}
		if diff := cmp.Diff(files, got); diff != "" {
			t.Errorf("loaded files differ (-want +got):\n%s", diff)
		}
	})
}

// FuzzStatCache opens arbitrary bytes as a cache and scans with it.
func FuzzStatCache(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("kvfarm stats 1\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "stats")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		cache := openCache(t, path)
		if got := scan(t, dir, tree.ScanOptions{Cache: cache}); got["stats"].Digest != digest.Of(b) {
			t.Error("the cache lies")
		}
		if err := cache.Save(); err != nil {
			t.Error(err)
		}
	})
}
