package castest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// functions checks that a blob is only ever there under a function by which it
// was checked, whatever its size and the way in.
func functions(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(900+i), n)
		for _, f := range digest.Functions() {
			d := f.Of(b)
			if n > 0 {
				wantAbsent(t, s, d)
			}
			refuseOther(t, s, d, b)
			if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
				t.Fatalf("Put(%v) = %v", d, err)
			}
			if got, err := read(t.Context(), s, d, int64(n/2)); err != nil || !bytes.Equal(got, b[n/2:]) {
				t.Errorf("Get(%v) = %d bytes, %v", d, len(got), err)
			}
		}
	}
	mixedBatch(t, s)
}

// refuseOther claims that b, whose digest is d, has d's hash by the other functions.
func refuseOther(t *testing.T, s cas.Store, d digest.Digest, b []byte) {
	t.Helper()
	for _, f := range digest.Functions() {
		if f == d.Function {
			continue
		}
		wrong := digest.Digest{Hash: d.Hash, Size: d.Size, Function: f}
		if err := s.Put(t.Context(), wrong, bytes.NewReader(b)); !errors.Is(err, cas.ErrMismatch) {
			t.Errorf("Put(%v) of what has %v = %v, want ErrMismatch", wrong, d, err)
		}
		wantAbsent(t, s, wrong)
	}
}

// mixedBatch puts blobs of all functions at once, with a false one of each.
func mixedBatch(t *testing.T, s cas.Store) {
	t.Helper()
	var blobs []cas.Blob
	var good, bad []digest.Digest
	for i := range 20 {
		for _, f := range digest.Functions() {
			b := Bytes(uint64(990+i), 50*i+1)
			blobs = append(blobs, cas.Blob{Digest: f.Of(b), Data: b})
			good = append(good, f.Of(b))
		}
	}
	for _, f := range digest.Functions() {
		blobs = append(blobs, cas.Blob{Digest: f.Of([]byte("false")), Data: []byte("other")})
		bad = append(bad, f.Of([]byte("false")))
	}
	for i, err := range cas.PutBatch(t.Context(), s, blobs) {
		if want := i >= len(good); errors.Is(err, cas.ErrMismatch) != want || err != nil && !want {
			t.Errorf("PutBatch: blob %d, %v: %v", i, blobs[i].Digest, err)
		}
	}
	wantMissing(t, s, append(good, bad...), bad)
}

// resultFunctions checks that an action's result is not that of another function's
// action with the same hash.
func resultFunctions(t *testing.T, c cas.ActionCache) {
	for i, f := range digest.Functions() {
		d := digest.Digest{Hash: action(1).Hash, Size: action(1).Size, Function: f}
		if r, err := c.Result(t.Context(), d); !errors.Is(err, cas.ErrNotFound) {
			t.Errorf("Result(%v) = %v, %v, want ErrNotFound", d, r, err)
		}
		mustSet(t, c, d, result(i, 100))
	}
	for i, f := range digest.Functions() {
		d := digest.Digest{Hash: action(1).Hash, Size: action(1).Size, Function: f}
		wantResult(t, c, d, result(i, 100))
	}
}

// readBatch reads what is there and what is not, in any order and some of it twice.
func readBatch(t *testing.T, s cas.Store) {
	var want [][]byte
	var ds []digest.Digest
	for i, n := range sizes {
		for _, f := range digest.Functions() {
			b := Bytes(uint64(700+i), n)
			if err := s.Put(t.Context(), f.Of(b), bytes.NewReader(b)); err != nil {
				t.Fatal(err)
			}
			want, ds = append(want, b), append(ds, f.Of(b))
		}
	}
	for i, j := range rand.Perm(len(ds)) {
		want[i], want[j], ds[i], ds[j] = want[j], want[i], ds[j], ds[i]
	}
	want, ds = append(want, want[:9]...), append(ds, ds[:9]...)
	good := len(ds)
	ds = append(ds, digest.Of([]byte("absent")), digest.BLAKE3.Of([]byte("absent")), digest.Digest{Hash: "no hash", Size: 3})
	got, errs := cas.ReadBlobs(t.Context(), s, ds)
	for i, d := range ds {
		switch {
		case i < good && (errs[i] != nil || !bytes.Equal(got[i], want[i])):
			t.Errorf("ReadBlobs: %v is %d other bytes, %v", d, len(got[i]), errs[i])
		case i >= good && errs[i] == nil, i >= good && d.Validate() == nil && !errors.Is(errs[i], cas.ErrNotFound):
			t.Errorf("ReadBlobs: %v is %d bytes, %v", d, len(got[i]), errs[i])
		}
	}
}
