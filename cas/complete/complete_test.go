package complete_test

import (
	"errors"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/complete"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
)

func TestActionCache(t *testing.T) {
	castest.RunActionCache(t, func(*testing.T) cas.ActionCache {
		return complete.New(memstore.NewActionCache(), memstore.New())
	})
}

// rig is a store with the result of one action that has outputs of all kinds.
type rig struct {
	store  *memstore.Store
	cache  *complete.ActionCache
	action digest.Digest
}

func newRig(t *testing.T, f digest.Function, format string) rig {
	t.Helper()
	r := rig{store: memstore.New(), action: f.Of([]byte("action"))}
	r.cache = complete.New(memstore.NewActionCache(), r.store)
	put := func(s string) digest.Digest {
		d := f.Of([]byte(s))
		if err := r.store.Put(t.Context(), d, strings.NewReader(s)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	m, err := tree.BuildBy(f, tree.Files{
		"a":     {Digest: put("in tree")},
		"b/c":   {Digest: put("deep in tree")},
		"b/d/e": {Digest: put("in tree")},
		"f/g":   {Kind: tree.Symlink, Target: "nowhere"},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := &repb.OutputDirectory{Path: "dir"}
	if format != "directory" {
		msg, err := m.Tree()
		if err != nil {
			t.Fatal(err)
		}
		out.TreeDigest = put(string(msg)).Proto()
	}
	if format != "tree" {
		out.RootDirectoryDigest = m.Root.Proto()
		if err := m.Upload(t.Context(), r.store); err != nil {
			t.Fatal(err)
		}
	}
	result := &repb.ActionResult{
		OutputFiles:       []*repb.OutputFile{{Path: "f", Digest: put("file").Proto()}, {Path: "e", Digest: f.Empty().Proto()}},
		OutputDirectories: []*repb.OutputDirectory{out},
		StdoutDigest:      put("stdout").Proto(),
		StderrDigest:      put("stderr").Proto(),
		StdoutRaw:         []byte("stdout"),
	}
	if err := r.cache.SetResult(t.Context(), r.action, result); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryBlobCounts takes each blob away in turn.
func TestEveryBlobCounts(t *testing.T) {
	for _, f := range digest.Functions() {
		for format, blobs := range map[string]int{"tree": 6, "directory": 5 + 4, "both": 6 + 4} {
			t.Run(f.String()+" "+format, func(t *testing.T) { everyBlobCounts(t, f, format, blobs) })
		}
	}
}

func everyBlobCounts(t *testing.T, f digest.Function, format string, blobs int) {
	all := newRig(t, f, format).store.Digests()
	if len(all) != blobs {
		t.Fatalf("rig has %d blobs, want %d", len(all), blobs)
	}
	for _, d := range all {
		r := newRig(t, f, format)
		if _, err := r.cache.Result(t.Context(), r.action); err != nil {
			t.Fatalf("Result of a complete action = %v", err)
		}
		r.store.Delete(d)
		if _, err := r.cache.Result(t.Context(), r.action); !errors.Is(err, cas.ErrNotFound) {
			t.Errorf("Result without %v = %v, want ErrNotFound", d, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	bad := &repb.Digest{Hash: "zz", SizeBytes: 1}
	junk := []byte("\xff no message")
	for name, result := range map[string]*repb.ActionResult{
		"file":           {OutputFiles: []*repb.OutputFile{{Path: "f", Digest: bad}}},
		"no digest":      {OutputFiles: []*repb.OutputFile{{Path: "f"}}},
		"stdout":         {StdoutDigest: bad},
		"tree":           {OutputDirectories: []*repb.OutputDirectory{{TreeDigest: bad}}},
		"directory":      {OutputDirectories: []*repb.OutputDirectory{{RootDirectoryDigest: bad}}},
		"junk tree":      {OutputDirectories: []*repb.OutputDirectory{{TreeDigest: digest.Of(junk).Proto()}}},
		"junk directory": {OutputDirectories: []*repb.OutputDirectory{{RootDirectoryDigest: digest.Of(junk).Proto()}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			if _, err := cas.PutBlob(t.Context(), s, junk); err != nil {
				t.Fatal(err)
			}
			c := complete.New(memstore.NewActionCache(), s)
			if err := c.SetResult(t.Context(), digest.Empty, result); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Result(t.Context(), digest.Empty); !errors.Is(err, cas.ErrNotFound) {
				t.Errorf("Result = %v, want ErrNotFound", err)
			}
		})
	}
}
