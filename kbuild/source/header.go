package source

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// headers adds to t.Build the C files that preparing and planning compile, and
// every header they could include. Conditions are not looked at, so that the
// answer holds for all configurations.
func (t *Tree) headers() error {
	c := closure{tree: t, seen: map[string]bool{}, angle: map[string]bool{}}
	top, err := os.ReadFile(filepath.Join(t.Dir, "Kbuild"))
	if err != nil {
		return err
	}
	for _, p := range offsetSources(top, t.Arch) {
		c.visit(p)
	}
	for _, p := range slices.Concat(t.Build, t.Config) {
		if isC(p) {
			c.visit(p)
		}
	}
	for _, p := range implicitHeaders {
		c.visit(p)
	}
	for p := range c.seen {
		t.Build = append(t.Build, p)
	}
	config := map[string]bool{}
	for _, p := range t.Config {
		config[p] = true
	}
	t.Build = slices.DeleteFunc(t.Build, func(p string) bool { return config[p] })
	return nil
}

// implicitHeaders are included by the command line.
var implicitHeaders = []string{"include/linux/compiler-version.h", "include/linux/kconfig.h", "include/linux/compiler_types.h"}

var offsetTarget = regexp.MustCompile(`[\w./$()-]+\.(?:s|bc)\b`)

// offsetSources lists the sources of the generated constants that the top Kbuild file names.
func offsetSources(kbuild []byte, arch string) []string {
	var out []string
	for _, m := range offsetTarget.FindAll(kbuild, -1) {
		p := strings.ReplaceAll(string(m), "$(SRCARCH)", arch)
		if stem, ok := strings.CutSuffix(p, ".s"); ok {
			p = stem + ".c"
		}
		out = append(out, p)
	}
	return out
}

func isC(p string) bool {
	switch path.Ext(p) {
	case ".c", ".h", ".S":
		return true
	}
	return false
}

// closure follows #include lines.
type closure struct {
	tree  *Tree
	seen  map[string]bool
	angle map[string]bool // includes by search path that were followed
}

// visit adds file p and what it includes, if p exists.
func (c *closure) visit(p string) bool {
	if c.seen[p] {
		return true
	}
	if c.tree.built[p] || product(p) {
		return false
	}
	b, err := os.ReadFile(filepath.Join(c.tree.Dir, p))
	if err != nil {
		return false
	}
	c.seen[p] = true
	for _, name := range Includes(b) {
		if name[0] == '"' && c.visit(path.Join(path.Dir(p), name[1:])) {
			continue
		}
		c.search(name[1:])
	}
	return true
}

// search visits header name in all the folders where the kernel's search path
// has one; some are found in several, and next to each other.
func (c *closure) search(name string) {
	if c.angle[name] {
		return
	}
	c.angle[name] = true
	arch := "arch/" + c.tree.Arch + "/include"
	for _, dir := range []string{"include", arch, "include/uapi", arch + "/uapi"} {
		if p := path.Join(dir, name); !strings.HasPrefix(p, "../") && !strings.Contains(p, "/generated/") {
			c.visit(p)
		}
	}
}

// Includes lists the names that C source b includes, each with the quote or
// angle bracket in front.
func Includes(b []byte) []string {
	var out []string
	for len(b) > 0 {
		i := bytes.IndexByte(b, '#')
		if i < 0 {
			break
		}
		b = bytes.TrimLeft(b[i+1:], " \t")
		rest, ok := bytes.CutPrefix(b, []byte("include"))
		if !ok {
			continue
		}
		rest = bytes.TrimPrefix(rest, []byte("_next"))
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '<' {
			continue
		}
		if end := bytes.IndexAny(rest[1:], "\">\n"); end > 0 && rest[1+end] != '\n' {
			out = append(out, string(rest[:1+end]))
		}
	}
	return out
}
