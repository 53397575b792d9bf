package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// BenchmarkChecks proves the checks of compiled Rust and those in C, without what a process costs to start.
func BenchmarkChecks(b *testing.B) {
	files, err := filepath.Glob("../testdata/rustc/c0*.kvs")
	if err != nil || len(files) == 0 {
		b.Fatal("no checks: ", err)
	}
	compiled, err := filepath.Glob("../testdata/bench/*.kvs")
	if err != nil || len(compiled) == 0 {
		b.Fatal("no checks: ", err)
	}
	for _, file := range append(files, compiled...) {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.TrimSuffix(filepath.Base(file), ".kvs"), func(b *testing.B) {
			b.ReportAllocs()
			before := used()
			for b.Loop() {
				s, err := ir.Parse(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := check.Prove(s, exec.Config{LoopBound: 200}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(used()-before)/1e6/float64(b.N), "cpu-ms/op")
		})
	}
}

// used is the processor time of this process so far: on a busy machine it repeats better than the clock.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
