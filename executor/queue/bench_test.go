package queue_test

import (
	"strconv"
	"testing"

	"github.com/kvfarm/kvfarm/executor/queue"
)

// BenchmarkQueue takes one task from Submit to its outcome, with many others
// waiting.
func BenchmarkQueue(b *testing.B) {
	for _, waiting := range []int{0, 100_000} {
		b.Run(strconv.Itoa(waiting)+" waiting", func(b *testing.B) {
			q := queue.New(queue.Config{})
			defer q.Close()
			for i := range waiting {
				if _, err := q.Submit(queue.Task{Action: action(strconv.Itoa(i)), Priority: int32(i % 10)}); err != nil {
					b.Fatal(err)
				}
			}
			for i := 0; b.Loop(); i++ {
				w, err := q.Submit(queue.Task{Action: action("b" + strconv.Itoa(i)), Priority: -1})
				if err != nil {
					b.Fatal(err)
				}
				l, err := q.Lease(b.Context(), queue.Worker{Name: "w"})
				if err != nil {
					b.Fatal(err)
				}
				if err := q.Complete(b.Context(), l.ID, exit(0)); err != nil {
					b.Fatal(err)
				}
				w.Close()
			}
		})
	}
}
