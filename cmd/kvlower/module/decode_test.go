package module_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

func streams(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/*.kvbc")
	more, _ := filepath.Glob("../testdata/same/*.kvbc")
	if err != nil || len(names) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	var out [][]byte
	for _, name := range append(names, more...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestShortStreamIsRefused(t *testing.T) {
	for _, b := range streams(t) {
		for n := 0; n < len(b); n += 1 + n/50 {
			if _, err := module.Decode(b[:n]); err == nil {
				t.Fatalf("first %d of %d bytes are taken", n, len(b))
			}
		}
	}
}

// Whatever is decoded can be cut, or gives an error.
func FuzzDecode(f *testing.F) {
	for _, b := range streams(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		m, err := module.Decode(stream)
		if err != nil {
			return
		}
		c, err := cut.New(m)
		if err != nil {
			return
		}
		for _, symbol := range c.Roots() {
			if s, _, err := c.Cut(symbol); err == nil {
				ir.Print(s)
			}
		}
	})
}
