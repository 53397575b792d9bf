package cmd_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// named is how a README names a test: the package's name before it if it is of
// another folder, the name of a part behind it.
var named = regexp.MustCompile("`(?:([a-z0-9]+)\\.)?((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)(?:/([^`]+))?`")

// A test that a README names is there. One that says what holds a promise must
// not outlive it.
func TestNamedTestsExist(t *testing.T) {
	tests := testsOfTheHouse(t)
	found := 0
	for _, readme := range files(t, func(name string) bool { return path.Base(name) == "README.md" }) {
		b, err := os.ReadFile(filepath.Join("..", readme))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			found++
			where := path.Dir(readme)
			if m[1] != "" {
				where = m[1]
			}
			parts, ok := tests.find(where, m[2])
			if !ok && m[1] == "" {
				parts, ok = tests.find("", m[2])
			}
			if !ok {
				t.Errorf("%s names %s, which is nowhere", readme, m[0])
			} else if m[3] != "" && !parts[m[3]] {
				t.Errorf("%s names %s: the test has no such part", readme, m[0])
			}
		}
	}
	if found < 100 {
		t.Errorf("%d names found: they are no longer written as this test looks for them", found)
	}
}

// Whoever opens a folder of the house finds in its README, or that of the house, what each package in it is for.
func TestPackagesAreInReadmes(t *testing.T) {
	told := map[string]string{}
	for _, readme := range files(t, func(name string) bool { return path.Base(name) == "README.md" }) {
		b, err := os.ReadFile(filepath.Join("..", readme))
		if err != nil {
			t.Fatal(err)
		}
		told[path.Dir(readme)] = string(b)
	}
	seen := map[string]bool{}
	for _, name := range files(t, func(name string) bool { return strings.HasSuffix(name, ".go") }) {
		room, rest, _ := strings.Cut(path.Dir(name), "/")
		pkg, _, _ := strings.Cut(rest, "/")
		if pkg == "" || seen[room+pkg] || room == "proto" || room == "deploy" { // generated, or nobody's package
			continue
		}
		seen[room+pkg] = true
		if !regexp.MustCompile(`\b` + pkg + `\b`).MatchString(told[room] + told["."]) {
			t.Errorf("%s/README.md does not say what %s/%s is for", room, room, pkg)
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d packages seen: are they elsewhere now?", len(seen))
	}
}

// houseTests are tests by folder and name, with the strings that stand in the
// folder's tests, of which some are names of parts.
type houseTests map[string]map[string]map[string]bool

// find looks in a folder, or in those of a package's name; "" is anywhere.
func (h houseTests) find(where, name string) (parts map[string]bool, ok bool) {
	for dir, tests := range h {
		if parts, ok := tests[name]; ok && (where == "" || dir == where || path.Base(dir) == where) {
			return parts, true
		}
	}
	return nil, false
}

func testsOfTheHouse(t *testing.T) houseTests {
	t.Helper()
	all, said := houseTests{}, map[string]map[string]bool{}
	for _, name := range files(t, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
		dir := path.Dir(name)
		if all[dir] == nil {
			all[dir], said[dir] = map[string]map[string]bool{}, map[string]bool{}
		}
		ast.Inspect(parse(t, filepath.Join("..", name)), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil {
					all[dir][n.Name.Name] = said[dir]
				}
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil {
					said[dir][s] = true
				}
			}
			return true
		})
	}
	return all
}

// files are those of the house that are wanted.
func files(t *testing.T, want func(name string) bool) (all []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && len(name) > 1 && strings.HasPrefix(e.Name(), ".") {
			return skip(err)
		}
		if !e.IsDir() && want(name) {
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skip(err error) error {
	if err == nil {
		return fs.SkipDir
	}
	return err
}
