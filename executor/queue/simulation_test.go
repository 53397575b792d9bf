package queue_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/kvfarm/kvfarm/executor/journal"
	"github.com/kvfarm/kvfarm/executor/queue"
)

var (
	simWorkers = flag.Int("sim.workers", 200, "workers of TestSimulation")
	simActions = flag.Int("sim.actions", 10_000, "actions of TestSimulation")
	simSeed    = flag.Uint64("sim.seed", 1, "seed of TestSimulation")
)

const (
	simTTL      = 5 * time.Second
	simAttempts = 6
	simClients  = 100
)

// simulation is a farm under fake time: clients, workers and a network that
// loses, doubles and delays what workers say, and a queue that crashes.
type simulation struct {
	t *testing.T

	mu      sync.Mutex
	queue   *queue.Queue
	journal *journal.Memory
	up      chan struct{}      // closed while the queue is there
	leases  map[string]inForce // by task: its newest lease
	ids     map[string]bool    // of all leases ever
	ended   map[string]int     // by task: results accepted

	granted, lost, crashes atomic.Int64
}

type inForce struct {
	id    string
	until time.Time
}

// TestSimulation has every action end once and well, unless it has met as many
// setbacks as are allowed; never are two leases of one task in force.
func TestSimulation(t *testing.T) {
	before := cpuTime(t)
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{t: t, journal: &journal.Memory{}, up: make(chan struct{}), leases: map[string]inForce{},
			ids: map[string]bool{}, ended: map[string]int{}}
		s.begin()
		ctx, stop := context.WithCancel(t.Context())
		var crew, clients sync.WaitGroup
		for i := range *simWorkers {
			crew.Go(func() { s.work(ctx, strconv.Itoa(i), rand.New(rand.NewPCG(*simSeed, uint64(i)))) })
		}
		crew.Go(func() { s.crash(ctx) })
		for c := range simClients {
			clients.Go(func() { s.ask(c, *simActions/simClients) })
		}
		clients.Wait()
		stop()
		crew.Wait()
		s.finish()
	})
	t.Logf("%d ns of processor time for each of %d actions, clients and workers included", (cpuTime(t)-before).Nanoseconds()/int64(*simActions), *simActions)
}

// BenchmarkSimulation is TestSimulation with 10,000 workers and 1,000,000
// actions, in a process of its own, for fake time is for tests.
func BenchmarkSimulation(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSimulation$", "-test.v", "-test.timeout=1h", "-sim.workers=10000", "-sim.actions=1000000")
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		b.Logf("%s", out)
		if m := regexp.MustCompile(`(\d+) ns of processor time`).FindSubmatch(out); m != nil {
			ns, _ := strconv.ParseFloat(string(m[1]), 64)
			b.ReportMetric(ns, "ns/action")
		}
	}
}

func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (s *simulation) begin() {
	q, err := queue.Restore(queue.Config{TTL: simTTL, Attempts: simAttempts, Abandon: time.Hour, Keep: 2 * time.Minute}, s.journal)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = q
	close(s.up)
}

// crash kills the queue now and then: what its journal holds by then is all
// that the next one knows.
func (s *simulation) crash(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(30 * time.Second):
		}
		s.mu.Lock()
		dead := s.queue
		s.up = make(chan struct{})
		s.journal.Break(io.ErrClosedPipe)
		kept, err := s.journal.Load()
		s.journal = &journal.Memory{}
		err = errors.Join(err, s.journal.Write(kept))
		s.mu.Unlock()
		if err != nil {
			s.t.Error(err)
		}
		dead.Close()
		time.Sleep(3 * time.Second)
		s.begin()
		s.crashes.Add(1)
	}
}

// farm is the queue, as soon as there is one.
func (s *simulation) farm() *queue.Queue {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	<-up
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue
}

// away reports whether err says that the queue has crashed meanwhile.
func away(err error) bool { return errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrJournal) }

// ask submits a client's actions, a window at a time, and waits for all.
func (s *simulation) ask(client, n int) {
	const window = 1000
	for first := 0; first < n; first += window {
		waiters := map[string]*queue.Waiter{}
		for i := first; i < min(n, first+window); i++ {
			what := fmt.Sprint(client, ".", i)
			waiters[what] = s.submit(what, client)
		}
		for what, w := range waiters {
			s.wait(what, w)
		}
	}
}

func (s *simulation) submit(what string, client int) *queue.Waiter {
	for {
		w, err := s.farm().Submit(queue.Task{Action: action(what), Instance: what, Origin: queue.Origin{Invocation: strconv.Itoa(client)}})
		if err == nil {
			return w
		}
		if !away(err) {
			s.t.Fatal(err)
		}
	}
}

// wait follows an action to its end, over crashes.
func (s *simulation) wait(what string, w *queue.Waiter) {
	for {
		state, err := w.Next(s.t.Context())
		if err == nil && state.Stage == queue.Done {
			s.judge(what, state)
			w.Close()
			return
		}
		for away(err) {
			var again *queue.Waiter
			if again, err = s.farm().Wait(w.Name()); err == nil {
				w = again
			}
		}
		if err != nil {
			s.t.Errorf("wait for %s: %v", what, err)
			return
		}
	}
}

func (s *simulation) judge(what string, state queue.State) {
	if f := state.Outcome.Failure; f != nil {
		if s.lost.Add(1); f.Kind != queue.Lost || state.Attempt < simAttempts {
			s.t.Errorf("%s ended after %d attempts: %v", what, state.Attempt, f)
		}
		return
	}
	if got := string(state.Outcome.Result.StdoutRaw); got != what {
		s.t.Errorf("%s has the result of %s", what, got)
	}
}

// work is a worker that the network and its own health play tricks on.
func (s *simulation) work(ctx context.Context, name string, random *rand.Rand) {
	chance := func(percent int) bool { return random.IntN(100) < percent }
	for ctx.Err() == nil {
		q := s.farm()
		l, err := q.Lease(ctx, queue.Worker{Name: name})
		if err != nil {
			continue
		}
		s.grant(l)
		if chance(2) { // the answer does not arrive
			continue
		}
		if !s.run(ctx, l, random) {
			continue
		}
		outcome := &queue.Outcome{Result: &repb.ActionResult{StdoutRaw: []byte(l.Task.Instance)}}
		switch {
		case chance(2): // lost
			continue
		case chance(2): // late
			time.Sleep(time.Duration(random.IntN(10)) * time.Second)
		case chance(2):
			outcome = &queue.Outcome{Failure: &queue.Failure{Reason: "faulty"}}
		case chance(2):
			outcome = &queue.Outcome{Failure: &queue.Failure{Kind: queue.Returned}}
		}
		s.complete(l, outcome)
		if chance(2) { // said twice
			s.complete(l, outcome)
		}
	}
}

// run keeps a lease for as long as the action takes, or fails to.
func (s *simulation) run(ctx context.Context, l *queue.Lease, random *rand.Rand) bool {
	if random.IntN(50) == 0 {
		return false // the worker dies
	}
	if random.IntN(50) == 0 { // it hangs, and ends all the same
		time.Sleep(time.Duration(random.IntN(12)) * time.Second)
		return true
	}
	for range random.IntN(4) {
		time.Sleep(simTTL / 3)
		if random.IntN(20) == 0 { // a heartbeat is lost
			continue
		}
		s.mu.Lock()
		q := s.queue
		s.mu.Unlock()
		now := time.Now()
		switch err := q.Heartbeat(ctx, l.ID, queue.Running); {
		case err == nil:
			s.extend(l, now)
		case errors.Is(err, queue.ErrLost):
			return false
		}
	}
	return true
}

func (s *simulation) complete(l *queue.Lease, o *queue.Outcome) {
	if o.Failure != nil {
		s.end(l) // others may have it before we hear that we have not
	}
	for {
		err := s.farm().Complete(s.t.Context(), l.ID, o)
		if away(err) {
			continue
		}
		if err == nil && o.Failure == nil {
			s.accepted(l)
		}
		return
	}
}

// grant checks that a lease is a new one, and that none is in force beside it.
func (s *simulation) grant(l *queue.Lease) {
	s.granted.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[l.ID] {
		s.t.Errorf("lease %s is given twice", l.ID)
	}
	s.ids[l.ID] = true
	if other := s.leases[l.Name]; time.Now().Before(other.until) {
		s.t.Errorf("lease %s is given though %s is in force for %v", l.ID, other.id, time.Until(other.until))
	}
	s.leases[l.Name] = inForce{l.ID, time.Now().Add(simTTL)}
}

func (s *simulation) extend(l *queue.Lease, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[l.Name] = inForce{l.ID, now.Add(simTTL)}
}

func (s *simulation) end(l *queue.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[l.Name].id == l.ID {
		delete(s.leases, l.Name)
	}
}

func (s *simulation) accepted(l *queue.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leases, l.Name)
	if s.ended[l.Name]++; s.ended[l.Name] > 1 {
		s.t.Errorf("%d results of %s are accepted", s.ended[l.Name], l.Name)
	}
}

// finish checks that nothing is left.
func (s *simulation) finish() {
	q := s.farm()
	defer q.Close()
	c := q.Counts()
	if n := c.Stages[queue.Queued] + c.Stages[queue.Fetching] + c.Stages[queue.Running]; n != 0 {
		s.t.Errorf("something is left: %+v", c)
	}
	s.t.Logf("seed %d: %d workers, %d actions, %d leases, %d actions lost to setbacks, %d crashes of the queue",
		*simSeed, *simWorkers, *simActions, s.granted.Load(), s.lost.Load(), s.crashes.Load())
}
