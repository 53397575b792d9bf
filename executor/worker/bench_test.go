package worker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

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
