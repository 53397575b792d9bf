package position_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/kvfarm/kvfarm/engine/position"
)

// A slice of the size of drm_panic_qr's largest.
func BenchmarkDecode(b *testing.B) {
	var insts []position.Inst
	for i := range 10_000 {
		chain := []position.Pos{
			{File: "library/core/src/slice/index.rs", Line: i % 500, Col: 9, Func: fmt.Sprint("core::slice::f", i%200)},
			{File: "drivers/gpu/drm/drm_panic_qr.rs", Line: i / 16, Col: 1, Func: fmt.Sprint("drm_panic_qr::g", i/100)},
		}
		insts = append(insts, position.Inst{Func: i / 100, Inst: i % 100, Frames: chain})
	}
	m := &position.Map{Version: position.Version, Insts: position.NewFrames(insts)}
	var text bytes.Buffer
	if err := m.Encode(&text); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := position.Decode(text.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
