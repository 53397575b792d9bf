package interp_test

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// TestPrograms runs every testdata/*.kvs with the inputs of its lines
//
//	; run NAME:BITS=VALUE ... -> OUTCOME
//
// where OUTCOME is how the outcome prints without its detail: "returned 5",
// "panicked bounds at 0:8 loc 0", "undefined oob_load at 1:3".
func TestPrograms(t *testing.T) { programs(t, "testdata/*.kvs") }

// TestNative compares runs with what the same functions did as programs of the
// machine; see the folder's README.md.
func TestNative(t *testing.T) { programs(t, "testdata/native/*.kvs") }

func programs(t *testing.T, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".kvs"), func(t *testing.T) { program(t, name) })
	}
}

func program(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, line := range strings.Split(string(text), "\n") {
		run, ok := strings.CutPrefix(line, "; run")
		if !ok {
			continue
		}
		runs++
		args, want, _ := strings.Cut(run, "->")
		in, err := inputs(args)
		if err != nil {
			t.Fatal(err)
		}
		o, err := interp.Run(s, interp.Witness(in), interp.Limits{Steps: 100_000, Depth: 100, Memory: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(&o); got != strings.TrimSpace(want) && strings.TrimSpace(want) != fmt.Sprintf("panicked loc %d", o.Loc) {
			t.Errorf("run%s\n got %s (%s)\nwant %s", args, got, o.Detail, strings.TrimSpace(want))
		}
	}
	if runs == 0 {
		t.Error("no run in this file")
	}
}

func show(o *interp.Outcome) string {
	if o.Kind == interp.Returned {
		return strings.TrimSpace("returned " + numbers(o.Result))
	}
	brief := *o
	brief.Detail = ""
	return brief.String()
}

// inputs reads "any#0:8=5 arg0:64=-1".
func inputs(text string) ([]interp.Input, error) {
	var out []interp.Input
	for _, f := range strings.Fields(text) {
		var bits int
		name, rest, _ := strings.Cut(f, ":")
		width, value, _ := strings.Cut(rest, "=")
		if _, err := fmt.Sscan(width, &bits); err != nil {
			return nil, fmt.Errorf("input %q: %w", f, err)
		}
		v, ok := new(big.Int).SetString(value, 10)
		if !ok {
			return nil, fmt.Errorf("input %q: no number", f)
		}
		if v.Sign() < 0 {
			v.Add(v, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
		}
		out = append(out, interp.Input{Name: name, Bits: bits, Value: v})
	}
	return out, nil
}
