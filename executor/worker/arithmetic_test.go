package worker_test

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestArithmetic adds up numbers by a tree of actions, each of which adds two
// results of others, from several sides at once. A result that went to the
// wrong place shows as a wrong sum; so does an open file as one too many.
func TestArithmetic(t *testing.T) {
	const numbers, sides = 32, 3
	f := newFarm(t)
	f.sum(t, []string{"1", "2"})
	before := openFiles(t)
	var wg sync.WaitGroup
	for range sides {
		wg.Go(func() {
			var ns []string
			for i := range numbers {
				ns = append(ns, strconv.Itoa(i))
			}
			if got, want := f.sum(t, ns), strconv.Itoa(numbers*(numbers-1)/2); got != want {
				t.Errorf("sum is %s, want %s", got, want)
			}
		})
	}
	wg.Wait()
	for begin := time.Now(); openFiles(t) > before; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d files are open, were %d", openFiles(t), before)
		}
	}
}

// sum has halves added, and then their sums.
func (f *farm) sum(t *testing.T, ns []string) string {
	if len(ns) == 1 {
		return ns[0]
	}
	half := len(ns) / 2
	var a, b string
	var wg sync.WaitGroup
	wg.Go(func() { a = f.sum(t, ns[:half]) })
	wg.Go(func() { b = f.sum(t, ns[half:]) })
	wg.Wait()
	add := act("add", "a", "b")
	add.inputs = map[string]string{"a": a, "b": b}
	o := f.run(t, add)
	if o.Failure != nil || o.Result.ExitCode != 0 {
		t.Errorf("%v, %v", o.Failure, o.Result)
		return ""
	}
	return string(o.Result.StdoutRaw)
}

// openFiles counts them, less those in which sandboxes, of which there are more
// when more actions run at a time, look whether a network is as new.
func openFiles(t *testing.T) (n int) {
	t.Helper()
	const dir = "/proc/self/fd/"
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if file, _ := os.Readlink(dir + fd.Name()); !strings.HasPrefix(file, "/proc/") || !strings.Contains(file, "/net/") {
			n++
		}
	}
	return n
}
