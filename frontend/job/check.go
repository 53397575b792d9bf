package job

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Check is a crate of written checks.
type Check struct {
	Name   string
	About  string            // path in the tree of what it checks; "" if it does not say
	States map[string]string // by name of a check in it: what it states
	Files  map[string][]byte // by path within the crate; lib.rs is its root
	File   string            // as the report names it; Name and .rs if ""
	Prefix string            // of the names of its roots in the report: those of several files may be the same
	// Shipped checks are of several kernels: what one lacks is left out, and said. Others are expected to compile.
	Shipped bool
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

// leaveOut notes which checks of u this kernel lacks the code for. It is an error if one of them was asked for by its name.
func (j *Job) leaveOut(u unit, lacks []*pb.Lack) error {
	var named []string
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range lacks {
		if slices.Contains(u.names, l.Check) {
			named = append(named, fmt.Sprintf("this kernel lacks what %s is about: %s", l.Check, l.Why))
		} else if u.all {
			j.lacks = append(j.lacks, l)
		}
	}
	if len(named) > 0 {
		return errors.New(strings.Join(named, "\n"))
	}
	return nil
}
