package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

type job struct {
	files, types []string
	out, crate   string
	root         string // symbol; empty for all
	checks       bool   // written checks only
	untrimmed    bool   // inputs stay as their types are
}

// cutter reads files, and the types of parameters from types.
func cutter(files, types []string) (*cut.Cutter, error) {
	stream, err := readIsolated(files, types)
	if err != nil {
		return nil, err
	}
	m, err := module.Decode(stream)
	if err != nil {
		return nil, err
	}
	return cut.New(m)
}

// writeRemains writes an index of the panic calls in an optimised file.
func writeRemains(out, crate, file string) error {
	c, err := cutter([]string{file}, nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	index := position.Index{Version: position.Version, Crate: crate, Roots: []position.Root{}, Panics: c.Remains()}
	return writeJSON(filepath.Join(out, "index.json"), index)
}

func lower(j job) error {
	c, err := cutter(j.files, j.types)
	if err != nil {
		return err
	}
	if j.untrimmed {
		c.KeepInputs()
	}
	return j.write(c)
}

// write writes all that was asked for.
func (j job) write(c *cut.Cutter) error {
	if err := os.MkdirAll(j.out, 0o777); err != nil {
		return err
	}
	w, err := newWriter(j, c), error(nil)
	if j.checks {
		err = w.allChecks()
	} else {
		err = w.all()
	}
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(j.out, "index.json"), w.index)
}

func writeJSON(name string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // names are full of < and >
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(name), err)
	}
	return os.WriteFile(name, b.Bytes(), 0o666)
}
