package check_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// FuzzProve proves whatever the parser accepts: the result is a verdict that
// can be written, read and replayed, and that no random run contradicts.
func FuzzProve(f *testing.F) {
	for _, pattern := range []string{"../testdata/proved/*.kvs", "../testdata/refuted/*.kvs", "../testdata/unknown/*.kvs", "../ir/testdata/canonical/*.kvs", "../interp/testdata/*.kvs"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: no slices: %v", pattern, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ir.Parse(text)
		if err != nil {
			return
		}
		v, err := check.Prove(s, exec.Config{Budget: 2000, LoopBound: 4})
		if err != nil {
			return // more than the interpreter takes
		}
		var b bytes.Buffer
		if err := v.Encode(&b); err != nil {
			t.Fatal(err)
		}
		if v, err = verdict.Decode(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		r, err := check.ReplayAll(s, v)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range r.Witnesses {
			if !w.Reached {
				t.Errorf("witness %d: %s", i, w.Reason)
			}
		}
		randomRuns(t, s, v, 10)
	})
}
