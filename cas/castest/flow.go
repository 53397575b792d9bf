package castest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
)

func cancelledContext(t *testing.T, s cas.Store) {
	b := Bytes(1, 1000)
	d := mustPut(t, s, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read(ctx, s, d, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want context.Canceled", err)
	}
	other := Bytes(2, 1000)
	if err := s.Put(ctx, digest.Of(other), bytes.NewReader(other)); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	if _, err := s.Missing(ctx, []digest.Digest{d}); !errors.Is(err, context.Canceled) {
		t.Errorf("Missing = %v, want context.Canceled", err)
	}
	wantAbsent(t, s, digest.Of(other))
	wantBlob(t, s, b)
}

func cancelDuringPut(t *testing.T, s cas.Store) {
	for i, n := range []int{1000, 1 << 20} {
		b := Bytes(uint64(i), n)
		d := digest.Of(b)
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(bytes.NewReader(b[:n/2]), hook(cancel), bytes.NewReader(b[n/2:]))
		if err := s.Put(ctx, d, r); !errors.Is(err, context.Canceled) {
			t.Errorf("Put(%v) = %v, want context.Canceled", d, err)
		}
		wantAbsent(t, s, d)
	}
}

func cancelDuringGet(t *testing.T, s cas.Store) {
	b := Bytes(1, 3<<20)
	d := mustPut(t, s, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := s.Get(ctx, d, 0)
	if err != nil {
		t.Fatalf("Get(%v) = %v", d, err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatalf("read %v: %v", d, err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
		t.Errorf("reading on = %v, want context.Canceled", err)
	}
}

// hook yields no bytes and calls f on the way.
type hook func()

func (f hook) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func slowPutBlocksNobody(t *testing.T, s cas.Store) {
	slow := Bytes(1, 1<<20)
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.Put(t.Context(), digest.Of(slow), pr) }()
	if _, err := pw.Write(slow[:1<<19]); err != nil {
		t.Fatalf("write half: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i, n := range sizes {
		b := Bytes(uint64(i)+10, n)
		if err := s.Put(ctx, digest.Of(b), bytes.NewReader(b)); err != nil {
			t.Fatalf("Put beside a slow one = %v", err)
		}
		wantBlob(t, s, b)
	}
	wantAbsent(t, s, digest.Of(slow))
	if _, err := pw.Write(slow[1<<19:]); err != nil {
		t.Fatalf("write rest: %v", err)
	}
	pw.Close()
	if err := <-done; err != nil {
		t.Fatalf("slow Put = %v", err)
	}
	wantBlob(t, s, slow)
}

// hugeBlob streams a blob that is larger than what implementations hold in memory.
func hugeBlob(t *testing.T, s cas.Store) {
	const size = 20<<20 + 12345
	stream := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{42}), size) }
	h := sha256.New()
	if _, err := io.Copy(h, stream()); err != nil {
		t.Fatal(err)
	}
	d := digest.Digest{Hash: hex.EncodeToString(h.Sum(nil)), Size: size}
	if err := s.Put(t.Context(), d, stream()); err != nil {
		t.Fatalf("Put(%v) = %v", d, err)
	}
	for _, off := range []int64{0, 1 << 20, 15<<20 + 1, size - 1} {
		r, err := s.Get(t.Context(), d, off)
		if err != nil {
			t.Fatalf("Get(%v, %d) = %v", d, off, err)
		}
		want := stream()
		if _, err := io.CopyN(io.Discard, want, off); err != nil {
			t.Fatal(err)
		}
		if !sameStream(t, r, want) {
			t.Errorf("Get(%v, %d) yields other bytes", d, off)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func sameStream(t *testing.T, a, b io.Reader) bool {
	t.Helper()
	ha, err := digest.OfReader(a)
	if err != nil {
		t.Error(err)
	}
	hb, err := digest.OfReader(b)
	if err != nil {
		t.Error(err)
	}
	return ha == hb
}

// agreesWithMap does random operations and compares each outcome with what a
// map would answer.
func agreesWithMap(t *testing.T, s cas.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	model := map[digest.Digest][]byte{}
	content := func() []byte { return Bytes(rng.Uint64N(40), sizes[rng.IntN(len(sizes)-1)]) }
	for range 600 {
		b := content()
		d := digest.Of(b)
		_, known := model[d]
		known = known || len(b) == 0
		switch rng.IntN(4) {
		case 0:
			mustPut(t, s, b)
			model[d] = b
		case 1:
			if known {
				wantBlob(t, s, b)
			} else {
				wantAbsent(t, s, d)
			}
		case 2:
			if err := s.Put(t.Context(), d, bytes.NewReader(append(b, 1))); !known && !errors.Is(err, cas.ErrMismatch) {
				t.Fatalf("Put(%v) of too much = %v, want ErrMismatch", d, err)
			}
		case 3:
			want := []digest.Digest{d}
			if known {
				want = nil
			}
			wantMissing(t, s, []digest.Digest{d, digest.Empty, d}, want)
		}
	}
}
