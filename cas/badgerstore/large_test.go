package badgerstore_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/badgerstore"
	"github.com/kvfarm/kvfarm/cas/digest"
)

var entries = flag.Int("entries", 100_000, "blobs of BenchmarkLargeStore")

// BenchmarkLargeStore opens a store of many small blobs, and prints how long
// that takes and the memory that the process then holds; both again after every
// hundredth blob was asked for. It is for 10 million, whose making takes minutes:
//
//	go test ./cas/badgerstore -run xxx -bench LargeStore -benchtime 1x -timeout 1h -entries 10000000
func BenchmarkLargeStore(b *testing.B) {
	dir := b.TempDir()
	s, err := openQuiet(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	for first := 0; first < *entries; first += 4096 {
		batch := make([]cas.Blob, min(4096, *entries-first))
		for i := range batch {
			data := small(first + i)
			batch[i] = cas.Blob{Digest: digest.Of(data), Data: data}
		}
		if err := errors.Join(s.PutBatch(b.Context(), batch)...); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		begin := time.Now()
		if s, err = openQuiet(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-open")
		b.ReportMetric(resident(b), "MiB-open")
		begin = time.Now()
		look(b, s)
		b.ReportMetric(time.Since(begin).Seconds(), "s-to-ask")
		b.ReportMetric(resident(b), "MiB-asked")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func small(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

// look asks for every hundredth blob.
func look(b *testing.B, s *badgerstore.Store) {
	b.Helper()
	var ds []digest.Digest
	for i := 0; i < *entries; i += 100 {
		ds = append(ds, digest.Of(small(i)))
	}
	missing, err := s.Missing(b.Context(), ds)
	if err != nil || len(missing) > 0 {
		b.Fatalf("%d missing, %v", len(missing), err)
	}
}

// resident returns the MiB of memory that are the process's own and in use: pages
// of mapped files are the kernel's to take back.
func resident(b *testing.B) float64 {
	b.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Skip("no RssAnon")
	return 0
}
