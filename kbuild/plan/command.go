// Package plan reads what kbuild would run out of what kbuild wrote down.
//
// The plan action of kbuild/graph runs the kernel's own Makefiles with a rustc
// and a bindgen that only touch their outputs. kbuild then leaves, beside every
// output, a .cmd file with the command line and the files it read. Those files,
// one after the other, are the log that this package parses: the crates, their
// flags and their order follow the kernel's version and configuration and are
// written down nowhere else.
package plan

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"strings"
)

// maxLine bounds a line of the log, in bytes. Command lines are about 6 KiB.
const maxLine = 1 << 20

// Command is one command line that kbuild ran, or would have run.
type Command struct {
	Target string            // what it makes, relative to the object tree
	Shell  string            // the whole line, for a shell in the object tree
	Env    map[string]string // assignments in front of the first command
	Argv   []string          // the first command
	Deps   []string          // files it read, as it named them; not autoconf.h
}

// Parse reads a log. Errors name the line.
func Parse(log []byte) ([]*Command, error) {
	p := parser{byTarget: map[string]*Command{}}
	s := bufio.NewScanner(bytes.NewReader(log))
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		if err := p.line(s.Text()); err != nil {
			return nil, fmt.Errorf("parse plan, line %d: %w", n, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("parse plan: %w", err)
	}
	return p.commands, nil
}

type parser struct {
	commands []*Command
	byTarget map[string]*Command
	deps     *Command // whose list of dependencies the current line continues
}

func (p *parser) line(line string) error {
	if p.deps != nil {
		p.dep(line)
		return nil
	}
	key, value, ok := strings.Cut(line, " := ")
	if !ok {
		return nil
	}
	if target, ok := strings.CutPrefix(key, "savedcmd_"); ok {
		return p.command(target, value)
	}
	if target, ok := strings.CutPrefix(key, "source_"); ok && p.byTarget[target] != nil {
		p.byTarget[target].Deps = append(p.byTarget[target].Deps, path.Clean(value))
	}
	if target, ok := strings.CutPrefix(key, "deps_"); ok && strings.HasSuffix(value, "\\") {
		p.deps = p.byTarget[target]
	}
	return nil
}

func (p *parser) command(target, value string) error {
	c := &Command{Target: path.Clean(target), Shell: unescape(value), Env: map[string]string{}}
	if p.byTarget[target] != nil {
		return fmt.Errorf("second command for %s", target)
	}
	words, err := splitWords(c.Shell)
	if err != nil {
		return err
	}
	for len(words) > 0 {
		name, v, ok := strings.Cut(words[0], "=")
		if !ok || strings.ContainsAny(name, "-/") {
			break
		}
		c.Env[name] = v
		words = words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("no command for %s", target)
	}
	c.Argv = words
	p.byTarget[target] = c
	p.commands = append(p.commands, c)
	return nil
}

// dep takes one line of a list of dependencies; the list ends with the first
// line that does not end in a backslash. Markers of options, which only make
// knows how to use, are left out.
func (p *parser) dep(line string) {
	file, more := strings.CutSuffix(strings.TrimSpace(line), "\\")
	file = strings.TrimSpace(file)
	if file != "" && !strings.HasPrefix(file, "$(wildcard") {
		p.deps.Deps = append(p.deps.Deps, path.Clean(file))
	}
	if !more {
		p.deps = nil
	}
}

// unescape undoes how kbuild hides a shell line from make.
func unescape(s string) string {
	return strings.TrimSpace(strings.NewReplacer("$$", "$", "$(pound)", "#").Replace(s))
}
