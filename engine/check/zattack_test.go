package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

func tryLots(t *testing.T, s *ir.Slice, max int) failures {
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	f := failures{sites: map[string]bool{}, whole: true}
	c := &choices{}
	for n := 0; ; n++ {
		if n == max {
			f.whole = false
			return f
		}
		switch o := p.Run(c, interp.Limits{Steps: 1_000_000}); o.Kind {
		case interp.Returned:
			f.returns = true
		case interp.Panicked, interp.Undefined:
			f.sites[placed(o.What, o.Loc, o.Func, o.Inst)] = true
		case interp.AssertFailed:
			f.sites[placed("assert", -1, o.Func, o.Inst)] = true
		case interp.AssumeFailed:
		default:
			t.Logf("a run ends with %v", &o)
			f.whole = false
			return f
		}
		if !c.next() {
			return f
		}
	}
}

func TestAttack(t *testing.T) {
	dir := os.Getenv("ATTACK")
	quick := os.Getenv("ATTACK_QUICK") != ""
	files, _ := filepath.Glob(dir + "/*/index.json")
	sort.Strings(files)
	counts := map[string]int{}
	for _, file := range files {
		b, _ := os.ReadFile(file)
		x, err := position.DecodeIndex(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range x.Roots {
			if r.Kind != position.Check {
				continue
			}
			at := filepath.Dir(file)
			text, _ := os.ReadFile(filepath.Join(at, r.Slice))
			mb, _ := os.ReadFile(filepath.Join(at, r.Map))
			m, _ := position.Decode(mb)
			s, err := ir.Parse(text)
			if err != nil {
				t.Errorf("%s %s: %v", at, r.Symbol, err)
				continue
			}
			id := filepath.Base(at) + " " + r.Symbol + " " + r.Slice
			var f failures
			if os.Getenv("ATTACK_RUNS") != "" {
				f = tryRandom(t, s, 1500)
			} else {
				f = tryLots(t, s, 70_000)
			}
			if !f.whole && os.Getenv("ATTACK_RUNS") == "" {
				counts["not whole"]++
				fmt.Println("NOTWHOLE", id)
			}
			cfgs := map[string]exec.Config{"full": {Budget: 1_000_000}}
			if !quick {
				cfgs["paths"] = exec.Config{Budget: 200_000, Paths: true}
				cfgs["low"] = exec.Config{Budget: 10_000}
				cfgs["loops"] = exec.Config{Budget: 300_000, LoopBound: 2}
			}
			var full *verdict.Verdict
			for name, cfg := range cfgs {
				g := f
				g.bounded = cfg.LoopBound > 0
				v, err := check.Prove(s, cfg)
				if err != nil {
					t.Errorf("%s %s: %v", id, name, err)
					continue
				}
				if name == "full" {
					full = v
				}
				bad, open := disagreement(v, g)
				if bad != "" {
					fmt.Println("BAD", id, name, bad, where(bad, m))
					t.Errorf("BAD %s %s: %s", id, name, bad)
				}
				counts[name+" "+string(v.Verdict)]++
				if open && name == "full" {
					fmt.Println("OPEN", id, v.Verdict, openFor(v))
					for _, st := range v.Sites {
						if st.Verdict == verdict.Unknown {
							p := ""
							if st.Loc >= 0 {
								p = fmt.Sprint(m.Locs[st.Loc])
							}
							fmt.Println("   ", st.Kind, st.Reason, p)
						}
					}
				}
				if name == "low" && len(v.Frontier) > 0 {
					p := program{name: id, slice: s}
					j := inShards(t, p, exec.Config{Budget: 1_000_000}, v, 4)
					bad, _ := disagreement(j, g)
					if bad != "" {
						fmt.Println("BAD", id, "shards", bad, where(bad, m))
						t.Errorf("BAD %s shards: %s", id, bad)
					}
					counts["shards "+string(j.Verdict)]++
				}
			}
			if full != nil && os.Getenv("ATTACK_LIST") != "" {
				fmt.Println("VERDICT", id, full.Verdict, full.Reason)
				for _, st := range full.Sites {
					if st.Verdict == verdict.Refuted {
						p := ""
						if st.Loc >= 0 {
							p = fmt.Sprint(m.Locs[st.Loc])
						}
						fmt.Println("   REFUTED", st.Kind, p, st.Func, st.Inst)
					}
				}
			}
		}
	}
	t.Log(counts)
}

func where(bad string, m *position.Map) string {
	var kind string
	var loc int
	i := strings.Index(bad, " loc ")
	if i < 0 {
		return ""
	}
	kind = bad[:i]
	fmt.Sscanf(bad[i+5:], "%d", &loc)
	return fmt.Sprint(kind, m.Locs[loc])
}

func tryRandom(t *testing.T, s *ir.Slice, n int) failures {
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	f := failures{sites: map[string]bool{}}
	for i := range n {
		switch o := p.Run(interp.Random(uint64(i)), interp.Limits{Steps: 1_000_000}); o.Kind {
		case interp.Returned:
			f.returns = true
		case interp.Panicked, interp.Undefined:
			f.sites[placed(o.What, o.Loc, o.Func, o.Inst)] = true
		case interp.AssertFailed:
			f.sites[placed("assert", -1, o.Func, o.Inst)] = true
		}
	}
	return f
}
