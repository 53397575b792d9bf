package badgerstore_test

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

func openDir(t testing.TB, dir string) *badgerstore.Store {
	t.Helper()
	s, err := badgerstore.Open(t.Context(), badgerstore.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	castest.Run(t, func(t *testing.T) cas.Store { return openDir(t, t.TempDir()) })
}

func TestActionCache(t *testing.T) {
	castest.RunActionCache(t, func(t *testing.T) cas.ActionCache { return openDir(t, t.TempDir()) })
}

// TestReopen asks for all that is there and much that is not, right after
// opening and for a while, while the filter fills.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	var counter uint64
	all := numbered(&counter, 20000, 32)
	digests := make([]digest.Digest, len(all))
	for i, b := range all {
		digests[i] = b.Digest
	}
	for round := range 4 {
		s, err := openQuiet(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		there := round * 5000
		for range 20 {
			missing, err := s.Missing(t.Context(), digests)
			if err != nil || !slices.Equal(missing, digests[there:]) {
				t.Fatalf("round %d: %d missing, want %d; %v", round, len(missing), len(digests)-there, err)
			}
		}
		for i, err := range s.PutBatch(t.Context(), all[there:there+5000]) {
			if err != nil {
				t.Fatalf("put %d: %v", i, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStreams puts and gets a blob of 64 MiB and counts what that allocates.
func TestStreams(t *testing.T) {
	const size = 64 << 20
	stream := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), size) }
	d, err := digest.OfReader(stream())
	if err != nil {
		t.Fatal(err)
	}
	s := openDir(t, t.TempDir())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := s.Put(t.Context(), d, stream()); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(t.Context(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); n != size || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size/8 {
		t.Errorf("%d bytes were allocated for a blob of %d", got, size)
	}
}

func TestResults(t *testing.T) {
	s := openDir(t, t.TempDir())
	var want []digest.Digest
	for _, text := range []string{"one", "two", "three"} {
		d := digest.Of([]byte(text))
		if err := s.SetResult(t.Context(), d, &repb.ActionResult{ExitCode: 1}); err != nil {
			t.Fatal(err)
		}
		want = append(want, d)
	}
	slices.SortFunc(want, digest.Compare)
	got, err := s.Results(t.Context())
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("error %v, results (-want +got):\n%s", err, d)
	}
}
