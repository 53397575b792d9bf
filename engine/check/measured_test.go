package check_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// measured is a check that "make bench-engine" times: a line of ../testdata/bench/checks.txt.
type measured struct {
	name    string
	loops   int // rounds that CBMC unwinds
	verdict verdict.Word
}

func measuredChecks(t *testing.T) []measured {
	text, err := os.ReadFile("../testdata/bench/checks.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []measured
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		var m measured
		var file, size string
		if _, err := fmt.Sscan(line, &m.name, &file, &size, &m.loops, &m.verdict); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		t.Fatal("no checks")
	}
	return out
}

// slow are checks that take seconds: CI proves them.
var slow = map[string]bool{"heap-8": true, "rangealloc": true, "rbtree-7": true}

// TestMeasured proves what "make bench-engine" times, with the same bounds and the default
// budget: a check that comes to no verdict any more would look fast there, and nobody runs it every day.
func TestMeasured(t *testing.T) {
	for _, m := range measuredChecks(t) {
		t.Run(m.name, func(t *testing.T) {
			if slow[m.name] && os.Getenv("KVFARM_CI") == "" {
				t.Skip("takes long: set KVFARM_CI=1")
			}
			t.Parallel()
			v, err := check.Prove(readSlice(t, "bench/"+m.name), exec.Config{LoopBound: max(exec.CheckLoops, m.loops)})
			if err != nil {
				t.Fatal(err)
			}
			if v.Verdict != m.verdict {
				t.Errorf("verdict %v %s, want %v", v.Verdict, v.Reason, m.verdict)
			}
		})
	}
}
