package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// How many checks are generated, in how many sources, and the budget of each.
const (
	levelSources = 3
	levelChecks  = 40
	levelBudget  = 100_000
)

// TestLevels generates checks in safe Rust and compiles them at all levels: each has
// one verdict, no panic is proved at one level and refuted at another, and none that is proved fails in the interpreter.
func TestLevels(t *testing.T) {
	if os.Getenv("KVFARM_CI") == "" {
		t.Skip("compiles at three levels: set KVFARM_CI=1")
	}
	out, _ := compileAll(t, func(dir string) { writeSources(t, dir) }, levels)
	count := map[string]int{}
	for _, np := range out["np"] {
		v := proveWithin(t, np.slice, levelBudget)
		count[string(v.Verdict)]++
		runAgainst(t, np, v)
		for _, level := range []string{"o0", "o2"} {
			i := slices.IndexFunc(out[level], func(c compiled) bool { return c.name == np.name })
			if i < 0 { // LLVM has made one function of two
				count["merged at "+level]++
				continue
			}
			other := out[level][i]
			w := proveWithin(t, other.slice, levelBudget)
			if v.Verdict != w.Verdict {
				if v.Verdict != verdict.Unknown && w.Verdict != verdict.Unknown {
					t.Errorf("%s: %s at the level of proofs, %s at %s", np.name, v.Verdict, w.Verdict, level)
				}
				count["not decided at "+level]++
			}
			for _, at := range append(both(np, v, other, w), both(other, w, np, v)...) {
				t.Errorf("%s: %s is refuted at one level and proved at another: np and %s", np.name, at, level)
			}
		}
	}
	t.Logf("verdicts: %v", count)
	if all := len(out["np"]); count["PROVED"] < all/5 || count["REFUTED"] < all/5 {
		t.Errorf("verdicts %v of %d checks: too much alike to say something", count, all)
	}
}

// writeSources writes generated checks into dir. KVFARM_SLICES and KVFARM_SEED ask for other ones than usual.
func writeSources(t *testing.T, dir string) {
	n, err := strconv.ParseInt(os.Getenv("KVFARM_SLICES"), 10, 64)
	if err != nil {
		n = levelSources
	}
	first, _ := strconv.ParseInt(os.Getenv("KVFARM_SEED"), 10, 64)
	for seed := first; seed < first+n; seed++ {
		write(t, filepath.Join(dir, fmt.Sprintf("g%d.rs", seed)), []byte(generateRust(seed, levelChecks)))
	}
}

// both lists what is proved of one check and refuted of another, by its place in the source. A panic call that is handed
// its location is of no place.
func both(a compiled, v *verdict.Verdict, b compiled, w *verdict.Verdict) (out []string) {
	refuted := panicsThat(w, b.positions, verdict.Refuted)
	for _, at := range panicsThat(v, a.positions, verdict.Proved) {
		if slices.Contains(refuted, at) {
			out = append(out, at)
		}
	}
	return out
}

// panicsThat lists the sites with a verdict, by their places in the source.
func panicsThat(v *verdict.Verdict, m *position.Map, have verdict.Word) (out []string) {
	for _, s := range v.Sites {
		if s.Verdict == have && s.Loc >= 0 {
			out = append(out, panicAt(s.Kind, m.Locs[s.Loc]))
		}
	}
	return out
}

func panicAt(kind string, at position.Pos) string {
	return fmt.Sprintf("%s %s:%d:%d", kind, filepath.Base(at.File), at.Line, at.Col)
}

// runAgainst runs a check with random inputs: nothing that is proved may fail.
func runAgainst(t *testing.T, c compiled, v *verdict.Verdict) {
	proved := panicsThat(v, c.positions, verdict.Proved)
	s, err := ir.Parse(c.slice)
	if err != nil {
		t.Fatal(err)
	}
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(300) {
		o := p.Run(interp.Random(seed), interp.Limits{Steps: 100_000})
		switch o.Kind {
		case interp.Returned:
		case interp.Panicked:
			at := ""
			if o.Loc >= 0 {
				at = panicAt(o.What, c.positions.Locs[o.Loc])
			}
			if slices.Contains(proved, at) || v.Verdict == verdict.Proved {
				t.Errorf("%s: the run with seed %d fails at %s, and that is proved", c.name, seed, at)
				return
			}
		default:
			t.Errorf("%s: the run with seed %d ends with %v", c.name, seed, &o)
			return
		}
	}
}
