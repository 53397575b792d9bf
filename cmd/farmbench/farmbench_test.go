package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/executor/sandbox"
	"github.com/kvfarm/kvfarm/executor/sandbox/sandboxtest"
)

func TestNothing(t *testing.T) {
	body, err := nothing()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "nothing")
	if err := os.WriteFile(path, body, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(path).Run(); err != nil {
		t.Error(err)
	}
}

// TestRatio has the median of rounds decide, in the direction of the figure.
func TestRatio(t *testing.T) {
	a, b := &target{name: ours}, &target{name: "other"}
	turns := func(ops ...int) (out []*turn) {
		for _, n := range ops {
			out = append(out, &turn{ops: n, wall: time.Second, each: []time.Duration{time.Second / time.Duration(n)}})
		}
		return out
	}
	for _, test := range []struct {
		figure figure
		want   float64
	}{{perSecond, 2}, {median, 2}} {
		l := &line{row: &row{figure: test.figure, amount: 1},
			turns: map[*target][]*turn{a: turns(100, 20, 50), b: turns(10, 10, 40)}}
		if got := l.ratio(a, b, l.value); got < test.want-0.01 || got > test.want+0.01 {
			t.Errorf("ratio is %v, want %v", got, test.want)
		}
		if best := l.best([]*target{b}); best != b {
			t.Errorf("best of one is %v", best)
		}
	}
}

// TestAlike: who does not wait for the disk is marked, and beside the best of all
// stands the best of those who wait for it as we do.
func TestAlike(t *testing.T) {
	us, lazy, slow := &target{name: ours, flushes: true}, &target{name: "lazy"}, &target{name: "slow", flushes: true}
	turns := func(ops int) []*turn { return []*turn{{ops: ops, wall: time.Second}} }
	up := &line{row: &row{name: "up", figure: perSecond, amount: 1, writes: true}, turns: map[*target][]*turn{us: turns(50), lazy: turns(100), slow: turns(25)}}
	down := &line{row: &row{name: "down", figure: perSecond, amount: 1}, turns: up.turns}
	tab := &table{targets: []*target{us, lazy, slow}, lines: []*line{up, down}}
	if got, want := tab.besideBest(up), "0.50x (2.00x alike)"; got != want {
		t.Errorf("up: %q, want %q", got, want)
	}
	if got, want := tab.besideBest(down), "0.50x"; got != want {
		t.Errorf("down: %q, want %q", got, want)
	}
	var out strings.Builder
	tab.print(&out)
	if n := strings.Count(out.String(), unflushed); n != 2 || !strings.Contains(out.String(), "100 (0.50x)"+unflushed) {
		t.Errorf("%d marks, want one and what it means:\n%s", n, out.String())
	}
	us.flushes = unlessLazy(&settings{args: []string{"--durability", "process"}})
	if got, want := tab.besideBest(up), "0.50x"; got != want || us.flushes {
		t.Errorf("lazy: %q, want %q", got, want)
	}
}

// TestRows has our server alone get every load but the largest, shortly.
func TestRows(t *testing.T) {
	sandboxtest.Open(t, sandbox.Config{})
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../kvfarm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out bytes.Buffer
	const small = "^(blobs|FindMissing|ActionCache|Execute|action|warm action over 5)"
	args := []string{"-bin", bin, "-farms", "^kvfarm$", "-rounds", "1", "-limit", "50ms", "-rows", small}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows() {
		if strings.Contains(r.name, "30,000") || strings.Contains(r.name, "memory") {
			continue
		}
		if n := strings.Count(out.String(), r.name); n != 2 {
			t.Errorf("%q stands %d times in the tables, want twice:\n%s", r.name, n, out.String())
		}
	}
}

// TestInterrupted holds that nothing goes on after a signal.
func TestInterrupted(t *testing.T) {
	bin := t.TempDir()
	// A server that answers nobody.
	script := "#!/bin/sh\nexec sleep 600\n"
	if err := os.WriteFile(filepath.Join(bin, ours), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := run(ctx, []string{"-bin", bin}, io.Discard); err == nil {
		t.Error("no error")
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %v to end", took)
	}
}
