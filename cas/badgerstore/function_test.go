package badgerstore_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// TestFunctionsOutliveRestart stores the same contents and results under every
// digest function, opens the store again, and takes away what belongs to one.
func TestFunctionsOutliveRestart(t *testing.T) {
	dir := t.TempDir()
	r := &rig{t: t}
	var err error
	if r.Store, err = openQuiet(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	actions, outputs := map[digest.Function]digest.Digest{}, map[digest.Function][]digest.Digest{}
	for _, f := range digest.Functions() {
		r.by = f
		actions[f], outputs[f] = r.setResult(1)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Store = openDir(t, dir)
	if report, err := r.Fsck(t.Context()); err != nil || !report.Clean() || report.Checked.Blobs != 10 || report.Checked.Results != 2 {
		t.Fatalf("Fsck = %+v, %v; want ten blobs and two results, all sound", report, err)
	}
	listed, err := r.Results(t.Context())
	if err != nil || len(listed) != 2 || !slices.Contains(listed, actions[digest.BLAKE3]) || !slices.Contains(listed, actions[digest.SHA256]) {
		t.Errorf("Results = %v, %v, want %v", listed, err, actions)
	}
	r.SetClock(later)
	if _, err := r.Result(t.Context(), actions[digest.BLAKE3]); err != nil { // used later than the other
		t.Fatal(err)
	}
	r.gc(badgerstore.GCConfig{Limit: 5 * mib / 4})
	r.wantHas(outputs[digest.BLAKE3], true, true, true, true, true)
	if _, err := r.Result(t.Context(), actions[digest.SHA256]); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("the other function's result: %v, want ErrNotFound", err)
	}
	if missing, err := r.Missing(t.Context(), outputs[digest.SHA256]); err != nil || len(missing) < 3 {
		t.Errorf("of the other function's blobs only %v are gone, %v", missing, err)
	}
}

// TestFsckChecksByTheFunction has a blob under the wrong function's name: its
// frames are whole, so that nothing but its digest can tell.
func TestFsckChecksByTheFunction(t *testing.T) {
	s := openDir(t, t.TempDir())
	b := castest.Bytes(1, 5000)
	wrong := digest.Digest{Hash: digest.Of(b).Hash, Size: int64(len(b)), Function: digest.BLAKE3}
	if err := s.PutUnchecked(wrong, b); err != nil {
		t.Fatal(err)
	}
	right := digest.BLAKE3.Of(b)
	if err := s.Put(t.Context(), right, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	report, err := s.Fsck(t.Context())
	if err != nil || !slices.Equal(report.CorruptBlobs, []digest.Digest{wrong}) {
		t.Errorf("Fsck = %+v, %v, want %v to be corrupt", report, err, wrong)
	}
}
