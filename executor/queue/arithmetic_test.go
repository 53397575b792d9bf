package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/executor/queue"
)

const (
	numbers = 300
	clients = 4
	workers = 16
)

// TestArithmetic has clients ask for the same numbers from workers that get
// lost, hang, are late and fail. Each client must end with the right sum, and
// each number must have been accepted as often as it was asked for unmerged.
func TestArithmetic(t *testing.T) {
	for _, shared := range []bool{true, false} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("shared=%v/seed=%d", shared, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					accepted := calculate(t, seed, shared)
					switch {
					case !shared && accepted != numbers*clients:
						t.Errorf("%d results accepted, want %d", accepted, numbers*clients)
					case shared && (accepted < numbers || accepted >= numbers*clients):
						t.Errorf("%d results accepted: not merged", accepted)
					}
				})
			})
		}
	}
}

func calculate(t *testing.T, seed uint64, shared bool) (accepted int64) {
	q := queue.New(queue.Config{TTL: 5 * time.Second, Attempts: 1000})
	ctx, stop := context.WithCancel(t.Context())
	var count atomic.Int64
	var crew, asking sync.WaitGroup
	for i := range workers {
		crew.Go(func() { unreliable(ctx, q, rand.New(rand.NewPCG(seed, uint64(i))), &count) })
	}
	for range clients {
		asking.Go(func() {
			if got, want := sum(t, q, shared), numbers*(numbers-1)/2; got != want {
				t.Errorf("sum is %d, want %d", got, want)
			}
		})
	}
	asking.Wait()
	if c := q.Counts(); c.Stages[queue.Queued]+c.Stages[queue.Fetching]+c.Stages[queue.Running] != 0 {
		t.Errorf("something is left: %+v", c)
	}
	stop()
	crew.Wait()
	q.Close()
	return count.Load()
}

func sum(t *testing.T, q *queue.Queue, shared bool) (total int) {
	var waiters []*queue.Waiter
	for i := range numbers {
		waiters = append(waiters, submit(t, q, queue.Task{Action: action(strconv.Itoa(i)), Instance: strconv.Itoa(i), DoNotCache: !shared}))
	}
	for _, w := range waiters {
		n, err := strconv.Atoi(string(wait(t, w).Outcome.Result.StdoutRaw))
		if err != nil {
			t.Error(err)
		}
		total += n
	}
	return total
}

// unreliable works until ctx ends. The number to say is the task's instance.
func unreliable(ctx context.Context, q *queue.Queue, random *rand.Rand, accepted *atomic.Int64) {
	for {
		l, err := q.Lease(ctx, queue.Worker{Name: "w"})
		if err != nil {
			return
		}
		outcome := &queue.Outcome{Result: &repb.ActionResult{StdoutRaw: []byte(l.Task.Instance)}}
		switch random.IntN(6) {
		case 0: // lost
			continue
		case 1: // late
			time.Sleep(time.Duration(random.IntN(10)) * time.Second)
		case 2: // faulty
			outcome = &queue.Outcome{Failure: &queue.Failure{Reason: "faulty"}}
		default:
			for range random.IntN(5) {
				time.Sleep(3 * time.Second)
				if errors.Is(q.Heartbeat(ctx, l.ID, queue.Running), queue.ErrLost) {
					break
				}
			}
		}
		for range 1 + random.IntN(2) { // said twice at times
			if q.Complete(ctx, l.ID, outcome) == nil && outcome.Failure == nil {
				accepted.Add(1)
			}
		}
	}
}
