package verdict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

// run makes the verdict of a run out of a line as shard does: the site's word, then facts.
func run(line string) (*verdict.Verdict, verdict.Facts) {
	v := shard("whole " + line)
	f := verdict.Facts{Ended: strings.Contains(line, "ended")}
	if _, bound, ok := strings.Cut(line, "bound="); ok {
		fmt.Sscan(bound, &f.Bound)
	}
	if _, why, ok := strings.Cut(line, "stopped="); ok {
		fmt.Sscan(why, &f.Stopped)
	}
	v.Verdict, v.Reason, v.Place = "", "", nil
	v.Judge(f)
	return v, f
}

func TestDeepen(t *testing.T) {
	for _, tt := range []struct{ name, shallow, deep, want string }{
		{"the second says more", "B ended bound=1", "B ended bound=8", "PROVED_UP_TO 8; PROVED_UP_TO"},
		{"all of it", "B ended bound=1", "P ended", "PROVED 0; PROVED"},
		{"a later round fails", "B ended bound=1", "R ended bound=8", "REFUTED 0; REFUTED"},
		{"the first found it, the second left it out", "R ended bound=1", "P ended bound=8", "REFUTED 0; REFUTED"},
		{"proved of all runs", "P ended bound=1", "B ended bound=8", "PROVED_UP_TO 8; PROVED"},
		{"the second starves", "B ended bound=1", "U stopped=budget bound=8", "PROVED_UP_TO 1; PROVED_UP_TO"},
		{"and the first found it", "R ended bound=1", "U stopped=budget", "REFUTED 0; REFUTED"},
		{"and proved all of it", "P ended bound=1", "U stopped=budget", "PROVED_UP_TO 1; PROVED"},
		{"not even the first", "U ended bound=1", "U stopped=budget", "UNKNOWN 1 stub; UNKNOWN"},
		{"beyond the engine in a later round", "B ended bound=1", "U stopped=stub bound=8", "PROVED_UP_TO 1; PROVED_UP_TO"},
		{"both stop, the first tells more", "U stopped=asm bound=1", "U stopped=budget", "UNKNOWN 1 asm; UNKNOWN"},
		{"both stop, the second tells more", "U stopped=asm bound=1", "U stopped=stub bound=8", "UNKNOWN 8 stub; UNKNOWN"},
		{"not reached by few rounds", "N ended bound=1", "P ended bound=8", "PROVED_UP_TO 8; PROVED"},
		{"nor by more", "N ended bound=1", "N ended bound=8", "UNKNOWN 8 not reached within the bound; UNKNOWN"},
		{"undefined behaviour, open for want of budget", "- ended bound=1", "U stopped=budget", "PROVED_UP_TO 1; "},
		{"open, and the first was cut short", "- stopped=asm bound=1", "U stopped=budget", "UNKNOWN 1 asm; UNKNOWN"},
		{"not come to again", "U ended bound=1", "- stopped=budget", "UNKNOWN 1 stub; UNKNOWN"},
		{"shown not to fail", "U ended bound=1", "- ended bound=8", "PROVED_UP_TO 8; "},
		{"the end is reached by more rounds only", "B bound=1", "B ended bound=8", "PROVED_UP_TO 8; PROVED_UP_TO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, af := run(tt.shallow)
			b, bf := run(tt.deep)
			v := verdict.Deepen(a, b, af, bf)
			got := fmt.Sprintf("%s %d", v.Verdict, v.Bound)
			if v.Reason != "" {
				got += " " + v.Reason
			}
			got += "; "
			for _, s := range v.Sites {
				got += string(s.Verdict)
			}
			if got != tt.want {
				t.Errorf("%s, then %s: %s, want %s", tt.shallow, tt.deep, got, tt.want)
			}
			if v.Stats.Work != a.Stats.Work+b.Stats.Work {
				t.Errorf("work %d, want that of both", v.Stats.Work)
			}
		})
	}
}
