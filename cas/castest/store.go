// Package castest is the conformance suite of cas: every Store, ActionCache and
// decorator passes it.
package castest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// sizes of blobs, in bytes, around the limits that implementations have.
var sizes = []int{0, 1, 2, 100, 4095, 4096, 4097, 1 << 16, 1<<18 - 1, 1 << 18, 1<<18 + 1, 1 << 19, 1<<19 + 1, 3<<20 + 17}

// Run checks an implementation of cas.Store. Every call of open returns an
// empty one, which lives as long as its test.
func Run(t *testing.T, open func(t *testing.T) cas.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s cas.Store)
	}{
		{"RoundTrip", roundTrip},
		{"Offsets", offsets},
		{"EmptyBlob", emptyBlob},
		{"Functions", functions},
		{"Absent", absent},
		{"SizeIsPartOfTheName", sizeIsPartOfTheName},
		{"WrongContent", wrongContent},
		{"BrokenStream", brokenStream},
		{"PutAgain", putAgain},
		{"MalformedDigest", malformedDigest},
		{"Missing", missing},
		{"Batch", batch},
		{"ReadBatch", readBatch},
		{"CancelledContext", cancelledContext},
		{"CancelDuringPut", cancelDuringPut},
		{"CancelDuringGet", cancelDuringGet},
		{"ConcurrentPutsOfOneBlob", concurrentPutsOfOneBlob},
		{"ReadsDuringPuts", readsDuringPuts},
		{"SlowPutBlocksNobody", slowPutBlocksNobody},
		{"HugeBlob", hugeBlob},
		{"AgreesWithMap", agreesWithMap},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// Bytes returns n bytes that depend on seed and do not compress.
func Bytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}).Read(b) // never fails
	return b
}

func mustPut(t testing.TB, s cas.Store, b []byte) digest.Digest {
	t.Helper()
	d := digest.Of(b)
	if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
		t.Fatalf("Put(%v) = %v", d, err)
	}
	return d
}

func read(ctx context.Context, s cas.Store, d digest.Digest, offset int64) ([]byte, error) {
	r, err := s.Get(ctx, d, offset)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func wantBlob(t testing.TB, s cas.Store, b []byte) {
	t.Helper()
	d := digest.Of(b)
	got, err := read(t.Context(), s, d, 0)
	if err != nil {
		t.Fatalf("Get(%v) = %v", d, err)
	}
	if !bytes.Equal(got, b) {
		t.Fatalf("Get(%v) yields other bytes: %d of them, %v", d, len(got), digest.Of(got))
	}
}

func wantAbsent(t testing.TB, s cas.Store, d digest.Digest) {
	t.Helper()
	if _, err := read(t.Context(), s, d, 0); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("Get(%v) = %v, want ErrNotFound", d, err)
	}
	wantMissing(t, s, []digest.Digest{d}, []digest.Digest{d})
}

func wantMissing(t testing.TB, s cas.Store, ask, want []digest.Digest) {
	t.Helper()
	got, err := s.Missing(t.Context(), ask)
	if err != nil {
		t.Fatalf("Missing = %v", err)
	}
	if len(got)+len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Missing differs (-want +got):\n%s", diff)
	}
}

func roundTrip(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(i), n)
		d := mustPut(t, s, b)
		wantBlob(t, s, b)
		wantMissing(t, s, []digest.Digest{d}, nil)
	}
	for i, n := range sizes {
		wantBlob(t, s, Bytes(uint64(i), n))
	}
}

func offsets(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(i), n)
		d := mustPut(t, s, b)
		for _, off := range []int{0, 1, n / 3, 1<<18 - 1, 1 << 18, 1<<18 + 1, n - 1, n} {
			if off < 0 || off > n {
				continue
			}
			got, err := read(t.Context(), s, d, int64(off))
			if err != nil || !bytes.Equal(got, b[off:]) {
				t.Errorf("Get(%v, %d) yields %d bytes, %v", d, off, len(got), err)
			}
		}
		for _, off := range []int64{-1, int64(n) + 1, 1 << 40} {
			if _, err := read(t.Context(), s, d, off); !errors.Is(err, cas.ErrRange) {
				t.Errorf("Get(%v, %d) = %v, want ErrRange", d, off, err)
			}
		}
	}
}

func emptyBlob(t *testing.T, s cas.Store) {
	wantBlob(t, s, nil)
	wantMissing(t, s, []digest.Digest{digest.Empty}, nil)
	mustPut(t, s, nil)
	wantBlob(t, s, nil)
}

func absent(t *testing.T, s cas.Store) {
	mustPut(t, s, Bytes(1, 100))
	wantAbsent(t, s, digest.Of(Bytes(2, 100)))
	wantAbsent(t, s, digest.Of(Bytes(2, 1<<20)))
}

func sizeIsPartOfTheName(t *testing.T, s cas.Store) {
	b := Bytes(1, 5000)
	d := mustPut(t, s, b)
	for _, size := range []int64{0, d.Size - 1, d.Size + 1, 1 << 40} {
		wantAbsent(t, s, digest.Digest{Hash: d.Hash, Size: size})
	}
	wantBlob(t, s, b)
}

func wrongContent(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(i), n)
		d := digest.Of(b)
		other := Bytes(uint64(i)+1000, n)
		for name, content := range map[string][]byte{"other": other, "longer": append(b[:n:n], 0), "shorter": b[:max(n-1, 0)]} {
			if bytes.Equal(content, b) || n == 0 {
				continue
			}
			if err := s.Put(t.Context(), d, bytes.NewReader(content)); !errors.Is(err, cas.ErrMismatch) {
				t.Errorf("Put(%v) of %s content = %v, want ErrMismatch", d, name, err)
			}
			wantAbsent(t, s, d)
		}
		mustPut(t, s, b) // a refused put stands in nobody's way
		wantBlob(t, s, b)
	}
	for _, size := range []int64{1, 1 << 20, 1 << 40, 1 << 62, math.MaxInt64} {
		d := digest.Digest{Hash: digest.Empty.Hash, Size: size}
		err := s.Put(t.Context(), d, strings.NewReader(""))
		if !errors.Is(err, cas.ErrMismatch) && (size <= 1<<20 || !errors.Is(err, cas.ErrFull)) {
			t.Errorf("Put of nothing as %d bytes = %v, want ErrMismatch or ErrFull", size, err)
		}
		wantAbsent(t, s, d)
	}
	b := Bytes(7, 1<<20)
	mustPut(t, s, b)
	wantBlob(t, s, b)
}

func brokenStream(t *testing.T, s cas.Store) {
	for i, n := range sizes[1:] {
		b := Bytes(uint64(i), n)
		d := digest.Of(b)
		broken := io.MultiReader(bytes.NewReader(b[:n/2]), iotest.ErrReader(io.ErrClosedPipe))
		if err := s.Put(t.Context(), d, broken); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Put(%v) of a breaking stream = %v, want the stream's error", d, err)
		}
		wantAbsent(t, s, d)
		if err := s.Put(t.Context(), d, iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(b)))); err != nil {
			t.Errorf("Put(%v) in odd pieces = %v", d, err)
		}
		wantBlob(t, s, b)
	}
}

func putAgain(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(i), n)
		d := mustPut(t, s, b)
		mustPut(t, s, b)
		// Whatever the stream of a second put holds, the blob stays what it is.
		_ = s.Put(t.Context(), d, bytes.NewReader(Bytes(999, n)))
		wantBlob(t, s, b)
	}
}

func malformedDigest(t *testing.T, s cas.Store) {
	good := digest.Of([]byte("x"))
	for _, d := range []digest.Digest{
		{},
		{Hash: "", Size: 1},
		{Hash: good.Hash[:63], Size: 1},
		{Hash: good.Hash + "0", Size: 1},
		{Hash: strings.ToUpper(good.Hash), Size: 1},
		{Hash: strings.Repeat("g", 64), Size: 1},
		{Hash: "../../../../../../../../../../../../../../../../etc/passwd000000", Size: 1},
		{Hash: good.Hash, Size: -1},
	} {
		if err := s.Put(t.Context(), d, strings.NewReader("x")); err == nil {
			t.Errorf("Put(%q) succeeds", d)
		}
		if _, err := s.Get(t.Context(), d, 0); err == nil {
			t.Errorf("Get(%q) succeeds", d)
		}
		if _, err := s.Missing(t.Context(), []digest.Digest{good, d}); err == nil {
			t.Errorf("Missing(%q) succeeds", d)
		}
	}
}

func missing(t *testing.T, s cas.Store) {
	var all, want []digest.Digest
	for i := range 300 {
		b := Bytes(uint64(i), i)
		d := digest.Of(b)
		if i%3 == 0 {
			mustPut(t, s, b)
		} else {
			want = append(want, d)
		}
		all = append(all, d)
	}
	wantMissing(t, s, all, want)
	wantMissing(t, s, append(all, all...), want)
	wantMissing(t, s, nil, nil)
}

func batch(t *testing.T, s cas.Store) {
	var blobs []cas.Blob
	for i := range 200 {
		b := Bytes(uint64(i), i*i)
		blobs = append(blobs, cas.Blob{Digest: digest.Of(b), Data: b})
	}
	blobs = append(blobs, blobs[7], blobs[8])
	blobs[50].Data = append(blobs[50].Data[:10:10], 0)
	blobs[60].Digest = digest.Digest{Hash: "no hash", Size: 3600}
	errs := cas.PutBatch(t.Context(), s, blobs)
	if len(errs) != len(blobs) {
		t.Fatalf("PutBatch of %d blobs returns %d errors", len(blobs), len(errs))
	}
	for i, err := range errs {
		switch {
		case i == 50 && !errors.Is(err, cas.ErrMismatch):
			t.Errorf("blob with wrong content: %v, want ErrMismatch", err)
		case i == 60 && err == nil:
			t.Error("blob with a malformed digest is taken")
		case i == 50:
			wantAbsent(t, s, blobs[i].Digest)
		case i != 60 && err != nil:
			t.Errorf("blob %d: %v", i, err)
		case i != 60:
			wantBlob(t, s, blobs[i].Data)
		}
	}
	if errs := cas.PutBatch(t.Context(), s, nil); len(errs) != 0 {
		t.Errorf("PutBatch of nothing = %v", errs)
	}
}

func concurrentPutsOfOneBlob(t *testing.T, s cas.Store) {
	for i, n := range sizes {
		b := Bytes(uint64(i), n)
		d := digest.Of(b)
		var g errgroup.Group
		for range 16 {
			g.Go(func() error {
				if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
					return err
				}
				got, err := read(t.Context(), s, d, 0)
				if err == nil && !bytes.Equal(got, b) {
					err = fmt.Errorf("%v reads as other bytes", d)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func readsDuringPuts(t *testing.T, s cas.Store) {
	var g errgroup.Group
	for w := range 8 {
		g.Go(func() error {
			for i := range 25 {
				b := Bytes(uint64(i*8+w), (i*i*977+w)%(1<<19))
				d := digest.Of(b)
				if err := s.Put(t.Context(), d, iotest.OneByteReader(io.LimitReader(bytes.NewReader(b), 100))); len(b) > 100 && !errors.Is(err, cas.ErrMismatch) {
					return fmt.Errorf("short put of %v: %w", d, err)
				}
				if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
					return err
				}
				if got, err := read(t.Context(), s, d, int64(len(b)/2)); err != nil || !bytes.Equal(got, b[len(b)/2:]) {
					return fmt.Errorf("%v reads as %d other bytes: %w", d, len(got), err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
