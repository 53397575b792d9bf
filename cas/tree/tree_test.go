package tree_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
)

func file(s string) tree.Entry { return tree.Entry{Kind: tree.File, Digest: digest.Of([]byte(s))} }

func link(target string) tree.Entry { return tree.Entry{Kind: tree.Symlink, Target: target} }

func dir(d digest.Digest) tree.Entry { return tree.Entry{Kind: tree.Dir, Digest: d} }

func TestRoundTrip(t *testing.T) {
	exec := file("#!/bin/sh\n")
	exec.Exec = true
	tests := map[string]tree.Files{
		"nothing":   {},
		"file":      {"a": file("1")},
		"depth":     {"a/b/c/d": file("1"), "a/b.c": file("2"), "a/b/c.d": file("3"), "a.b": file("4"), "a/b-": file("5")},
		"kinds":     {"bin/sh": exec, "lib": link("usr/lib"), "up": link("../../x"), "abs": link("/etc"), "empty": dir(digest.Empty)},
		"odd names": {"-": file("1"), " ": file("2"), "a\nb/ü": file("3"), "...": file("4"), "a\\b": file("5"), "\x7f": file("6")},
		"many":      many(3000),
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			root, err := tree.Upload(t.Context(), s, files)
			if err != nil {
				t.Fatalf("Upload = %v", err)
			}
			got, err := tree.Load(t.Context(), s, root, tree.Limits{})
			if err != nil {
				t.Fatalf("Load = %v", err)
			}
			if diff := cmp.Diff(files, got); diff != "" {
				t.Errorf("loaded files differ (-want +got):\n%s", diff)
			}
		})
	}
}

func many(n int) tree.Files {
	files := tree.Files{}
	for i := range n {
		files[fmt.Sprintf("d%d/e%d/f%d.c", i%37, i%11, i)] = file(fmt.Sprint(i))
	}
	return files
}

// TestCanonical fixes the bytes: a change would empty every cache.
func TestCanonical(t *testing.T) {
	m, err := tree.Build(tree.Files{
		"b": file("x"), "a": link("b"), "c/d": file("y"), "c/e": dir(digest.Empty), "B": dir(digest.Of([]byte("graft"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	sub := &repb.Directory{
		Files:       []*repb.FileNode{{Name: "d", Digest: digest.Of([]byte("y")).Proto()}},
		Directories: []*repb.DirectoryNode{{Name: "e", Digest: digest.Empty.Proto()}},
	}
	root := &repb.Directory{
		Files: []*repb.FileNode{{Name: "b", Digest: digest.Of([]byte("x")).Proto()}},
		Directories: []*repb.DirectoryNode{
			{Name: "B", Digest: digest.Of([]byte("graft")).Proto()},
			{Name: "c", Digest: digest.Of(encode(t, sub)).Proto()},
		},
		Symlinks: []*repb.SymlinkNode{{Name: "a", Target: "b"}},
	}
	if want := digest.Of(encode(t, root)); m.Root != want {
		t.Errorf("root is %v, want %v", m.Root, want)
	}
	if len(m.Dirs) != 3 { // root, c, the empty one; not the graft
		t.Errorf("%d directories made, want 3", len(m.Dirs))
	}
}

func encode(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGraft(t *testing.T) {
	s := memstore.New()
	usr, err := tree.Upload(t.Context(), s, tree.Files{"bin/cc": file("cc"), "lib": link("x")})
	if err != nil {
		t.Fatal(err)
	}
	root, err := tree.Upload(t.Context(), s, tree.Files{"root/usr": dir(usr), "x/main.c": file("main")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := tree.Load(t.Context(), s, root, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Files{"root/usr/bin/cc": file("cc"), "root/usr/lib": link("x"), "x/main.c": file("main")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("loaded files differ (-want +got):\n%s", diff)
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		name  string
		files tree.Files
		want  string
	}{
		{"empty path", tree.Files{"": file("")}, "empty name"},
		{"absolute", tree.Files{"/a": file("")}, "empty name"},
		{"trailing slash", tree.Files{"a/": file("")}, "empty name"},
		{"double slash", tree.Files{"a//b": file("")}, "empty name"},
		{"dot", tree.Files{"a/./b": file("")}, "not clean"},
		{"dot dot", tree.Files{"a/../b": file("")}, "not clean"},
		{"not UTF-8", tree.Files{"a/\xff": file("")}, "not UTF-8"},
		{"zero byte", tree.Files{"a\x00": file("")}, "zero byte"},
		{"below a file", tree.Files{"a": file(""), "a/b": file("")}, `"a/b" is below "a", which is a file`},
		{"below a symlink", tree.Files{"a": link("x"), "a/b/c": file("")}, "which is a symlink"},
		{"below a graft", tree.Files{"a": dir(digest.Of([]byte("x"))), "a/b": file("")}, "known by digest"},
		{"no digest", tree.Files{"a": {}}, "hash is not 64"},
		{"no target", tree.Files{"a": link("")}, "empty symlink target"},
		{"odd target", tree.Files{"a": link("\xff")}, "not UTF-8"},
		{"odd kind", tree.Files{"a": {Kind: 77, Digest: digest.Empty}}, "kind 77"},
		{"too deep", tree.Files{strings.Repeat("a/", 600) + "b": file("")}, "limit of 512"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := tree.Build(test.files)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Build = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	d := digest.Empty.Proto()
	tests := []struct {
		name string
		msg  *repb.Directory
	}{
		{"twice", &repb.Directory{Files: []*repb.FileNode{{Name: "a", Digest: d}}, Symlinks: []*repb.SymlinkNode{{Name: "a", Target: "b"}}}},
		{"slash", &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "a/b", Digest: d}}}},
		{"dot dot", &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "..", Digest: d}}}},
		{"no name", &repb.Directory{Files: []*repb.FileNode{{Digest: d}}}},
		{"no digest", &repb.Directory{Files: []*repb.FileNode{{Name: "a"}}}},
		{"odd digest", &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "a", Digest: &repb.Digest{Hash: "x"}}}}},
		{"no target", &repb.Directory{Symlinks: []*repb.SymlinkNode{{Name: "a"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := memstore.New()
			root, err := cas.PutBlob(t.Context(), s, encode(t, test.msg))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tree.Load(t.Context(), s, root, tree.Limits{}); !errors.Is(err, tree.ErrMalformed) {
				t.Errorf("Load = %v, want ErrMalformed", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	s := memstore.New()
	root, err := tree.Upload(t.Context(), s, tree.Files{"a/b/c/d": file("")})
	if err != nil {
		t.Fatal(err)
	}
	for _, limits := range []tree.Limits{{Depth: 2}, {Entries: 3}} {
		if _, err := tree.Load(t.Context(), s, root, limits); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("Load within %+v = %v, want an error that names the limit", limits, err)
		}
	}
	if _, err := tree.Load(t.Context(), s, root, tree.Limits{Depth: 3, Entries: 4}); err != nil {
		t.Errorf("Load = %v", err)
	}
}

// TestBomb reads a tree of 60 messages that has 2^60 files.
func TestBomb(t *testing.T) {
	s := memstore.New()
	d := digest.Empty
	for range 60 {
		var err error
		if d, err = tree.Upload(t.Context(), s, tree.Files{"a": dir(d), "b": dir(d)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tree.Load(t.Context(), s, d, tree.Limits{Entries: 100000}); err == nil {
		t.Error("Load reads 2^60 files")
	}
}

func TestIncomplete(t *testing.T) {
	s := memstore.New()
	root, err := tree.Upload(t.Context(), s, tree.Files{"a": dir(digest.Of([]byte("gone")))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Load(t.Context(), s, root, tree.Limits{}); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("Load = %v, want ErrNotFound", err)
	}
}

func BenchmarkBuild50000(b *testing.B) {
	files := many(50000)
	for b.Loop() {
		if _, err := tree.Build(files); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTreeMessage(t *testing.T) {
	files := tree.Files{"a": file("1"), "b/c": file("2"), "d/c": file("2"), "e/f/g": file("3"), "l": link("a")}
	m, err := tree.Build(files)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Tree()
	if err != nil {
		t.Fatal(err)
	}
	msg, err := tree.DecodeTree(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := digest.Of(encode(t, msg.Root)); got != m.Root {
		t.Errorf("root is %v, want %v", got, m.Root)
	}
	if len(msg.Children) != 3 { // b and d are the same directory
		t.Errorf("%d children, want 3", len(msg.Children))
	}
	if got := tree.TreeFiles(digest.SHA256, msg); len(got) != 3 {
		t.Errorf("%d files, want 3: %v", len(got), got)
	}
	if m, err = tree.Build(tree.Files{"a": dir(digest.Of([]byte("x")))}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Tree(); err == nil {
		t.Error("a tree with a graft became a Tree message")
	}
}

func TestClosure(t *testing.T) {
	s := memstore.New()
	d := digest.Empty
	for range 60 { // 2^60 paths, 61 directories
		var err error
		if d, err = tree.Upload(t.Context(), s, tree.Files{"a": dir(d), "b": dir(d), "f": file("x")}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := tree.Closure(t.Context(), s, d, tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	set := map[digest.Digest]bool{}
	for _, d := range all {
		set[d] = true
	}
	if len(set) != 62 {
		t.Errorf("closure has %d blobs, want 61 directories and a file", len(set))
	}
	if _, err := tree.Closure(t.Context(), s, d, tree.Limits{Depth: 59}); err == nil {
		t.Error("closure is deeper than the limit")
	}
}
