package check_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// source is a file of ../testdata/rustc with what it expects. At the end of a line
//
//	//~ KIND WORD; KIND WORD
//
// says what becomes of the sites of the line over all checks of the file, where
// a site that fails in one has failed; at the line of a check's name WORD is its
// verdict. A line of comment that begins so speaks of sites in other files.
// Sites of which nothing is said are proved.
type source struct {
	checks map[string]int // line of a check, by its name
	want   map[int]map[string]bool
}

func readSource(t *testing.T, file string) source {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := source{map[string]int{}, map[int]map[string]bool{}}
	for i, line := range strings.Split(string(text), "\n") {
		code, notes, ok := strings.Cut(line, "//~ ")
		at := i + 1
		if _, name, is := strings.Cut(code, "fn check_"); is {
			name, _, _ = strings.Cut(name, "(")
			s.checks[name] = at
		}
		if strings.TrimSpace(code) == "" {
			at = 0
		}
		if !ok {
			continue
		}
		for _, n := range strings.Split(notes, ";") {
			add(s.want, at, strings.TrimSpace(n))
		}
	}
	return s
}

func add(m map[int]map[string]bool, line int, note string) {
	if m[line] == nil {
		m[line] = map[string]bool{}
	}
	m[line][note] = true
}

// places says on which line of its source each place of a slice stands, 0 for others.
type places struct {
	locs  []int
	insts [][][2]int // by function: instruction, line from there on
}

func readPlaces(t *testing.T, file string) places {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p places
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(line)
		if fields[0] == "locs" {
			for _, f := range fields[1:] {
				var n int
				fmt.Sscan(f, &n)
				p.locs = append(p.locs, n)
			}
			continue
		}
		var spans [][2]int
		for _, f := range fields[1:] {
			var s [2]int
			fmt.Sscanf(f, "%d=%d", &s[0], &s[1])
			spans = append(spans, s)
		}
		p.insts = append(p.insts, spans)
	}
	return p
}

func (p places) line(s *verdict.Site) int {
	if s.Loc >= 0 {
		return p.locs[s.Loc]
	}
	line := 0
	for _, span := range p.insts[s.Func] {
		if span[0] <= s.Inst {
			line = span[1]
		}
	}
	return line
}

// TestRustSources proves what rustc makes of small programs.
func TestRustSources(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/rustc/*.rs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, file := range files {
		src := readSource(t, file)
		if len(src.want) == 0 {
			continue // TestCompiled knows what to expect
		}
		name := strings.TrimSuffix(filepath.Base(file), ".rs")
		t.Run(name, func(t *testing.T) {
			got := map[int]map[string]bool{}
			sites := map[int]map[string]verdict.Word{}
			for _, c := range slices.Sorted(maps.Keys(src.checks)) {
				proveSource(t, name+"."+c, src.checks[c], got, sites)
			}
			for line, kinds := range sites {
				for kind, word := range kinds {
					if note := kind + " " + string(word); word != verdict.Proved || src.want[line][note] {
						add(got, line, note)
					}
				}
			}
			if d := cmp.Diff(src.want, got); d != "" {
				t.Errorf("by line (-want +got):\n%s", d)
			}
		})
	}
}

// rank orders words: what one check finds out of a site is not outdone by what another does not.
var rank = map[verdict.Word]int{verdict.Proved: 1, verdict.ProvedTo: 2, verdict.Unknown: 3, verdict.Refuted: 4}

// proveSource enters the verdict of one check, and what became of the sites, by line and kind.
func proveSource(t *testing.T, name string, line int, words map[int]map[string]bool, sites map[int]map[string]verdict.Word) {
	s := readSlice(t, "rustc/"+name)
	v, err := check.Prove(s, exec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	word, _ := show(v)
	add(words, line, word)
	p := readPlaces(t, "../testdata/rustc/"+name+".lines")
	for i := range v.Sites {
		site := &v.Sites[i]
		at := p.line(site)
		if sites[at] == nil {
			sites[at] = map[string]verdict.Word{}
		}
		if rank[site.Verdict] > rank[sites[at][site.Kind]] {
			sites[at][site.Kind] = site.Verdict
		}
	}
	randomRuns(t, s, v, 100)
}
