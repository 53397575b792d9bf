package cut

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// A way begins with a function that says something of the arguments: what is small is
// passed through, as long as all that call it are known.
func TestWays(t *testing.T) {
	size := map[string]int{"small": 5, "tiny": 5, "large": 500, "big": 500, "root": 5, "taken": 5}
	for _, tt := range []struct {
		by   map[string][]string
		want string
	}{
		{map[string][]string{"f": {"large"}}, "[[large]]"},
		{map[string][]string{"f": {"large", "f"}}, "[[large]]"},
		{map[string][]string{"f": {"small"}, "small": {"large", "big"}}, "[[large small] [big small]]"},
		{map[string][]string{"f": {"small"}, "small": {"tiny"}, "tiny": {"large"}}, "[[large tiny small]]"},
		{map[string][]string{"f": {"small"}, "small": {"f"}}, "[[small]]"},
		{map[string][]string{"f": {"small"}, "small": {"tiny"}, "tiny": {"small"}}, "[[tiny small]]"},
		{map[string][]string{"f": {"root"}, "root": {"large"}}, "[[root]]"},
		{map[string][]string{"f": {"taken"}, "taken": {"large"}}, "[[taken]]"},
		{map[string][]string{"f": {"small"}, "small": {"1", "2", "3", "4", "5", "6", "7", "8", "9"}}, "[[small]]"},
		{map[string][]string{"f": {"1", "2", "3", "4", "5", "6", "7", "8", "9"}}, "[]"},
		{map[string][]string{"f": {"f"}}, "[]"},
		{map[string][]string{}, "[]"},
	} {
		c := &Cutter{m: &module.Module{Roots: []string{"root"}}, bySym: map[string]int{}}
		for _, symbols := range tt.by {
			for _, s := range append(slices.Clone(symbols), "f", "root") {
				if _, ok := c.bySym[s]; !ok {
					c.bySym[s] = len(c.m.Funcs)
					c.m.Funcs = append(c.m.Funcs, &module.Func{Symbol: s, Name: "a::" + s, Defined: true})
				}
			}
		}
		if len(c.m.Funcs) == 0 {
			c.m.Funcs = append(c.m.Funcs, &module.Func{Symbol: "f", Name: "a::f"})
		}
		c.panic = make([]string, len(c.m.Funcs))
		o := &Owners{calls: calls{by: tt.by, taken: map[string]bool{"taken": true}, sizes: size}}
		if got := fmt.Sprint(o.Ways(c, "f")); got != tt.want {
			t.Errorf("%v: ways %s, want %s", tt.by, got, tt.want)
		}
	}
}
