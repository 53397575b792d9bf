package cut_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
)

// What is left of the inputs of each slice, which is checked in. That the engine finds the
// same with them is tested in cmd/kvlower.
func TestTrim(t *testing.T) {
	files, err := filepath.Glob("../testdata/trim/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ir.Parse(a.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			code, _, _ := strings.Cut(string(ir.Print(s)), "\ninputs {")
			cut.Trim(s)
			if err := ir.Sanity(s); err != nil {
				t.Error(err)
			}
			left, got, _ := strings.Cut(string(ir.Print(s)), "\ninputs {")
			if d := cmp.Diff(code, left); d != "" {
				t.Errorf("the code changes (-want +got):\n%s", d)
			}
			got = "inputs {" + got
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(a.Files[1].Data), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			again, err := ir.Parse(ir.Print(s))
			if err != nil {
				t.Fatal(err)
			}
			if cut.Trim(again); string(ir.Print(again)) != string(ir.Print(s)) {
				t.Error("what is left is trimmed once more")
			}
		})
	}
}

// Where inputs may overlap, all that lies beside an atomic number stays as it is, but not what that leads to.
func TestTrimOverlapping(t *testing.T) {
	a, err := txtar.ParseFile("../testdata/trim/counted.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(a.Files[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	cut.TrimOverlapping(s)
	const want = "struct 32 align 8 {0: ref struct 1 align 1 {0: opaque 1 align 1 unset}, 8: range 1 align 1 [0..=1], " +
		"16: ref mut struct 16 align 8 {0: opaque 16 align 1 unset}, 24: range 1 align 1 [0..=1]}"
	if got := string(ir.Print(s)); !strings.Contains(got, want) {
		t.Errorf("%s is not in\n%s", want, got)
	}
}
