package job

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// UnknownTargetError says that a target names nothing.
type UnknownTargetError struct {
	Target string
	Known  []string // what could have been meant
}

func (e *UnknownTargetError) Error() string {
	s := fmt.Sprintf("target %q is no Rust crate that the configuration enables, no file or folder of one, and no check", e.Target)
	if len(e.Known) > 0 {
		s += "; did you mean " + strings.Join(e.Known, ", ") + "?"
	}
	return s
}

// selectUnits resolves targets. None means every crate and every check.
func selectUnits(targets []string, crates []Crate, checks []Check) ([]unit, error) {
	s := selection{crates: crates, checks: checks, wanted: map[string]*unit{}}
	if len(targets) == 0 {
		targets = []string{"."}
	}
	for _, t := range targets {
		if !s.add(strings.TrimSuffix(path.Clean(t), "/")) {
			return nil, &UnknownTargetError{Target: t, Known: s.near(t)}
		}
	}
	return s.units(), nil
}

type selection struct {
	crates []Crate
	checks []Check
	wanted map[string]*unit
}

// add adds what t names and reports whether it names anything.
func (s *selection) add(t string) bool {
	found := false
	for i := range s.crates {
		c := &s.crates[i]
		u := unit{name: c.Name, source: c.Source, crate: c}
		switch {
		case inside(c.Source, t) || t == c.Name:
			u.all = true
		case !slices.ContainsFunc(c.Files, func(file string) bool { return inside(file, t) }):
			continue
		case c.Library:
			u.files = []string{t}
		default:
			u.all = true
		}
		s.want("crate "+c.Source, u)
		found = true
	}
	for i := range s.checks {
		c := &s.checks[i]
		u := unit{name: c.Name, source: c.source(), check: c}
		switch {
		case inside(c.About, t) || t == c.Name:
			u.all = true
		case c.has(t):
			u.names = []string{t}
		default:
			continue
		}
		s.want("check "+c.Name, u)
		found = true
	}
	return found
}

func (c *Check) has(name string) bool {
	_, ok := c.States[name]
	return ok
}

// want adds u, or what was asked for of it beside what was before.
func (s *selection) want(key string, u unit) {
	if old := s.wanted[key]; old != nil {
		u.all = u.all || old.all
		u.names, u.files = append(u.names, old.names...), append(u.files, old.files...)
	}
	s.wanted[key] = &u
}

// rootIs reports whether a demangled root is the function called name.
func rootIs(root, name string) bool {
	return root == name || strings.HasSuffix(root, "::"+name)
}

// units returns what is wanted, checks first: they are few and people wait for
// them.
func (s *selection) units() []unit {
	var us []unit
	for _, u := range s.wanted {
		us = append(us, *u)
	}
	slices.SortFunc(us, func(a, b unit) int {
		return cmp.Or(boolCompare(b.check != nil, a.check != nil), cmp.Compare(a.source, b.source))
	})
	return us
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// inside reports whether file is at or below dir; "." is everything.
func inside(file, dir string) bool {
	return dir == "." || file == dir || strings.HasPrefix(file, dir+"/")
}

// near lists up to five names that share t's last element or contain it.
func (s *selection) near(t string) []string {
	base := strings.TrimSuffix(path.Base(t), ".rs")
	var names []string
	for _, c := range s.crates {
		names = append(names, c.Source)
	}
	for _, c := range s.checks {
		names = slices.AppendSeq(names, maps.Keys(c.States))
	}
	names = slices.DeleteFunc(names, func(n string) bool { return base == "." || !strings.Contains(n, base) })
	slices.Sort(names)
	return names[:min(len(names), 5)]
}
