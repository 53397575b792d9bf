package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands calls look with each command that help lists.
func commands(c *cobra.Command, look func(*cobra.Command)) {
	look(c)
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			commands(below, look)
		}
	}
}

// Help says the same of every command in the same form: a line in the list of them, what it does
// in sentences, and how it is called, which must be true.
func TestHelp(t *testing.T) {
	root := newRoot()
	commands(root, func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z].*[^.]$`).MatchString(c.Short) {
				t.Errorf("short help %q: want part of a sentence", c.Short)
			}
			if !regexp.MustCompile(`^[A-Z](?s:.*)[.\n]$`).MatchString(c.Long) {
				t.Errorf("help begins or ends with no sentence: %q", c.Long)
			}
			for line := range strings.Lines(c.Long + "\n" + c.Example) {
				if len(line) > 81 {
					t.Errorf("longer than a terminal is wide: %s", line)
				}
			}
			c.LocalFlags().VisitAll(func(f *pflag.Flag) { checkFlag(t, f) })
			if c.HasSubCommands() {
				return
			}
			if !strings.Contains(c.UseLine(), "[flags]") {
				t.Errorf("usage %q names no flags", c.UseLine())
			}
			if c.Example == "" {
				t.Error("no example")
			}
			for line := range strings.Lines(c.Example) {
				if !strings.HasPrefix(line, "  "+c.CommandPath()+" ") && strings.TrimSpace(line) != c.CommandPath() {
					t.Errorf("example of something else: %s", line)
				}
				checkCall(t, line)
			}
		})
	})
}

func checkFlag(t *testing.T, f *pflag.Flag) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(f.Name) {
		t.Errorf("--%s: want words with underscores between them, as Bazel's flags have", f.Name)
	}
	value, usage := pflag.UnquoteUsage(f)
	if f.Value.Type() != "bool" && !regexp.MustCompile(`^[A-Z]`).MatchString(value) {
		t.Errorf("--%s %s: want what the usage calls its value", f.Name, value)
	}
	if strings.Contains(usage, "(default") && !zero(f.DefValue) {
		t.Errorf("--%s: a default in the usage, and %s too", f.Name, f.DefValue)
	}
}

// zero is of a default value that help does not show.
func zero(value string) bool {
	return value == "" || value == "0" || value == "0s" || value == "false" || value == "[]"
}

// checkCall parses a command line as main would, but for what is behind a # or is left out (…).
func checkCall(t *testing.T, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, "#")
	c, args, err := newRoot().Find(strings.Fields(line)[1:])
	if err == nil {
		err = c.ParseFlags(args)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: %v", strings.TrimSpace(line), err)
	}
}

// What READMEs have people type is taken.
func TestCommandsInReadmes(t *testing.T) {
	found := 0
	call := regexp.MustCompile(`(?m)^    (?:sudo )?(kvfarm .*)$`)
	err := filepath.WalkDir(filepath.Join("..", ".."), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "README.md" {
			return err
		}
		b, err := os.ReadFile(name)
		for _, m := range call.FindAllSubmatch(b, -1) {
			found++
			checkCall(t, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("%d commands in READMEs: are they written in another form now?", found)
	}
}
