package check_test

import (
	"bytes"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// program is one file of ../testdata with what it expects. Lines of comment say it:
//
//	; verdict WORD [REASON]
//	; loops N        (bound of loops, instead of the default)
//	; budget N
//	; alone          (what the root calls is not followed)
//	; overlaps       (nothing is assumed of where inputs lie)
//	; of N           (but function N is, and what it holds is decided)
//	; merging       (the expectation holds only where paths are merged)
//	; assumes TEXT  (among the verdict's assumptions; "nothing": there are none)
//
// and at the end of an instruction
//
//	; site KIND WORD
//
// for each site of the verdict, in order.
type program struct {
	name    string
	slice   *ir.Slice
	cfg     exec.Config
	merging bool
	verdict string
	sites   []string
	assumes []string
}

func programs(t *testing.T) []program {
	var out []program
	for _, dir := range []string{"proved", "refuted", "unknown"} {
		files, err := filepath.Glob("../testdata/" + dir + "/*.kvs")
		if err != nil || len(files) == 0 {
			t.Fatalf("no programs in %s: %v", dir, err)
		}
		for _, f := range files {
			out = append(out, readProgram(t, f))
		}
	}
	return out
}

func readProgram(t *testing.T, file string) program {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := program{name: strings.TrimSuffix(strings.TrimPrefix(file, "../testdata/"), ".kvs")}
	if p.slice, err = ir.Parse(text); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		for _, note := range strings.Split(line, ";")[1:] {
			p.note(strings.TrimSpace(note))
		}
	}
	return p
}

// note takes one remark of a comment, "; site KIND WORD ; site KIND WORD" being two.
func (p *program) note(note string) {
	if v, ok := strings.CutPrefix(note, "verdict "); ok {
		p.verdict = v
	}
	if v, ok := strings.CutPrefix(note, "site "); ok {
		p.sites = append(p.sites, v)
	}
	if v, ok := strings.CutPrefix(note, "assumes "); ok {
		p.assumes = append(p.assumes, v)
	}
	p.merging = p.merging || note == "merging"
	p.cfg.Alone = p.cfg.Alone || note == "alone"
	p.cfg.Overlaps = p.cfg.Overlaps || note == "overlaps"
	fmt.Sscanf(note, "loops %d", &p.cfg.LoopBound)
	fmt.Sscanf(note, "budget %d", &p.cfg.Budget)
	if of := 0; strings.HasPrefix(note, "of ") {
		fmt.Sscanf(note, "of %d", &of)
		p.cfg.Of = append(p.cfg.Of, of)
	}
}

func show(v *verdict.Verdict) (word string, sites []string) {
	word = strings.TrimSpace(string(v.Verdict) + " " + v.Reason)
	for _, s := range v.Sites {
		sites = append(sites, fmt.Sprintf("%s %s", s.Kind, s.Verdict))
	}
	return word, sites
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, p := range programs(t) {
		t.Run(p.name, func(t *testing.T) {
			v, err := check.Prove(p.slice, p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			word, sites := show(v)
			if word != p.verdict {
				t.Errorf("verdict %q, want %q", word, p.verdict)
			}
			if d := cmp.Diff(p.sites, sites); d != "" {
				t.Errorf("sites (-want +got):\n%s", d)
			}
			for _, a := range p.assumes {
				if a == "nothing" && len(v.Assumptions) == 0 {
					continue
				}
				if !slices.Contains(v.Assumptions, a) {
					t.Errorf("does not assume %q but %q", a, v.Assumptions)
				}
			}
			r, err := check.ReplayAll(p.slice, v)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range r.Witnesses {
				if !w.Reached {
					t.Errorf("witness %d: %s", i, w.Reason)
				}
			}
		})
	}
}

// TestPaths follows every path on its own: merging must not change what is decided.
func TestPaths(t *testing.T) {
	t.Parallel()
	for _, p := range programs(t) {
		if p.merging {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			p.cfg.Paths = true
			v, err := check.Prove(p.slice, p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			word, sites := show(v)
			if word != p.verdict {
				t.Errorf("verdict %q, want %q", word, p.verdict)
			}
			if d := cmp.Diff(p.sites, sites); d != "" {
				t.Errorf("sites (-want +got):\n%s", d)
			}
		})
	}
}

// TestEnds replays the run that shows of each proved check that its end is reached.
func TestEnds(t *testing.T) {
	t.Parallel()
	for _, p := range programs(t) {
		if p.slice.Inputs != nil || p.verdict != string(verdict.Proved) {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			v, err := check.Prove(p.slice, p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			prog, err := interp.Compile(p.slice)
			if err != nil {
				t.Fatal(err)
			}
			var in []interp.Input
			for _, i := range v.End {
				n, ok := new(big.Int).SetString(i.Value, 10)
				if !ok {
					t.Fatalf("input %q", i.Value)
				}
				in = append(in, interp.Input{Name: i.Name, Bits: i.Bits, Value: n})
			}
			if o := prog.Run(interp.Witness(in), interp.Limits{}); o.Kind != interp.Returned {
				t.Errorf("the run ends with %v", &o)
			}
		})
	}
}

// TestSameBytes proves twice: nothing may depend on the order of a map.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	for _, p := range programs(t) {
		t.Run(p.name, func(t *testing.T) {
			var out [2]bytes.Buffer
			for i := range out {
				v, err := check.Prove(p.slice, p.cfg)
				if err != nil {
					t.Fatal(err)
				}
				if err := v.Encode(&out[i]); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(out[0].String(), out[1].String()); d != "" {
				t.Errorf("two runs differ:\n%s", d)
			}
		})
	}
}

// TestRandomRuns runs programs on random inputs: none may fail at a site that is proved.
// What is proved of the calls that a root makes says nothing of those that others make.
func TestRandomRuns(t *testing.T) {
	t.Parallel()
	for _, p := range programs(t) {
		if len(p.cfg.Of) > 0 {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			v, err := check.Prove(p.slice, p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			randomRuns(t, p.slice, v, 100)
		})
	}
}

// contradicts says which claim of a verdict a run disproves.
func contradicts(v *verdict.Verdict, o *interp.Outcome) string {
	switch o.Kind {
	case interp.Panicked, interp.AssertFailed, interp.Undefined:
	case interp.Returned:
		if v.Verdict == verdict.Vacuous && v.End == nil {
			return "vacuous"
		}
		return ""
	default:
		return ""
	}
	for i := range v.Sites {
		s := &v.Sites[i]
		if check.Reached(o, s) {
			if s.Verdict == verdict.Proved {
				return s.Kind + " is proved"
			}
			return ""
		}
	}
	if v.Verdict == verdict.Proved {
		return "the root is proved"
	}
	return ""
}
