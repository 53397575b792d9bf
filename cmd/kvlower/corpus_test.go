package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/check"
	engine "github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

var update = flag.Bool("update", false, "compile the engine's Rust sources, and write the slices that its tests read")

// corpus holds Rust sources with the verdicts that their checks must get, and
// the slices that are made of them; see its README.md.
const corpus = "../../engine/testdata/rustc"

// level is a way to compile: its name and rustc's flags.
type level struct {
	name  string
	flags string
}

// levels are the ways to compile: as the kernel is compiled for proofs; with
// none of rustc's optimisations; with all of LLVM's.
var levels = []level{
	{"np", "-Copt-level=2 -Cno-prepopulate-passes"},
	{"o0", "-Copt-level=0"},
	{"o2", "-Copt-level=2"},
}

// compile makes slices of all sources at all levels within the toolchain root:
// OUT/LEVEL/SOURCE/N.kvs. Paths are relative to the checkout.
const compile = `
rustc --version >"$OUT/compiler"
for source in "$SOURCES"/*.rs; do
	name=$(basename "$source" .rs)
	rustc --edition=2021 --crate-type=rlib --crate-name=check -Awarnings $FLAGS -Coverflow-checks=on \
		-Cdebug-assertions=off -Cdebuginfo=1 -Csymbol-mangling-version=v0 -Cpanic=abort -Ccodegen-units=1 \
		-Cforce-unwind-tables=n --emit=llvm-bc="$OUT/$name.bc" "$source"
	bin/kvlower --out "$OUT/$name" "$OUT/$name.bc"
done`

// compiled is what one check became.
type compiled struct {
	name      string // SOURCE.CHECK, or SOURCE if it has only one check
	slice     []byte
	lines     []byte
	positions *position.Map
}

// compilerFile, in corpus, says which compiler made the slices there.
const compilerFile = "compiler"

// TestCorpus compiles the corpus as CI's toolchain does: what is checked in must
// be what comes out, and neither the level of optimisation nor a compiler that the
// distribution has since taken up may change a verdict.
func TestCorpus(t *testing.T) {
	if os.Getenv("KVFARM_CI") == "" && !*update {
		t.Skip("compiles everything three times: set KVFARM_CI=1, or -update to write what changed")
	}
	out, compiler := compileCorpus(t)
	if *update {
		write(t, filepath.Join(corpus, compilerFile), compiler)
	}
	same := bytes.Equal(compiler, read(t, filepath.Join(corpus, compilerFile)))
	for _, c := range out["np"] {
		t.Run(c.name, func(t *testing.T) {
			if same {
				fresh(t, c)
				return
			}
			agree(t, compiled{name: c.name, slice: read(t, filepath.Join(corpus, c.name+".kvs"))}, c)
		})
	}
	for _, level := range []string{"o0", "o2"} {
		for i, c := range out[level] {
			t.Run(level+"/"+c.name, func(t *testing.T) { agree(t, out["np"][i], c) })
		}
	}
}

// compileCorpus returns what became of the corpus, by level, and which compiler it was.
func compileCorpus(t *testing.T) (out map[string][]compiled, compiler []byte) {
	which := levels
	if *update {
		which = levels[:1] // only what is checked in
	}
	return compileAll(t, nil, which)
}

// compileAll compiles the corpus, or the sources that generate puts into a folder, at as many levels.
func compileAll(t *testing.T, generate func(dir string), levels []level) (out map[string][]compiled, compiler []byte) {
	root, err := exec.Command("../../bin/kvfarm", "toolchain", "path", "kernel").Output()
	if err != nil {
		t.Fatalf("find the toolchain (make build): %v", err)
	}
	dir, err := os.MkdirTemp("../../bin", "corpus-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	sources := "engine/testdata/rustc"
	if generate != nil {
		sources = strings.TrimPrefix(filepath.ToSlash(filepath.Join(dir, "sources")), "../../")
		if err := os.Mkdir(filepath.Join(dir, "sources"), 0o777); err != nil {
			t.Fatal(err)
		}
		generate(filepath.Join(dir, "sources"))
	}
	out = map[string][]compiled{}
	for _, l := range levels {
		to := filepath.Join(dir, l.name)
		if err := os.Mkdir(to, 0o777); err != nil {
			t.Fatal(err)
		}
		rel := strings.TrimPrefix(filepath.ToSlash(to), "../../")
		cmd := exec.Command("../../deploy/in-root.sh", strings.TrimSpace(string(root)), "env", "OUT="+rel, "SOURCES="+sources, "FLAGS="+l.flags, "sh", "-eu", "-c", compile)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("compile: %v\n%s", err, text)
		}
		out[l.name] = readCompiled(t, to)
		compiler = read(t, filepath.Join(to, compilerFile))
	}
	return out, compiler
}

func readCompiled(t *testing.T, dir string) []compiled {
	var out []compiled
	indices, err := filepath.Glob(dir + "/*/index.json")
	if err != nil || len(indices) == 0 {
		t.Fatalf("nothing was compiled: %v", err)
	}
	for _, file := range indices {
		x, err := position.DecodeIndex(read(t, file))
		if err != nil {
			t.Fatal(err)
		}
		source := filepath.Base(filepath.Dir(file))
		var checks []position.Root
		for _, r := range x.Roots {
			if r.Kind == position.Check {
				checks = append(checks, r)
			}
		}
		for _, r := range checks {
			name := source
			if len(checks) > 1 {
				name += "." + strings.TrimPrefix(r.Symbol, "check_")
			}
			at := filepath.Dir(file)
			m, err := position.Decode(read(t, filepath.Join(at, r.Map)))
			if err != nil {
				t.Fatal(err)
			}
			slice := read(t, filepath.Join(at, r.Slice))
			out = append(out, compiled{name, slice, lines(t, source+".rs", slice, m), m})
		}
	}
	return out
}

func read(t *testing.T, file string) []byte {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, file string, b []byte) {
	if err := os.WriteFile(file, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// lines says on which line of the source the places of a slice stand, 0 for
// other files: one line of text for the location tokens, then one per function
// with INSTRUCTION=LINE where the line changes.
func lines(t *testing.T, source string, slice []byte, m *position.Map) []byte {
	s, err := ir.Parse(slice)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("locs")
	for _, p := range m.Locs {
		fmt.Fprintf(&b, " %d", lineIn(source, p))
	}
	for f, fn := range s.Funcs {
		fmt.Fprintf(&b, "\n%d:", f)
		last, n := 0, 0
		for _, block := range fn.Blocks {
			for range block.Insts {
				line := 0
				for _, p := range m.At(f, n) {
					if line = lineIn(source, p); line != 0 {
						break
					}
				}
				if line != last {
					fmt.Fprintf(&b, " %d=%d", n, line)
				}
				last = line
				n++
			}
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func lineIn(source string, p position.Pos) int {
	if strings.HasSuffix(p.File, "rustc/"+source) {
		return p.Line
	}
	return 0
}

// fresh compares with what is checked in.
func fresh(t *testing.T, c compiled) {
	for suffix, got := range map[string][]byte{".kvs": c.slice, ".lines": c.lines} {
		file := filepath.Join(corpus, c.name+suffix)
		if *update {
			write(t, file, got)
		}
		if !bytes.Equal(read(t, file), got) {
			t.Errorf("%s is stale: run this test with -update", file)
		}
	}
}

// agree compares the verdict of a check with that at another level. Where all
// that fails is undefined behaviour a compiler may do as it likes.
func agree(t *testing.T, np, other compiled) {
	if np.name != other.name {
		t.Fatalf("%s at one level, %s at another", np.name, other.name)
	}
	v, w := prove(t, np.slice), prove(t, other.slice)
	if v.Verdict == verdict.Refuted && !panics(v) {
		t.Skip("fails by undefined behaviour only")
	}
	if v.Verdict != w.Verdict {
		t.Errorf("%s at the level of proofs, %s %s here", v.Verdict, w.Verdict, w.Reason)
	}
}

// panics reports whether an input leads to a panic.
func panics(v *verdict.Verdict) bool {
	for _, s := range v.Sites {
		if s.Verdict == verdict.Refuted && s.Loc >= 0 {
			return true
		}
	}
	return false
}

func prove(t *testing.T, slice []byte) *verdict.Verdict { return proveWithin(t, slice, 0) }

func proveWithin(t *testing.T, slice []byte, budget int64) *verdict.Verdict {
	s, err := ir.Parse(slice)
	if err != nil {
		t.Fatal(err)
	}
	v, err := check.Prove(s, engine.Config{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
