package worker_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// BenchmarkAction is an action through queue, worker and sandbox, with few
// inputs and with many of which all but ten are those of the action before.
func BenchmarkAction(b *testing.B) {
	for _, n := range []int{1, 5000, 30000} {
		b.Run(fmt.Sprintf("inputs=%d", n), func(b *testing.B) {
			f := newFarm(b)
			a := act("nothing")
			a.doNotCache = true
			a.inputs = map[string]string{}
			for i := range n {
				a.inputs[fmt.Sprintf("d%d/e%d/f%d", i%10, i%100, i)] = fmt.Sprint("content ", i)
			}
			f.run(b, a)
			var fetch, run time.Duration
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				for range 10 {
					i := rand.IntN(n)
					a.inputs[fmt.Sprintf("d%d/e%d/f%d", i%10, i%100, i)] = fmt.Sprint("other content ", rand.Uint64())
				}
				d := f.action(b, a)
				b.StartTimer()
				o := f.submit(b, queue.Task{Action: d, DoNotCache: true})
				if o.Failure != nil || o.Result.ExitCode != 0 {
					b.Fatal(o.Failure, o.Result)
				}
				m := o.Result.ExecutionMetadata
				fetch += m.InputFetchCompletedTimestamp.AsTime().Sub(m.InputFetchStartTimestamp.AsTime())
				run += m.ExecutionCompletedTimestamp.AsTime().Sub(m.ExecutionStartTimestamp.AsTime())
			}
			b.ReportMetric(float64(fetch.Microseconds())/float64(b.N)/1e3, "fetch-ms/op")
			b.ReportMetric(float64(run.Microseconds())/float64(b.N)/1e3, "run-ms/op")
		})
	}
}

// BenchmarkToolchain runs programs with a whole distribution as their root: the
// folder that KVFARM_TEST_ROOT names, with a compiler in it.
func BenchmarkToolchain(b *testing.B) {
	dir := os.Getenv("KVFARM_TEST_ROOT")
	if dir == "" {
		b.Skip("KVFARM_TEST_ROOT names no root with a rustc")
	}
	f := newFarm(b)
	root := f.scan(b, dir)
	for _, argv := range [][]string{{"/usr/bin/true"}, {"/usr/bin/rustc", "--version"}} {
		b.Run(argv[0], func(b *testing.B) {
			begin := time.Now()
			for i := range b.N + 1 {
				o := f.run(b, &action{Command: &repb.Command{Arguments: argv}, root: root, doNotCache: true})
				if o.Failure != nil || o.Result.ExitCode != 0 {
					b.Fatal(o.Failure, o.Result)
				}
				if i == 0 {
					b.Log("the first took", time.Since(begin))
					b.ResetTimer()
				}
			}
		})
	}
}
