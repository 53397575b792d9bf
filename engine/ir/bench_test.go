package ir_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"
)

func BenchmarkParse(b *testing.B) {
	text := read(b, "../testdata/kernel/drm_panic_qr_generate.kvs")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ir.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPrint(b *testing.B) {
	text := read(b, "../testdata/kernel/drm_panic_qr_generate.kvs")
	s, err := ir.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		ir.Print(s)
	}
}
