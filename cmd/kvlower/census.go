package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// answers says of a probe's text what an engine does not know in it, "" if it knows all.
type answers map[string]string

// countFiles writes a table for each bitcode file: how often each construct
// occurs, whether engine supports it, and if not, why. The engine is asked, in a
// process of its own, with a slice for each instruction that differs from others.
func countFiles(w io.Writer, engine string, files []string) error {
	known := answers{}
	for _, file := range files {
		stream, err := readIsolated([]string{file}, nil)
		if err != nil {
			return err
		}
		m, err := module.Decode(stream)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rows, err := cut.Census(m)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if engine != "" {
			if err := known.ask(engine, rows); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(rows)) {
			if _, err := fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", file, rows[what].Count, known.support(rows[what]), what); err != nil {
				return err
			}
		}
	}
	return nil
}

// besides returns the engine that stands beside this program, "" if there is none.
func besides() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	engine := filepath.Join(filepath.Dir(self), "kvengine")
	if _, err := os.Stat(engine); err != nil {
		return ""
	}
	return engine
}

// ask runs engine on the probes that are not answered yet.
func (a answers) ask(engine string, rows map[string]*cut.Row) error {
	open := map[string]bool{}
	for _, r := range rows {
		for p := range r.Probes {
			if _, ok := a[p]; !ok {
				open[p] = true
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	probes := slices.Sorted(maps.Keys(open))
	cmd := exec.Command(engine, "knows")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(strings.Join(probes, "\n")), &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("ask %s: %w: %s", filepath.Base(engine), err, strings.TrimSpace(stderr.String()))
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(probes) {
		return fmt.Errorf("ask %s: %d answers to %d questions", filepath.Base(engine), len(lines), len(probes))
	}
	for i, p := range probes {
		a[p] = lines[i]
	}
	return nil
}

// support is "yes", the reasons why not, or "-" where nothing was asked.
func (a answers) support(r *cut.Row) string {
	why := map[string]bool{}
	asked := false
	for p := range r.Probes {
		reason, ok := a[p]
		asked = asked || ok
		if reason != "" {
			why[reason] = true
		}
	}
	switch {
	case len(why) > 0:
		return "no: " + strings.Join(slices.Sorted(maps.Keys(why)), "; ")
	case asked:
		return "yes"
	}
	return "-"
}
