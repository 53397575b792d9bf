package check_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// inShards proves a program in at most n shards, each with the budget of cfg,
// as the frontiers of whole and of the shards divide it.
func inShards(t *testing.T, p program, cfg exec.Config, whole *verdict.Verdict, n int) *verdict.Verdict {
	t.Helper()
	var all []*verdict.Verdict
	var below func(of string, v *verdict.Verdict, n int)
	below = func(of string, v *verdict.Verdict, n int) {
		parts, err := verdict.Split(of, v.Frontier, n)
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) == 1 {
			return
		}
		for _, part := range parts {
			cfg.Shard, err = verdict.ParseShard(part)
			if err != nil {
				t.Fatal(err)
			}
			w, err := check.Prove(p.slice, cfg)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, w)
			below(part, w, n/len(parts))
		}
	}
	below("", whole, n)
	v, err := verdict.Join(whole, all)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scouted is a verdict for want of budget: it tells how the program can be divided.
func scouted(t *testing.T, p program, budget int64) *verdict.Verdict {
	t.Helper()
	p.cfg.Budget = budget
	v, err := check.Prove(p.slice, p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// opposed says where one verdict claims what the other shows to be wrong.
func opposed(a, b *verdict.Verdict) string {
	words := map[verdict.Site]verdict.Word{}
	name := func(s verdict.Site) verdict.Site {
		return verdict.Site{Kind: s.Kind, Loc: s.Loc, Func: s.Func, Inst: s.Inst}
	}
	for _, s := range a.Sites {
		words[name(s)] = s.Verdict
	}
	for _, s := range b.Sites {
		w, listed := words[name(s)]
		switch {
		case s.Verdict == verdict.Proved && w == verdict.Refuted,
			s.Verdict == verdict.Refuted && (w == verdict.Proved || !listed && a.Verdict == verdict.Proved):
			return fmt.Sprintf("%s at %d:%d: %v and %v", s.Kind, s.Func, s.Inst, w, s.Verdict)
		}
	}
	for _, s := range a.Sites {
		if s.Verdict == verdict.Refuted && b.Verdict == verdict.Proved {
			return fmt.Sprintf("%s at %d:%d is refuted, and the root is proved", s.Kind, s.Func, s.Inst)
		}
	}
	return ""
}

// decidedSites lists what is decided, a bound or none being one: it hangs on how rounds are counted.
func decidedSites(v *verdict.Verdict) []string {
	var out []string
	for _, s := range v.Sites {
		w := s.Verdict
		if w == verdict.ProvedTo {
			w = verdict.Proved
		}
		if w != verdict.Unknown {
			out = append(out, fmt.Sprintf("%s %d %d.%d %s", s.Kind, s.Loc, s.Func, s.Inst, w))
		}
	}
	return out
}

// TestShards proves programs whole and in shards that are all followed to their
// ends: both must say the same.
func TestShards(t *testing.T) {
	t.Parallel()
	divided := 0
	for _, p := range programs(t) {
		whole, err := check.Prove(p.slice, p.cfg)
		if err != nil {
			t.Fatal(err)
		}
		scout := scouted(t, p, 150)
		if p.cfg.Budget != 0 || len(scout.Frontier) == 0 {
			continue
		}
		divided++
		joined := inShards(t, p, p.cfg, scout, 4)
		if d := cmp.Diff(decidedSites(whole), decidedSites(joined)); d != "" {
			t.Errorf("%s: sites (-whole +joined):\n%s", p.name, d)
		}
		if whole.Verdict != joined.Verdict {
			t.Errorf("%s: %v %s, in shards %v %s", p.name, whole.Verdict, whole.Reason, joined.Verdict, joined.Reason)
		}
		if len(joined.Assumptions) < len(whole.Assumptions) {
			t.Errorf("%s: assumes %q, in shards %q", p.name, whole.Assumptions, joined.Assumptions)
		}
		randomRuns(t, p.slice, joined, 20)
	}
	if divided < 20 {
		t.Errorf("only %d programs were divided", divided)
	}
}

// TestShardRounds divides loops whose rounds end about where the bound is, by when they are left: a round counts in a shard that
// does not leave it, too.
func TestShardRounds(t *testing.T) {
	t.Parallel()
	words := map[verdict.Word]int{}
	for _, file := range []string{"proved/loop", "proved/loop_nested", "proved/string"} {
		p := readProgram(t, "../testdata/"+file+".kvs")
		for bound := 1; bound <= 9; bound++ {
			p.cfg = exec.Config{LoopBound: bound}
			whole, err := check.Prove(p.slice, p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, budget := range []int64{100, 150, 250, 400} {
				scout := scouted(t, p, budget)
				if len(scout.Frontier) == 0 {
					continue
				}
				words[whole.Verdict]++
				joined := inShards(t, p, p.cfg, scout, 8)
				if joined.Verdict != whole.Verdict || joined.Bound != whole.Bound {
					t.Errorf("%s, bound %d, divided at %d: %v %d, in shards %v %d", p.name, bound, budget, whole.Verdict, whole.Bound, joined.Verdict, joined.Bound)
				}
			}
		}
	}
	if words[verdict.Proved] < 4 || words[verdict.ProvedTo] < 8 {
		t.Errorf("divided %v", words)
	}
}

// TestStarvedShards gives shards as little as the whole had. What they come to must not be wrong.
func TestStarvedShards(t *testing.T) {
	t.Parallel()
	divided := 0
	for _, p := range programs(t) {
		whole, err := check.Prove(p.slice, p.cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, budget := range []int64{200, 2000} {
			starved := scouted(t, p, budget)
			if len(starved.Frontier) == 0 {
				continue
			}
			divided++
			cfg := p.cfg
			cfg.Budget = budget
			joined := inShards(t, p, cfg, starved, 12)
			if why := opposed(whole, joined); why != "" {
				t.Errorf("%s, budget %d: %s", p.name, budget, why)
			}
			for _, s := range decidedSites(starved) {
				if !slices.Contains(decidedSites(joined), s) {
					t.Errorf("%s, budget %d: %s is lost", p.name, budget, s)
				}
			}
			randomRuns(t, p.slice, joined, 5)
		}
	}
	if divided < 30 {
		t.Errorf("only %d programs were divided", divided)
	}
}

// TestDifferentialShards divides generated slices as a scout with little budget
// says, and compares what is joined with runs on all inputs.
func TestDifferentialShards(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		generate func(seed int64) string
		loops    int
	}{
		"code":   {generate, 0},
		"memory": {generateMemory, 0},
		"loops":  {generateLoops, 3},
		"rounds": {generateRounds, 3},
	} {
		t.Run(name, func(t *testing.T) {
			divided, words := 0, map[verdict.Word]int{}
			for seed := range seeds(generated() / 12) {
				text := tt.generate(seed)
				p := program{slice: parsed(t, text), cfg: exec.Config{Budget: 1_000_000, LoopBound: tt.loops}}
				scout := scouted(t, p, 100+100*(seed%4))
				if len(scout.Frontier) == 0 {
					continue
				}
				divided++
				f := tryAll(t, p.slice)
				f.bounded = tt.loops > 0
				joined := inShards(t, p, p.cfg, scout, 8)
				if bad, _ := disagreement(joined, f); bad != "" {
					t.Errorf("seed %d: %s\n%s", seed, bad, text)
				}
				words[joined.Verdict]++
			}
			if divided == 0 {
				t.Error("nothing was divided")
			}
			t.Logf("%d divided: %v", divided, words)
		})
	}
}

// TestDifferentialShardsOutside does it where code that is not known is called:
// what one shard tells it, another knows nothing of.
func TestDifferentialShardsOutside(t *testing.T) {
	t.Parallel()
	divided := 0
	for seed := range seeds(generated() / 4) {
		open, closed := generateOutside(seed)
		p := program{slice: parsed(t, open), cfg: exec.Config{Budget: 1_000_000}}
		scout := scouted(t, p, 50)
		if len(scout.Frontier) == 0 {
			continue
		}
		divided++
		joined := inShards(t, p, p.cfg, scout, 8)
		f := tryAll(t, parsed(t, closed))
		for _, site := range joined.Sites {
			name := placed(site.Kind, site.Loc, site.Func, site.Inst)
			if site.Verdict != verdict.Unknown && site.Verdict != verdict.Refuted && ofRoot(name) && f.sites[name] {
				t.Errorf("seed %d: %s is %s, and fails in a run\n%s", seed, name, site.Verdict, closed)
			}
		}
	}
	if divided == 0 {
		t.Error("nothing was divided")
	}
	t.Logf("%d divided", divided)
}
