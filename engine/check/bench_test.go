package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// BenchmarkChecks proves the checks of compiled Rust, without what a process costs to start.
func BenchmarkChecks(b *testing.B) {
	files, err := filepath.Glob("../testdata/rustc/c0*.kvs")
	if err != nil || len(files) == 0 {
		b.Fatal("no checks: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.TrimSuffix(filepath.Base(file), ".kvs"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := ir.Parse(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := check.Prove(s, exec.Config{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
