package badgerstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// outage is a store whose machine loses its power: what has not been flushed is
// lost, and that is all of the index since the store was opened, but nothing of
// the packs.
type outage struct {
	t     *testing.T
	dir   string // of the store
	after string // what is there afterwards
	*badgerstore.Store
}

func newOutage(t *testing.T, dir string) *outage {
	o := &outage{t: t, dir: dir, after: t.TempDir(), Store: openDir(t, dir)}
	o.keep("index")
	return o
}

func (o *outage) keep(folder string) {
	o.t.Helper()
	if err := os.CopyFS(filepath.Join(o.after, folder), os.DirFS(filepath.Join(o.dir, folder))); err != nil {
		o.t.Fatal(err)
	}
}

// put stores what has these numbers, some of it in batches.
func (o *outage) put(from, to uint64) {
	o.t.Helper()
	var batch []cas.Blob
	for seed := from; seed < to; seed++ {
		if b := crashBlob(seed); len(b) < 5000 {
			batch = append(batch, cas.Blob{Digest: crashFunction(seed).Of(b), Data: b})
			continue
		}
		if err := writeOne(o.t.Context(), o.Store, seed); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := errors.Join(o.PutBatch(o.t.Context(), batch)...); err != nil {
		o.t.Fatal(err)
	}
	for seed := from; seed < to; seed++ {
		action, result := crashResult(seed)
		if err := o.SetResult(o.t.Context(), action, result); err != nil {
			o.t.Fatal(err)
		}
	}
}

func seeds(from, to uint64) map[uint64]bool {
	m := map[uint64]bool{}
	for seed := from; seed < to; seed++ {
		m[seed] = true
	}
	return m
}

// TestPowerFailure: what was acknowledged is there though the index was never
// flushed, again and again.
func TestPowerFailure(t *testing.T) {
	dir := t.TempDir()
	for round := range uint64(4) {
		o := newOutage(t, dir)
		o.put(round*100, round*100+100)
		o.keep("packs")
		dir = o.after
		verify(t, dir, seeds(0, round*100+100))
	}
}

// TestPowerFailureAfterCollection: what a collection has left is there, and what
// it has freed is not believed to be.
func TestPowerFailureAfterCollection(t *testing.T) {
	o := newOutage(t, t.TempDir())
	o.put(0, 100)
	o.SetClock(later)
	if _, err := o.GC(t.Context(), badgerstore.GCConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(o.after, "index")); err != nil {
		t.Fatal(err)
	}
	o.keep("index")
	o.put(100, 200)
	o.keep("packs")
	verify(t, o.after, seeds(100, 200))
	s := openDir(t, o.after)
	for seed := range uint64(100) {
		d := crashFunction(seed).Of(crashBlob(seed))
		missing, err := s.Missing(t.Context(), []digest.Digest{d})
		if err != nil || len(missing) == 0 && len(crashBlob(seed)) > 0 {
			t.Errorf("blob %d, which was collected: missing %v, %v", seed, missing, err)
		}
	}
}

// TestLastResultCounts: of results that replaced one another the last is restored.
func TestLastResultCounts(t *testing.T) {
	o := newOutage(t, t.TempDir())
	action := digest.Of([]byte("action"))
	for code := range int32(5) {
		if err := o.SetResult(t.Context(), action, &repb.ActionResult{ExitCode: code}); err != nil {
			t.Fatal(err)
		}
	}
	o.keep("packs")
	if r, err := openDir(t, o.after).Result(t.Context(), action); err != nil || r.ExitCode != 4 {
		t.Errorf("Result = %v, %v; want the last, 4", r, err)
	}
}

// TestTornPacks: of packs that were not flushed either some stretches are lost.
// What is restored is whole.
func TestTornPacks(t *testing.T) {
	for range 8 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			o := newOutage(t, t.TempDir())
			o.put(0, 60)
			o.keep("packs")
			packs, err := filepath.Glob(filepath.Join(o.after, "packs", "*"))
			if err != nil || len(packs) == 0 {
				t.Fatal(packs, err)
			}
			for _, pack := range packs {
				edit(t, pack, func(b []byte) []byte {
					for range rng.IntN(4) {
						at := rng.IntN(len(b)) &^ 4095
						clear(b[at:min(len(b), at+4096*rng.IntN(20))])
					}
					return b[:len(b)-rng.IntN(len(b)/2)]
				})
			}
			s := openDir(t, o.after)
			if report, err := s.Fsck(t.Context()); err != nil || len(report.CorruptBlobs)+len(report.CorruptResults) > 0 {
				t.Errorf("Fsck = %+v, %v", report, err)
			}
			for n := range uint64(60) {
				b := crashBlob(n)
				got, err := readAll(t, s, crashFunction(n).Of(b))
				if err == nil && !bytes.Equal(got, b) || err != nil && !errors.Is(err, cas.ErrNotFound) {
					t.Errorf("blob %d reads as %d bytes, %v", n, len(got), err)
				}
			}
		})
	}
}

// TestForgedExtent: what looks like an extent is believed only if it was written
// by who wrote last, which nobody else can look like.
func TestForgedExtent(t *testing.T) {
	forged := castest.Bytes(7, 100)
	for _, own := range []bool{true, false} {
		dir := t.TempDir()
		if s := openDir(t, dir); errors.Join(writeOne(t.Context(), s, 1), s.Close()) != nil {
			t.Fatal("write")
		}
		o := newOutage(t, dir)
		o.keep("packs")
		packs, err := filepath.Glob(filepath.Join(o.after, "packs", "*"))
		if err != nil || len(packs) == 0 {
			t.Fatal(packs, err)
		}
		edit(t, packs[0], func(b []byte) []byte { return append(b, o.Forge(packs[0], len(b), own, forged)...) })
		if _, err := readAll(t, openDir(t, o.after), digest.Of(forged)); own != (err == nil) {
			t.Errorf("own seal %v: read = %v", own, err)
		}
	}
}

// TestUploadAcrossCheckpoint: what is on its way while the index is flushed is
// not taken for flushed, nor is what comes after it.
func TestUploadAcrossCheckpoint(t *testing.T) {
	o := newOutage(t, t.TempDir())
	slow := castest.Bytes(1, 3*mib)
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- o.Put(t.Context(), digest.Of(slow), r) }()
	if _, err := w.Write(slow[:mib]); err != nil {
		t.Fatal(err)
	}
	o.put(0, 50)
	if _, err := o.GC(t.Context(), badgerstore.GCConfig{Limit: 1 << 40}); err != nil { // flushes the index
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(o.after, "index")); err != nil {
		t.Fatal(err)
	}
	o.keep("index")
	o.put(50, 100)
	if _, err := w.Write(slow[mib:]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), <-done); err != nil {
		t.Fatal(err)
	}
	o.keep("packs")
	verify(t, o.after, seeds(0, 100))
	if got, err := readAll(t, openDir(t, o.after), digest.Of(slow)); err != nil || !bytes.Equal(got, slow) {
		t.Errorf("the slow upload reads as %d bytes, %v", len(got), err)
	}
}

// TestKilledWhileOpening: files that badger had just made have no content.
func TestKilledWhileOpening(t *testing.T) {
	for _, name := range []string{"000099.vlog", "00099.mem", "000099.sst"} {
		dir := t.TempDir()
		s := openDir(t, dir)
		d, err := cas.PutBlob(t.Context(), s, castest.Bytes(1, 1000))
		if err := errors.Join(err, s.Close(), os.WriteFile(filepath.Join(dir, "index", name), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if s, err = openQuiet(t.Context(), dir); err != nil {
			t.Errorf("with an empty %s: %v", name, err)
			continue
		}
		if _, err := readAll(t, s, d); err != nil {
			t.Errorf("with an empty %s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLazy: a store that flushes later keeps what is put, and all of it when it
// is closed.
func TestLazy(t *testing.T) {
	dir := t.TempDir()
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir, Lazy: true})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		if err := writeOne(t.Context(), s, seed); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, dir, seeds(0, 50))
}
