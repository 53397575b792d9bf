package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// lowered are the files that are written of a stream with so many threads, by name.
func lowered(t *testing.T, stream string, threads int) map[string]string {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	b, err := os.ReadFile(stream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cut.New(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := (job{out: dir, crate: "crate"}).write(c); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(text)
	}
	return out
}

// The slices are keys of proofs: with any number of threads, and however often, they are the same to the byte.
func TestThreadsDoNotShow(t *testing.T) {
	streams, _ := filepath.Glob("testdata/*.kvbc")
	if len(streams) == 0 {
		t.Fatal("no streams")
	}
	for _, stream := range streams {
		want := lowered(t, stream, 1)
		if len(want) < 3 {
			t.Errorf("%s: %d files", stream, len(want))
		}
		for _, threads := range []int{2, 8} {
			if d := cmp.Diff(want, lowered(t, stream, threads)); d != "" {
				t.Errorf("%s: one thread, and %d (-one +more):\n%s", stream, threads, d)
			}
		}
	}
}

func TestInOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const n = 4 * maxAhead
	for _, bad := range []int{n, 0, maxAhead + 1, n - 1} { // n: none is
		var got []int
		err := inOrder(n, func(i int) (int, error) {
			if i >= bad {
				return 0, fmt.Errorf("number %d", i)
			}
			if i%3 == 0 {
				runtime.Gosched()
			}
			return i * i, nil
		}, func(v int) error {
			got = append(got, v)
			return nil
		})
		var want []int
		for i := range bad {
			want = append(want, i*i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d are good: got %v", bad, got)
		}
		if told := fmt.Sprint(err); bad < n && told != fmt.Sprint("number ", bad) || bad == n && err != nil {
			t.Errorf("%d are good: error %v", bad, err)
		}
	}
	full := errors.New("full")
	err := inOrder(n, func(i int) (int, error) { return i, nil }, func(v int) error {
		if v == 5 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) {
		t.Errorf("taking ends with %v", err)
	}
	if err := inOrder(0, func(int) (int, error) { return 0, full }, func(int) error { return full }); err != nil {
		t.Errorf("of nothing: %v", err)
	}
}
