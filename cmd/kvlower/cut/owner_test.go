package cut_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// One line per function that a location stands in, then the locations that it
// owns, and who calls it, where nobody else can: not the caller's that it panics with, not one that is stored, none of a
// function whose inputs do not cover all that callers may pass.
func TestOwners(t *testing.T) {
	var b strings.Builder
	for _, stream := range []string{"owners.kvbc", "sites.kvbc", "same/base.kvbc"} {
		c := cutter(t, stream)
		o := c.Owners()
		fmt.Fprintln(&b, stream)
		for _, symbol := range o.Symbols {
			s, m := mustCut(t, c, symbol)
			fmt.Fprintf(&b, "  %s external=%v\n", c.Name(symbol), slices.Contains(c.Roots(), symbol))
			for _, way := range o.Ways(c, symbol) {
				fmt.Fprint(&b, "    called by")
				for _, by := range way {
					fmt.Fprint(&b, " ", c.Name(by))
				}
				fmt.Fprintln(&b)
			}
			for _, k := range o.Owns(s, m) {
				fmt.Fprintf(&b, "    %s:%d:%d\n", m.Locs[k].File, m.Locs[k].Line, m.Locs[k].Col)
			}
		}
	}
	golden(t, "owners.golden", b.String())
}
