package sandbox_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/executor/sandbox"
)

// BenchmarkNothing is what a sandbox costs: time, and that of processors, which
// tells more on a busy machine.
func BenchmarkNothing(b *testing.B) {
	s := newScene(b, sandbox.Config{})
	spec := s.spec("nothing")
	spec.Memory, spec.Timeout = 1<<30, time.Minute
	begin := cpu(b)
	for b.Loop() {
		r, err := s.host.Run(context.Background(), spec)
		if err != nil || r.ExitCode != 0 {
			b.Fatal(err, r)
		}
		r.Close()
	}
	b.ReportMetric(float64(cpu(b)-begin)/float64(b.N)/1e6, "cpu-ms/op")
}

// cpu returns the processor time that this process and its children have used.
func cpu(b *testing.B) (total time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total
}

// BenchmarkNow is a command that comes when none has run for a while: what the
// kernel puts off until it is quiet is due then.
func BenchmarkNow(b *testing.B) {
	s := newScene(b, sandbox.Config{})
	spec := s.spec("nothing")
	spec.Memory, spec.Timeout = 1<<30, time.Minute
	for range b.N {
		b.StopTimer()
		time.Sleep(50 * time.Millisecond)
		b.StartTimer()
		r, err := s.host.Run(context.Background(), spec)
		if err != nil || r.ExitCode != 0 {
			b.Fatal(err, r)
		}
		r.Close()
	}
}
