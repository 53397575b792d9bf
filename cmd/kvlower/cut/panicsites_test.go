package cut_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// One line per check, whoever holds it: the same ones whichever functions are
// roots, reached by them or not.
func TestPanics(t *testing.T) {
	var all string
	for _, roots := range [][]string{{"arithmetic", "forwarded", "library"}, {"arithmetic"}, nil} {
		b, err := os.ReadFile("../testdata/sites.kvbc")
		if err != nil {
			t.Fatal(err)
		}
		m, err := module.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		m.Roots = slices.DeleteFunc(m.Roots, func(r string) bool { return !slices.Contains(roots, r) })
		c, err := cut.New(m)
		if err != nil {
			t.Fatal(err)
		}
		var text, places strings.Builder
		reached := 0
		for _, p := range c.Owners().Panics {
			fmt.Fprintf(&text, "%s %s:%d:%d located=%v reached=%v\n", p.Kind, p.At.File, p.At.Line, p.At.Col, p.Located, p.Reached)
			fmt.Fprintf(&places, "%s %s:%d:%d\n", p.Kind, p.At.File, p.At.Line, p.At.Col)
			if p.Reached {
				reached++
			}
		}
		switch {
		case all == "":
			all = places.String()
		case places.String() != all:
			t.Errorf("roots %q: other checks than with all roots:\n%s", roots, places.String())
		}
		if (reached > 0) != (len(roots) > 0) {
			t.Errorf("roots %q reach %d checks", roots, reached)
		}
		if len(roots) == 1 {
			golden(t, "panics.golden", text.String())
		}
	}
}

// What is left of a module that nothing was taken out of is all that it holds.
func TestRemains(t *testing.T) {
	c := cutter(t, "sites.kvbc")
	left := map[string]bool{}
	for _, p := range c.Remains() {
		left[fmt.Sprintf("%s %s:%d:%d", p.Kind, p.At.File, p.At.Line, p.At.Col)] = true
	}
	for _, p := range c.Owners().Panics {
		at := fmt.Sprintf("%s:%d:%d", p.At.File, p.At.Line, p.At.Col)
		if !left[p.Kind+" "+at] && !left[" "+at] {
			t.Errorf("%s %s is not listed", p.Kind, at)
		}
	}
	if left["bounds sites.rs:19:5"] || left[" sites.rs:19:5"] {
		t.Errorf("kinds that line 19 does not have are listed")
	}
}
