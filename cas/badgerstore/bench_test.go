package badgerstore_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/castest"
	"github.com/kvfarm/kvfarm/cas/digest"
)

// numbered returns blobs of n bytes that differ from all that other calls with
// the same counter return.
func numbered(counter *uint64, count, n int) []cas.Blob {
	base := castest.Bytes(1, n)
	blobs := make([]cas.Blob, count)
	for i := range blobs {
		*counter++
		b := bytes.Clone(base)
		binary.BigEndian.PutUint64(b, *counter)
		blobs[i] = cas.Blob{Digest: digest.Of(b), Data: b}
	}
	return blobs
}

func BenchmarkPut1MiB(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	const at = 8 // puts in flight
	b.SetBytes(at << 20)
	for b.Loop() {
		b.StopTimer()
		blobs := numbered(&counter, at, 1<<20)
		b.StartTimer()
		var g errgroup.Group
		for _, blob := range blobs {
			g.Go(func() error { return s.Put(b.Context(), blob.Digest, bytes.NewReader(blob.Data)) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet1MiB(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	blobs := numbered(&counter, 64, 1<<20)
	for _, err := range s.PutBatch(b.Context(), blobs) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(64 << 20)
	for b.Loop() {
		for _, blob := range blobs {
			r, err := s.Get(b.Context(), blob.Digest, 0)
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || n != 1<<20 {
				b.Fatal(n, err)
			}
			r.Close()
		}
	}
}

func BenchmarkPutBatch4KiB(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	const count = 1000
	for b.Loop() {
		b.StopTimer()
		blobs := numbered(&counter, count, 4096)
		b.StartTimer()
		for _, err := range s.PutBatch(b.Context(), blobs) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "blobs/s")
}

func BenchmarkPut4KiBConcurrent(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	const count = 1000
	for b.Loop() {
		b.StopTimer()
		blobs := numbered(&counter, count, 4096)
		b.StartTimer()
		var g errgroup.Group
		g.SetLimit(128)
		for _, blob := range blobs {
			g.Go(func() error { return s.Put(b.Context(), blob.Digest, bytes.NewReader(blob.Data)) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "blobs/s")
}

func BenchmarkPut4KiBOneByOne(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	for b.Loop() {
		for _, blob := range numbered(&counter, 1, 4096) {
			if err := s.Put(b.Context(), blob.Digest, bytes.NewReader(blob.Data)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkGet4KiB(b *testing.B) {
	s := openDir(b, b.TempDir())
	var counter uint64
	const count = 10000
	blobs := numbered(&counter, count, 4096)
	s.PutBatch(b.Context(), blobs)
	for b.Loop() {
		for _, blob := range blobs {
			if _, err := cas.ReadBlob(b.Context(), s, blob.Digest, 4096); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "blobs/s")
}

// BenchmarkMissing10000 asks for blobs that are there and for ones that are not,
// with a warm cache and with the index on disk alone.
func BenchmarkMissing10000(b *testing.B) {
	dir := b.TempDir()
	var counter uint64
	blobs := numbered(&counter, 20000, 100)
	s := openDir(b, dir)
	s.PutBatch(b.Context(), blobs[:10000])
	ask := func(blobs []cas.Blob) []digest.Digest {
		ds := make([]digest.Digest, len(blobs))
		for i, blob := range blobs {
			ds[i] = blob.Digest
		}
		return ds
	}
	run := func(name string, ds []digest.Digest, missing int) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := s.Missing(b.Context(), ds); err != nil || len(got) != missing {
					b.Fatal(len(got), err)
				}
			}
		})
	}
	run("present", ask(blobs[:10000]), 0)
	run("absent", ask(blobs[10000:]), 10000)
}
