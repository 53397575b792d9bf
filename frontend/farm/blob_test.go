package farm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

func TestBlobs(t *testing.T) {
	r := start(t)
	c := r.dial()
	want := map[digest.Digest][]byte{}
	content := texts{}
	var ds []digest.Digest
	for i := range 200 {
		b := castest.Bytes(uint64(i), i*500)
		d := digest.Of(b)
		want[d], content[d], ds = b, b, append(ds, d)
	}
	big := castest.Bytes(1000, 5<<20)
	d := digest.Of(big)
	want[d], content[d], ds = big, big, append(ds, d)
	if err := c.Upload(t.Context(), ds, content); err != nil {
		t.Fatal(err)
	}
	got, err := c.Blobs(t.Context(), ds, 10<<20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(want), len(got)); diff != "" {
		t.Error(diff)
	}
	for d, b := range want {
		if !bytes.Equal(got[d], b) {
			t.Errorf("%v reads as %d other bytes", d, len(got[d]))
		}
	}
	if _, err := c.Blobs(t.Context(), ds, 1000); err == nil {
		t.Error("no error about a blob above the limit")
	}
	if _, err := c.Blob(t.Context(), d, d.Size-1); err == nil {
		t.Error("no error about a blob above the limit")
	}
}

func TestSave(t *testing.T) {
	r := start(t)
	c := r.dial()
	d, err := cas.PutBlob(t.Context(), r.store, []byte("saved"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := c.Save(t.Context(), d, path); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "saved" {
		t.Errorf("file holds %q, %v", b, err)
	}
	if err := c.Save(t.Context(), digest.Of([]byte("lost")), filepath.Join(dir, "other")); err == nil {
		t.Error("no error about a blob that is not there")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
