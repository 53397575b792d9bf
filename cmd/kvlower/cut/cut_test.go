package cut_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

var update = flag.Bool("update", false, "write the golden files")

// cutter reads a stream that package bitcode made of rustc's output.
func cutter(t testing.TB, stream string) *cut.Cutter {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata", stream))
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Decode(b)
	if err != nil {
		t.Fatalf("%s: %v", stream, err)
	}
	c, err := cut.New(m)
	if err != nil {
		t.Fatalf("%s: %v", stream, err)
	}
	return c
}

func mustCut(t testing.TB, c *cut.Cutter, symbol string) (*ir.Slice, *position.Map) {
	t.Helper()
	s, m, err := c.Cut(symbol)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("../testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

func TestSliceOfBase(t *testing.T) {
	s, _ := mustCut(t, cutter(t, "same/base.kvbc"), "check_total")
	golden(t, "same/base.kvs", string(ir.Print(s)))
}

// A slice's digest is the key of its proofs: it must survive what does not
// matter, and nothing else.
func TestDigestSurvives(t *testing.T) {
	digest := func(stream string) string {
		s, _ := mustCut(t, cutter(t, stream), "check_total")
		return fmt.Sprintf("%x", sha256.Sum256(ir.Print(s)))
	}
	base := digest("same/base.kvbc")
	for _, same := range []string{"comments", "renamed", "unrelated", "crate_name"} {
		if digest("same/"+same+".kvbc") != base {
			t.Errorf("digest of %s is not that of base", same)
		}
	}
	if digest("same/edited.kvbc") == base {
		t.Error("digest of base survives an edit")
	}
}

func TestRoots(t *testing.T) {
	c := cutter(t, "same/unrelated.kvbc")
	var got []string
	for _, symbol := range c.Roots() {
		got = append(got, fmt.Sprintf("%s check=%v", c.Name(symbol), cut.IsCheck(symbol)))
	}
	want := []string{"check_another check=true", "check_total check=true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The signature, then one line per parameter as the text form writes it.
func TestInputs(t *testing.T) {
	c := cutter(t, "shapes.kvbc")
	var b strings.Builder
	for _, symbol := range c.Roots() {
		s, _ := mustCut(t, c, symbol)
		s.Inputs = c.Untrimmed(symbol)
		text := string(ir.Print(s))
		fmt.Fprintf(&b, "%s\n%s\n", c.Name(symbol), signature.FindString(text))
		b.WriteString(text[strings.Index(text, "inputs {"):])
		b.WriteString("\n")
	}
	golden(t, "shapes.inputs", b.String())
}

var signature = regexp.MustCompile(`func @f0 .*`)

// One line per site: what can panic, where in the source, in which function.
func TestSites(t *testing.T) {
	c := cutter(t, "sites.kvbc")
	var b strings.Builder
	for _, symbol := range c.Roots() {
		s, m := mustCut(t, c, symbol)
		fmt.Fprintln(&b, c.Name(symbol))
		for _, site := range m.Sites {
			at := position.Pos{}
			if site.Loc >= 0 {
				at = m.Locs[site.Loc]
			}
			frames := m.At(site.Func, site.Inst)
			fmt.Fprintf(&b, "  %s %s:%d:%d in %s, called at line %d\n", site.Kind, at.File, at.Line, at.Col,
				m.Funcs[site.Func].Name, frames[0].Line)
		}
		for _, e := range s.Externs {
			fmt.Fprintf(&b, "  extern %s %s\n", e.Symbol, e.Panic)
		}
	}
	golden(t, "sites.golden", b.String())
}

// In a file of nothing but checks a name that starts with check is enough;
// what no proof can start from is told, not left out.
func TestChecks(t *testing.T) {
	module := func(params []ir.Param, symbols ...string) *cut.Cutter {
		m := &module.Module{Triple: "x86_64-unknown-none", Roots: symbols}
		for _, sym := range symbols {
			ret := &ir.Inst{Op: ir.Ret, Result: -1}
			m.Funcs = append(m.Funcs, &module.Func{Symbol: sym, Name: sym, Defined: true,
				Sig: ir.Sig{Params: params}, Blocks: []*ir.Block{{Insts: []*ir.Inst{ret}}}, At: [][]int{{0}}})
		}
		c, err := cut.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	got, err := module(nil, "helper", "check", "checksum", "check_a", "uncheck", "check;rm", "check a").Checks()
	if d := cmp.Diff([]string{"check", "checksum", "check_a"}, got); d != "" || err != nil {
		t.Errorf("%s %v", d, err)
	}
	for want, c := range map[string]*cut.Cutter{
		"no check in it":            module(nil, "helper"),
		"checksum takes parameters": module([]ir.Param{{Type: ir.IntType(8)}}, "checksum"),
	} {
		if got, err := c.Checks(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, %v, want an error that says %q", got, err, want)
		}
	}
}
