package interp_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// FuzzRun runs whatever the parser accepts: it may end in any way but a panic
// of ours.
func FuzzRun(f *testing.F) {
	for _, pattern := range []string{"testdata/*.kvs", "testdata/native/*_opt.kvs", "../ir/testdata/canonical/*.kvs"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		s, err := ir.Parse(text)
		if err != nil {
			return
		}
		p, err := interp.Compile(s)
		if err != nil {
			return
		}
		limits := interp.Limits{Steps: 1000, Depth: 50, Memory: 1 << 20}
		o, again := p.Run(interp.Random(seed), limits), p.Run(interp.Random(seed), limits)
		if o.String() != again.String() || o.Steps != again.Steps {
			t.Fatalf("%v after %d steps, then %v after %d", &o, o.Steps, &again, again.Steps)
		}
	})
}
