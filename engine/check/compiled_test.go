package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// compiled says what is known of slices that rustc and the lowerer made: the
// root's word and how many sites have each.
var compiled = []struct {
	file    string
	verdict verdict.Word
	sites   map[verdict.Word]int
}{
	{"rustc/c01_bounds", verdict.Refuted, map[verdict.Word]int{verdict.Refuted: 1}},
	{"rustc/c02_arith", verdict.Proved, map[verdict.Word]int{verdict.Proved: 2}},
	{"rustc/c03_div", verdict.Proved, map[verdict.Word]int{verdict.Proved: 8}},
	{"rustc/c04_loop", verdict.Proved, map[verdict.Word]int{verdict.Proved: 5}},
	{"rustc/c05_dyn", verdict.Proved, map[verdict.Word]int{verdict.Proved: 2}},
	{"rustc/c06_option", verdict.Proved, map[verdict.Word]int{verdict.Proved: 4}},
	{"rustc/c07_kvec", verdict.Proved, map[verdict.Word]int{verdict.Proved: 8}},
	// url_len + 5 overflows; everything else in it holds.
	{"kernel/drm_panic_qr_max_data_size", verdict.Refuted, map[verdict.Word]int{verdict.Proved: 9, verdict.Refuted: 1}},
	// The buffer's index fails for a length that its callers never make.
	{"kernel/segment_iterator_next", verdict.Refuted, map[verdict.Word]int{verdict.Proved: 20, verdict.Refuted: 1}},
}

func TestCompiled(t *testing.T) {
	for _, tt := range compiled {
		t.Run(tt.file, func(t *testing.T) {
			s := readSlice(t, tt.file)
			v, err := check.Prove(s, exec.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if v.Verdict != tt.verdict {
				t.Errorf("verdict %v %s, want %v", v.Verdict, v.Reason, tt.verdict)
			}
			got := map[verdict.Word]int{}
			for _, site := range v.Sites {
				got[site.Verdict]++
			}
			if d := cmp.Diff(tt.sites, got); d != "" {
				t.Errorf("sites (-want +got):\n%s", d)
			}
			randomRuns(t, s, v, 50)
		})
	}
}

// TestOverflowWitness: drm_panic_qr_max_data_size fails for the lengths that its source says, and for no others.
func TestOverflowWitness(t *testing.T) {
	v, err := check.Prove(readSlice(t, "kernel/drm_panic_qr_max_data_size"), exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Witnesses) != 1 {
		t.Fatalf("%d witnesses, want 1", len(v.Witnesses))
	}
	w := v.Witnesses[0]
	if k := v.Sites[w.Site].Kind; k != "add_overflow" {
		t.Errorf("site %s, want add_overflow", k)
	}
	var length uint64
	for _, in := range w.Inputs {
		if in.Name == "arg1" {
			fmt.Sscan(in.Value, &length)
		}
	}
	if length <= ^uint64(0)-5 {
		t.Errorf("url_len %d does not overflow", length)
	}
}

func readSlice(t *testing.T, name string) *ir.Slice {
	text, err := os.ReadFile(filepath.Join("../testdata", name+".kvs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", strings.TrimSpace(name), err)
	}
	return s
}

// randomRuns runs a slice on random inputs: none may fail at a site that is proved.
func randomRuns(t *testing.T, s *ir.Slice, v *verdict.Verdict, n uint64) {
	t.Helper()
	prog, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range n {
		o := prog.Run(interp.Random(seed), interp.Limits{Steps: 10_000, Memory: 1 << 16})
		if bad := contradicts(v, &o); bad != "" {
			t.Fatalf("seed %d: %s, but the run ends with %v on %v", seed, bad, &o, o.Inputs)
		}
	}
}
