package check_test

import (
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// What the root alone leaves open is decided with all that it calls, and what only
// the root alone decides is adopted.
func TestHeld(t *testing.T) {
	for _, tt := range []struct {
		program string
		budget  int64
		alone   bool
		root    verdict.Word
		held    []verdict.Word // of the sites with a location, in order
	}{
		{"alone_result", 0, true, verdict.Unknown, []verdict.Word{verdict.Unknown}},
		{"alone_result", 0, false, verdict.Proved, []verdict.Word{verdict.Proved}},
		{"alone_result", 1, false, verdict.Unknown, []verdict.Word{verdict.Unknown}}, // half of the least budget is no default
		{"alone_memory", 0, true, verdict.Unknown, []verdict.Word{verdict.Unknown, verdict.Proved}},
		{"alone_memory", 200, false, verdict.Unknown, []verdict.Word{verdict.Unknown, verdict.Proved}}, // adopted
		{"alone_guard", 20_000, false, verdict.Unknown, []verdict.Word{verdict.Proved, verdict.Unknown}},
	} {
		p := readProgram(t, "../testdata/unknown/"+tt.program+".kvs")
		v, err := check.ProveHeld(p.slice, exec.Config{Budget: tt.budget}, tt.alone)
		if err != nil {
			t.Fatal(err)
		}
		var held []verdict.Word
		for _, s := range v.Sites {
			if s.Loc >= 0 {
				held = append(held, s.Verdict)
			}
		}
		if v.Verdict != tt.root || !slices.Equal(held, tt.held) {
			t.Errorf("%s, budget %d, alone %v: %s with %v, want %s with %v", tt.program, tt.budget, tt.alone, v.Verdict, held, tt.root, tt.held)
		}
	}
}
