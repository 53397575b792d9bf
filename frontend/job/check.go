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
}

var (
	aboutPath = regexp.MustCompile("(?m)^//! `([^` ]+)`")
	checkFunc = regexp.MustCompile(`(?m)((?:^[ \t]*///.*\n)*)(?:^[ \t]*#\[.*\]\s*\n)*^[ \t]*pub (?:unsafe )?extern "C" fn (check\w*)\(`)
)

// NewCheck reads what the root file says of itself: the path it is about, in
// backquotes at the start of a "//!" line, and each check's doc comment.
func NewCheck(name string, files map[string][]byte) (Check, error) {
	c := Check{Name: name, Files: files, States: map[string]string{}}
	root := files["lib.rs"]
	if m := aboutPath.FindSubmatch(root); m != nil {
		c.About = string(m[1])
	}
	for _, m := range checkFunc.FindAllSubmatch(root, -1) {
		c.States[string(m[2])] = docText(string(m[1]))
	}
	if len(c.States) == 0 {
		return c, fmt.Errorf("checks %s: no check in it: want functions like `#[no_mangle] pub extern \"C\" fn check_name()`", name)
	}
	return c, nil
}

// docText is a doc comment without its slashes.
func docText(comment string) string {
	var lines []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "///")))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
