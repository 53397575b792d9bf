// Package cmd_test checks the house rule of who may import whom. What is not
// listed is not allowed; a new edge is a commit of its own with its reason.
package cmd_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/kvfarm/kvfarm/"

// floors says, for each part of the house, which other parts its packages may
// import. A part covers the folders below it unless they are listed themselves.
var floors = map[string][]string{
	"proto": {},

	"cas":             {"cas"},
	"cas/remote":      {"cas"},
	"executor":        {"cas", "executor", "proto"},
	"executor/queue":  {"cas/digest"},
	"kbuild":          {"cas", "kbuild"},
	"engine":          {"engine"},
	"engine/ir":       {},
	"engine/expr":     {},
	"engine/verdict":  {},
	"engine/position": {},
	"engine/contract": {},
	// The replay shares no code with what it checks, but the words that say what C functions do: a table to be read by people.
	"engine/interp": {"engine/ir", "engine/contract"},
	"engine/smt":    {"engine/expr", "engine/smt"},

	// The engine's words, not the engine: a report needs to read them.
	"frontend": {"cas", "executor", "frontend", "kbuild", "proto", "engine/verdict", "engine/position"},

	"cmd": {"cas", "executor", "frontend", "kbuild", "proto", "engine", "cmd"},
	// Which C functions look at what they are handed: what nobody looks at is left out of a slice.
	"cmd/kvlower":  {"engine/ir", "engine/position", "engine/contract", "cmd/kvlower"},
	"cmd/kvengine": {"engine"},
	"deploy":       {},
}

// bans are packages from outside that a part must not use.
var bans = []struct {
	part, pkg, why string
	except         []string
}{
	{part: "engine", pkg: "time", why: "the same slice gives the same verdict on every machine"},
	{part: "engine", pkg: "math/rand", why: "the same slice gives the same verdict on every machine", except: []string{"engine/smt/smttest"}},
	{part: "engine", pkg: "math/rand/v2", why: "the same slice gives the same verdict on every machine", except: []string{"engine/smt/smttest"}},
	{part: "executor", pkg: "google.golang.org/grpc", why: "gRPC lives in frontend"},
	{part: "kbuild", pkg: "google.golang.org/grpc", why: "gRPC lives in frontend"},
	{part: "engine", pkg: "google.golang.org/grpc", why: "gRPC lives in frontend"},
	{part: "cas", pkg: "google.golang.org/grpc", why: "gRPC lives in frontend", except: []string{"cas/remote"}},
	{part: "executor", pkg: "net/http", why: "HTTP lives in frontend"},
	{part: "cas", pkg: "net/http", why: "HTTP lives in frontend"},
	{part: "engine", pkg: "net", why: "proofs see nothing but their slice"},
	{part: "engine", pkg: "C", why: "the engine is plain Go but for its SAT solver", except: []string{"engine/smt"}},
}

func TestFloors(t *testing.T) {
	for _, f := range goFiles(t, "..") {
		dir := path.Dir(f)
		part := partOf(dir)
		if strings.HasSuffix(f, "_test.go") {
			// Tests may compare neighbours: the executor with the interpreter, say.
			part = strings.Split(dir, "/")[0]
		}
		for _, imp := range imports(t, filepath.Join("..", f)) {
			checkEdge(t, f, part, imp)
			checkBans(t, f, dir, imp)
		}
	}
}

func checkEdge(t *testing.T, file, part, imp string) {
	inner, ok := strings.CutPrefix(imp, module)
	if !ok {
		return
	}
	allowed, known := floors[part]
	if !known {
		t.Errorf("%s: folder %q stands on no floor: list it in floors", file, part)
		return
	}
	for _, a := range allowed {
		if under(inner, a) {
			return
		}
	}
	t.Errorf("%s: %s may not import %s", file, part, inner)
}

func checkBans(t *testing.T, file, dir, imp string) {
	for _, b := range bans {
		if under(dir, b.part) && under(imp, b.pkg) && !excepted(dir, b.except) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			t.Errorf("%s: %s may not import %s: %s", file, b.part, imp, b.why)
		}
	}
}

func excepted(dir string, except []string) bool {
	for _, e := range except {
		if under(dir, e) {
			return true
		}
	}
	return false
}

// under reports whether slash-separated p is of, or below, base.
func under(p, base string) bool { return p == base || strings.HasPrefix(p, base+"/") }

// partOf returns the longest listed prefix of dir.
func partOf(dir string) string {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := floors[d]; ok {
			return d
		}
	}
	return strings.Split(dir, "/")[0]
}

func goFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && p != root) {
			return filepath.SkipDir
		}
		if rel, _ := filepath.Rel(root, p); strings.HasSuffix(p, ".go") {
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go file found: the walk is wrong")
	}
	return files
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	// Read, so that the test cache knows that the result depends on it.
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var imps []string
	for _, s := range f.Imports {
		imps = append(imps, strings.Trim(s.Path.Value, `"`))
	}
	return imps
}
