package interp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// TestProofsHold tries what the prover proved: no run with random inputs may
// fail at a site that is proved, and what failed in a run must not be missing
// from the verdict.
func TestProofsHold(t *testing.T) {
	for _, pattern := range []string{"testdata/*.kvs", "testdata/native/*.kvs", "../testdata/*ed/*.kvs", "../testdata/rustc/*.kvs"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no slices: %v", pattern, err)
		}
		for _, f := range files {
			t.Run(strings.TrimSuffix(f, ".kvs"), func(t *testing.T) { t.Parallel(); tryProof(t, f) })
		}
	}
}

func tryProof(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, exec.Config{Budget: 20_000, LoopBound: 8})
	if err != nil {
		t.Fatal(err)
	}
	p, err := interp.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(200) {
		o := p.Run(interp.Random(seed), interp.Limits{Steps: 100_000, Depth: 200, Memory: 16 << 20})
		if word, failed := said(v, &o); failed && (word == verdict.Proved || word == "") {
			t.Fatalf("seed %d, inputs %v: %v (%s), verdict of the site: %q", seed, o.Inputs, &o, o.Detail, word)
		}
	}
}

// said is the verdict of the site at which a run failed, empty if there is none.
func said(v *verdict.Verdict, o *interp.Outcome) (word verdict.Word, failed bool) {
	kind := o.What
	switch o.Kind {
	case interp.AssertFailed:
		kind = string(exec.Assert)
	case interp.Panicked, interp.Undefined:
	default:
		return "", false
	}
	for i := range v.Sites {
		s := &v.Sites[i]
		here := s.Func == o.Func && s.Inst == o.Inst
		if s.Kind == kind && (s.Loc >= 0 && s.Loc == o.Loc || s.Loc < 0 && here) {
			return s.Verdict, true
		}
	}
	if v.Verdict == verdict.Proved {
		return "", true
	}
	return verdict.Unknown, true // something was not looked at, or is assumed to have held
}
