package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

type job struct {
	files             []string
	types, out, crate string
	root              string // symbol; empty for all
}

func lower(j job) error {
	stream, err := readIsolated(j.files, j.types)
	if err != nil {
		return err
	}
	m, err := module.Decode(stream)
	if err != nil {
		return err
	}
	c, err := cut.New(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.out, 0o777); err != nil {
		return err
	}
	index := position.Index{Version: position.Version, Crate: j.crate, Roots: []position.Root{}}
	for _, symbol := range c.Roots() {
		if j.root != "" && j.root != symbol {
			continue
		}
		e, err := writeRoot(j, c, symbol, len(index.Roots))
		if err != nil {
			return err
		}
		index.Roots = append(index.Roots, e)
	}
	return writeJSON(filepath.Join(j.out, "index.json"), index)
}

func writeRoot(j job, c *cut.Cutter, symbol string, n int) (position.Root, error) {
	s, m, err := c.Cut(symbol)
	if err != nil {
		return position.Root{}, err
	}
	e := position.Root{
		Name: c.Name(symbol), Symbol: symbol, Kind: "auto", Sites: len(m.Sites),
		Slice: fmt.Sprintf("%d.kvs", n), Map: fmt.Sprintf("%d.map.json", n),
	}
	if cut.IsCheck(symbol) {
		e.Kind = "check"
	}
	if err := os.WriteFile(filepath.Join(j.out, e.Slice), ir.Print(s), 0o666); err != nil {
		return position.Root{}, err
	}
	return e, writeJSON(filepath.Join(j.out, e.Map), m)
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
