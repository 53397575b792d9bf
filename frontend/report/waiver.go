package report

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"strings"
)

// Waiver is a known failure that a team accepts.
type Waiver struct {
	Kind   string // of the site; "*" is any
	File   string // glob on the path in the tree
	Root   string // glob on the root's or the function's name; "*" is any
	Reason string
}

// ReadWaivers reads a waiver file: a line each, "KIND FILE ROOT # reason".
// Blank lines and lines that start with # are left out. A waiver without a
// reason is an error: whoever accepts a failure says why.
func ReadWaivers(name string, r io.Reader) ([]Waiver, error) {
	var ws []Waiver
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w, err := parseWaiver(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		ws = append(ws, w)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read waivers %s: %w", name, err)
	}
	return ws, nil
}

func parseWaiver(line string) (Waiver, error) {
	what, reason, _ := strings.Cut(line, "#")
	f := strings.Fields(what)
	w := Waiver{Reason: strings.TrimSpace(reason)}
	if len(f) != 3 || w.Reason == "" {
		return w, fmt.Errorf("waiver %q: want \"KIND FILE ROOT # reason\"", line)
	}
	w.Kind, w.File, w.Root = f[0], f[1], f[2]
	for _, glob := range []string{w.File, w.Root} {
		if _, err := path.Match(glob, ""); err != nil {
			return w, fmt.Errorf("waiver %q: pattern %q is malformed", line, glob)
		}
	}
	return w, nil
}

// waiver returns the reason of the first waiver that covers s as root shows it.
func waiver(ws []Waiver, s *site, root string) string {
	file := s.key.file
	if s.place != nil {
		file = s.place.File
	}
	for _, w := range ws {
		if (w.Kind == "*" || w.Kind == s.key.kind) && globs(w.File, file) && (globs(w.Root, root) || globs(w.Root, s.fn)) {
			return w.Reason
		}
	}
	return ""
}

// globs matches name against pattern; "*" alone matches everything.
func globs(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok || pattern == "*"
}
