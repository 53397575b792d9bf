package verdict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

// shard makes a verdict out of a line: what it follows, then the site's word,
// then facts (ended, idle, stopped, seen, unlisted, bound).
func shard(line string) *verdict.Verdict {
	f := strings.Fields(line)
	v := &verdict.Verdict{Version: verdict.Version, Assumptions: []string{"of all"}, Stats: verdict.Stats{Work: 10, PeakObjects: int64(len(line))}}
	facts := strings.Join(f[2:], " ")
	has := func(w string) bool { return strings.Contains(facts, w) }
	bound := 0
	if has("bound") {
		bound = 8
	}
	if f[0] != "whole" {
		v.Shard = &verdict.Shard{Of: f[0], Ended: has("ended"), Idle: has("idle"), Stopped: has("stopped"), Bound: bound}
		v.Assumptions = append(v.Assumptions, "of "+f[0])
		if has("seen") {
			v.Shard.Seen = []int{0}
		}
	}
	s := verdict.Site{Kind: "assert", Loc: -1, Func: 1, Inst: 2, Witness: -1}
	switch f[1] {
	case "R":
		s.Verdict, s.Witness = verdict.Refuted, 0
		v.Witnesses = []verdict.Witness{{Replayed: true}}
	case "U":
		s.Verdict, s.Reason = verdict.Unknown, "stub"
	case "N":
		s.Verdict, s.Reason = verdict.Unknown, verdict.Unreached
	case "B":
		s.Verdict = verdict.ProvedTo
	case "P":
		s.Verdict = verdict.Proved
	}
	if f[1] != "-" {
		v.Sites = []verdict.Site{s}
	}
	why := verdict.Facts{Bound: bound, Ended: has("ended"), Idle: has("idle")}
	if has("stopped") || f[0] == "whole" {
		why.Stopped, why.Place = verdict.Budget, &verdict.Place{Func: 3, Inst: 4}
	}
	v.Judge(why)
	return v
}

func TestJoin(t *testing.T) {
	const starved = "whole U"
	for _, tt := range []struct{ name, parts, want string }{
		{"proved in both", "0.1+2 P ended; 0.1-2 P ended", "PROVED; PROVED"},
		{"an empty one", "0.1+2 P; 0.1-2 P ended", "PROVED; PROVED"},
		{"all are empty", "0.1+2 P; 0.1-2 P", "VACUOUS; PROVED"},
		{"refuted in one", "0.1+2 P ended; 0.1-2 R ended", "REFUTED; REFUTED"},
		{"refuted and open", "0.1+2 R stopped; 0.1-2 U stopped", "REFUTED; REFUTED"},
		{"open in one", "0.1+2 U ended; 0.1-2 P ended", "UNKNOWN stub; UNKNOWN stub"},
		{"given up in one", "0.1+2 P ended; 0.1-2 P stopped", "UNKNOWN budget; PROVED"},
		{"not listed, and open", "0.1+2 - ended; 0.1-2 U ended", "UNKNOWN stub; UNKNOWN stub"},
		{"listed in none", "0.1+2 - ended; 0.1-2 - ended", "PROVED"},
		{"bound in one", "0.1+2 P ended; 0.1-2 B ended seen bound", "PROVED_UP_TO 8; PROVED_UP_TO"},
		{"bound, seen elsewhere", "0.1+2 P ended seen; 0.1-2 N bound", "PROVED_UP_TO 8; PROVED_UP_TO"},
		{"bound, seen nowhere", "0.1+2 P ended; 0.1-2 N ended bound", "UNKNOWN not reached within the bound; UNKNOWN not reached within the bound"},
		{"no end within the bound", "0.1+2 P; 0.1-2 P bound", "UNKNOWN no run reaches the end within the bound; PROVED"},
		{"idle in one", "0.1+2 P ended idle; 0.1-2 P ended", "PROVED; PROVED"},
		{"idle in both", "0.1+2 P ended idle; 0.1-2 P ended idle", "VACUOUS; PROVED"},
		{"idle where it ends", "0.1+2 P ended idle; 0.1-2 P idle", "VACUOUS; PROVED"},
		{"split again", "0.1+2 U stopped; 0.1-2 P ended; 0.1+2,0.7+3 P ended; 0.1+2,0.7-3 P ended", "PROVED; PROVED"},
		{"split again, order", "0.1+2,0.7-3 P ended; 0.1-2 P ended; 0.1+2,0.7+3 P ended; 0.1+2 U stopped", "PROVED; PROVED"},
		{"split again, open", "0.1+2 U stopped; 0.1-2 P ended; 0.1+2,0.7+3 P ended; 0.1+2,0.7-3 U stopped", "UNKNOWN budget; UNKNOWN stub"},
		{"decided before it was split", "0.1+2 P stopped; 0.1-2 P ended; 0.1+2,0.7+3 P ended; 0.1+2,0.7-3 U stopped", "UNKNOWN budget; PROVED"},
		{"not listed before it was split", "0.1+2 - stopped; 0.1-2 - ended; 0.1+2,0.7+3 - ended; 0.1+2,0.7-3 U ended", "UNKNOWN stub; UNKNOWN stub"},
		{"unreached before it was split", "0.1+2 N stopped; 0.1-2 P ended; 0.1+2,0.7+3 P ended seen; 0.1+2,0.7-3 U ended", "UNKNOWN stub; UNKNOWN stub"},
		{"refuted before it was split", "0.1+2 R stopped; 0.1-2 P ended; 0.1+2,0.7+3 P ended; 0.1+2,0.7-3 P ended", "REFUTED; REFUTED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var parts []*verdict.Verdict
			for _, line := range strings.Split(tt.parts, ";") {
				parts = append(parts, shard(line))
			}
			v, err := verdict.Join(shard(starved), parts)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, words(v)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if want := int64(10 + 10*len(parts)); v.Stats.Work != want || len(v.Assumptions) != 1+len(parts) {
				t.Errorf("work %d, want %d; assumptions %q", v.Stats.Work, want, v.Assumptions)
			}
			if v.Shard != nil || v.Frontier != nil {
				t.Error("the joined verdict is one of a shard")
			}
		})
	}
}

func words(v *verdict.Verdict) string {
	out := strings.TrimSpace(string(v.Verdict) + " " + v.Reason)
	if v.Bound > 0 && v.Verdict == verdict.ProvedTo {
		out += fmt.Sprint(" ", v.Bound)
	}
	for _, s := range v.Sites {
		out += strings.TrimRight(fmt.Sprintf("; %s %s", s.Verdict, s.Reason), " ")
	}
	return out
}

// TestJoinOfWhole: what the whole decided before its budget ended stands.
func TestJoinOfWhole(t *testing.T) {
	for whole, want := range map[string]string{
		"whole P": "UNKNOWN budget; PROVED",
		"whole B": "UNKNOWN budget; PROVED_UP_TO",
		"whole R": "REFUTED; REFUTED",
		"whole U": "UNKNOWN budget; UNKNOWN stub",
		"whole -": "UNKNOWN budget; UNKNOWN stub",
		"whole N": "UNKNOWN budget; UNKNOWN stub",
	} {
		v, err := verdict.Join(shard(whole), []*verdict.Verdict{shard("0.1+2 U stopped"), shard("0.1-2 P ended")})
		if err != nil {
			t.Fatal(err)
		}
		if got := words(v); got != want {
			t.Errorf("%s: %q, want %q", whole, got, want)
		}
	}
}

// TestJoinNeedsAll: shards that leave something out are no proof.
func TestJoinNeedsAll(t *testing.T) {
	for _, tt := range []struct{ parts, want string }{
		{"0.1+2 P ended", "nothing covers \"0.1-2\""},
		{"0.1-2 P ended", "nothing covers \"0.1+2\""},
		{"0.1+2 P ended; 0.1-2 P ended; 0.1+2 P ended", "two of \"0.1+2\""},
		{"0.1+2 P ended; 0.1-3 P ended", "nothing covers"},
		{"0.1+2 P ended; 0.1-2 P ended; 0.1+3 P ended", "is split by"},
		{"0.1+2 P ended; 0.2-2 P ended", "nothing covers"},
		{"0.1+2,0.3+4 P ended; 0.1-2 P ended", "nothing covers \"0.1+2,0.3-4\""},
		{"0.1+2 U stopped; 0.1-2 P ended; 0.1+2,0.3+4 P ended", "nothing covers \"0.1+2,0.3-4\""},
		{"0.1+2,0.3+4 P ended; 0.1-2,0.3-4 P ended", "nothing covers"},
		{"0.1+02 P ended; 0.1-2 P ended", "is no decision"},
		{"whole P; 0.1-2 P ended", "no shard"},
	} {
		var parts []*verdict.Verdict
		for _, line := range strings.Split(tt.parts, ";") {
			parts = append(parts, shard(line))
		}
		v, err := verdict.Join(shard("whole U"), parts)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v and error %v, want one with %q", tt.parts, v, err, tt.want)
		}
	}
}

// TestSplit: however often parts are split, they cover the whole.
func TestSplit(t *testing.T) {
	frontier := []string{"0.1+2", "0.1+2,0.5~1+3", "0.1-2,0.5~1/2.8+3", "0.1+2,0.5~1-3,0.9+1"}
	for n, want := range []int{1, 1, 2, 3, 4, 5, 5} {
		parts, err := verdict.Split("", frontier, n)
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) != want {
			t.Errorf("at most %d: %q", n, parts)
		}
		if n < 2 {
			continue
		}
		var vs []*verdict.Verdict
		for _, p := range parts {
			vs = append(vs, shard(p+" P ended"))
		}
		if _, err := verdict.Join(shard("whole U"), vs); err != nil {
			t.Error(err)
		}
	}
	if parts, err := verdict.Split("0.1+2", []string{"0.1+2,0.3+4"}, 9); err != nil || len(parts) != 2 {
		t.Errorf("a part is split into %q, %v", parts, err)
	}
	for _, bad := range []string{"", "nonsense", "0.7+1,0.8+2"} {
		if parts, err := verdict.Split("", []string{bad}, 9); err == nil {
			t.Errorf("%q splits into %q", bad, parts)
		}
	}
}

// TestFits: what fits is read, what does not is not.
func TestFits(t *testing.T) {
	deep := strings.Repeat("7.77~7/", 1000) + "0.1"
	for n := range 70 {
		var short, long []verdict.Decision
		for i := range n {
			short = append(short, verdict.Decision{At: "0.1", Block: i})
			long = append(long, verdict.Decision{At: deep, Block: i, Takes: true})
		}
		for _, ds := range [][]verdict.Decision{short, long} {
			if _, err := verdict.ParseShard(verdict.FormatShard(ds)); (err == nil) != verdict.Fits(ds) {
				t.Errorf("%d decisions fit: %v, read: %v", n, verdict.Fits(ds), err)
			}
		}
	}
}

func TestParseShard(t *testing.T) {
	const good = "0.31~2/1.44~0~17/12.3+5,0.1-0"
	ds, err := verdict.ParseShard(good)
	if err != nil || verdict.FormatShard(ds) != good {
		t.Errorf("%v, %v", ds, err)
	}
	for _, bad := range []string{",", "0.1", "0+1", "0.1+", "0.1*2", "0.1~+2", "/0.1+2", "0.1/+2", "00.1+2", "0.1+-2", "0.1+2,", " 0.1+2", "0.1+2,0.1-2", "0.1+2,0.1+2", "0.1+9999999999",
		strings.Repeat("0.1+2,", 70) + "0.1+2", strings.Repeat("0.1/", 1<<15) + "0.1+2"} {
		if ds, err := verdict.ParseShard(bad); err == nil {
			t.Errorf("%.40q is read as %v", bad, ds)
		}
	}
}
