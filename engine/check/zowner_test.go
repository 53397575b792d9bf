package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

type claimed struct {
	v *verdict.Verdict
	m *position.Map
}

func proveFile(t *testing.T, dir, slice, mp string, cfg exec.Config) claimed {
	text, err := os.ReadFile(filepath.Join(dir, slice))
	if err != nil {
		t.Fatal(err)
	}
	mb, _ := os.ReadFile(filepath.Join(dir, mp))
	m, err := position.Decode(mb)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return claimed{v, m}
}

func (c claimed) forAll() string {
	for _, a := range c.v.Assumptions {
		if a == verdict.Apart || strings.HasPrefix(a, verdict.RawPointers) {
			return "assumes"
		}
	}
	return ""
}

// word is what c says of location p.
func (c claimed) word(p position.Pos) string {
	w, listed := "", false
	for _, s := range c.v.Sites {
		if s.Loc >= 0 && c.m.Locs[s.Loc] == p {
			listed = true
			w += " " + s.Kind + ":" + string(s.Verdict)
			if s.Verdict == verdict.Unknown {
				w += "(" + s.Reason + ")"
			}
		}
	}
	if !listed {
		w = " unlisted"
		for _, s := range c.m.Sites {
			if s.Loc >= 0 && c.m.Locs[s.Loc] == p {
				w = " dead"
			}
		}
		w += ":" + string(c.v.Verdict)
	}
	return w + c.forAll()
}

func TestOwnerAttack(t *testing.T) {
	dir := os.Getenv("ATTACK")
	src, _ := os.ReadFile(dir + ".rs")
	lines := strings.Split(string(src), "\n")
	b, err := os.ReadFile(dir + "/index.json")
	if err != nil {
		t.Skip(err)
	}
	x, err := position.DecodeIndex(b)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][]string{}
	callers := map[string][]claimed{}
	type row struct {
		name  string
		loc   position.Pos
		words map[string]string
		sym   string
	}
	var rows []row
	for _, r := range x.Roots {
		if r.Kind == position.Check {
			continue
		}
		for _, k := range r.Calls {
			callers[k.Symbol] = append(callers[k.Symbol], proveFile(t, dir, k.Slice, k.Map, exec.Config{Budget: 100_000, Alone: true, Overlaps: true, Of: append([]int{k.Func}, k.Through...)}))
			calls[k.Symbol] = append(calls[k.Symbol], r.Name)
		}
		if len(r.Owns) == 0 {
			continue
		}
		al := proveFile(t, dir, r.Alone, r.AloneMap, exec.Config{Budget: 500_000, Alone: true, Overlaps: true})
		held := proveFile(t, dir, r.Slice, r.Map, exec.Config{Budget: 250_000, Overlaps: true})
		whole := proveFile(t, dir, r.Slice, r.Map, exec.Config{Budget: 250_000})
		for _, p := range r.Owns {
			rows = append(rows, row{r.Name, p, map[string]string{"alone": al.word(p), "held": held.word(p), "whole": whole.word(p)}, r.Symbol})
		}
	}
	for _, r := range rows {
		line := ""
		if strings.HasSuffix(r.loc.File, filepath.Base(dir)+".rs") {
			line = lines[r.loc.Line-1]
		}
		ctx := ""
		for i, c := range callers[r.sym] {
			ctx += " [" + calls[r.sym][i] + c.word(r.loc) + "]"
		}
		mark := "    "
		if strings.Contains(line, "FAILS") {
			mark = "FAIL"
		}
		fmt.Printf("%s %d:%d %s alone=%s held=%s whole=%s ctx=%s\n", mark, r.loc.Line, r.loc.Col, r.name, r.words["alone"], r.words["held"], r.words["whole"], ctx)
	}
}
