package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/engine/check"
	engine "github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
)

// The engine finds the same of a slice whose inputs are trimmed: in testdata/trim, whose
// assertions hang on what must stay, and in all programs of its own corpus that have inputs. What is
// left out though it is looked at makes a proof UNKNOWN.
func TestTrimmedVerdicts(t *testing.T) {
	var files []string
	for _, pattern := range []string{"testdata/trim/*.txtar", "../../engine/testdata/[pru]*/*.kvs"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	trimmed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".txtar") {
			text = txtar.Parse(text).Files[0].Data
		}
		if !strings.Contains(string(text), "\ninputs {") {
			continue
		}
		full, less := parsed(t, file, text), parsed(t, file, text)
		if cut.Trim(less); string(ir.Print(full)) == string(ir.Print(less)) {
			continue
		}
		trimmed++
		cfg := engine.Config{Budget: 200_000, Alone: strings.Contains(string(text), "; alone\n")}
		want, got := proved(t, file, full, cfg), proved(t, file, less, cfg)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
		if strings.HasSuffix(file, ".txtar") && slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, "UNKNOWN") }) {
			t.Errorf("%s: what is not proved tests nothing: %v", file, want)
		}
	}
	if trimmed < 20 {
		t.Errorf("only %d slices were trimmed", trimmed)
	}
}

func parsed(t *testing.T, file string, text []byte) *ir.Slice {
	t.Helper()
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

// proved says what becomes of each site of a slice.
func proved(t *testing.T, file string, s *ir.Slice, cfg engine.Config) []string {
	t.Helper()
	v, err := check.Prove(s, cfg)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var out []string
	for _, site := range v.Sites {
		out = append(out, fmt.Sprintf("%v %s at %d.%d %s", site.Verdict, site.Kind, site.Func, site.Inst, site.Reason))
	}
	return out
}
