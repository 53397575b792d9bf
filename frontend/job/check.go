package job

import (
	"fmt"
	"regexp"
	"strings"
)

// Check is a crate of written checks.
type Check struct {
	Name   string
	About  string            // path in the tree of what it checks; "" if it does not say
	States map[string]string // by name of a check in it: what it states
	Files  map[string][]byte // by path within the crate; lib.rs is its root
	File   string            // as the report names it; Name and .rs if ""
	Prefix string            // of the names of its roots in the report: those of several files may be the same
}

func (c *Check) source() string {
	if c.File != "" {
		return c.File
	}
	return c.Name + ".rs"
}

var (
	aboutPath  = regexp.MustCompile("(?m)^//! `([^` ]+)`")
	checkFunc  = regexp.MustCompile(`(?m)((?:^[ \t]*///.*\n)*)(?:^[ \t]*#\[.*\]\s*\n)*^[ \t]*(?:pub )?(?:unsafe )?extern "C" fn (check\w*)\(`)
	checkFuncC = regexp.MustCompile(`(?m)^/\*((?:[^*]|\*+[^*/])*)\*+/\n\w[\w\s]*\b(check\w*)\((?:void)?\)`)
)

// NewCheck reads what the root file says of itself: the path it is about, in
// backquotes at the start of a "//!" line, and each check's doc comment.
func NewCheck(name string, files map[string][]byte) (Check, error) {
	root := files["lib.rs"]
	c := Check{Name: name, Files: files, States: States(root)}
	if m := aboutPath.FindSubmatch(root); m != nil {
		c.About = string(m[1])
	}
	if len(c.States) == 0 {
		return c, fmt.Errorf("checks %s: no check in it: want functions like `#[no_mangle] pub extern \"C\" fn check_name()`", name)
	}
	return c, nil
}

// States finds the checks in a file of Rust, with their doc comments, and those
// in a file of C that have a comment above.
func States(src []byte) map[string]string {
	states := map[string]string{}
	for _, m := range checkFunc.FindAllSubmatch(src, -1) {
		states[string(m[2])] = docText(string(m[1]))
	}
	for _, m := range checkFuncC.FindAllSubmatch(src, -1) {
		states[string(m[2])] = docText(string(m[1]))
	}
	return states
}

// docText is a doc comment without its slashes.
func docText(comment string) string {
	var lines []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		lines = append(lines, strings.TrimSpace(strings.TrimLeft(line, "/*")))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
