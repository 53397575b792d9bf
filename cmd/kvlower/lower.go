package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kvfarm/kvfarm/engine/ir"

	"github.com/kvfarm/kvfarm/cmd/kvlower/bitcode"
	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

type job struct {
	files             []string
	types, out, crate string
	root              string // symbol; empty for all
}

// entry is one root in index.json.
type entry struct {
	Root   string `json:"root"` // demangled
	Symbol string `json:"symbol"`
	Slice  string `json:"slice"` // file names within the directory
	Map    string `json:"map"`
	Kind   string `json:"kind"` // "check" or "auto"
	Crate  string `json:"crate,omitempty"`
	Sites  int    `json:"sites"`
}

func lower(j job) error {
	stream, err := bitcode.Read(j.files, j.types)
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
	index := []entry{}
	for _, symbol := range c.Roots() {
		if j.root != "" && j.root != symbol {
			continue
		}
		e, err := writeRoot(j, c, symbol, len(index))
		if err != nil {
			return err
		}
		index = append(index, e)
	}
	return writeJSON(filepath.Join(j.out, "index.json"), index)
}

func writeRoot(j job, c *cut.Cutter, symbol string, n int) (entry, error) {
	s, m, err := c.Cut(symbol)
	if err != nil {
		return entry{}, err
	}
	e := entry{
		Root: c.Name(symbol), Symbol: symbol, Kind: "auto", Crate: j.crate, Sites: len(m.Sites),
		Slice: fmt.Sprintf("%d.kvs", n), Map: fmt.Sprintf("%d.map.json", n),
	}
	if cut.IsCheck(symbol) {
		e.Kind = "check"
	}
	if err := os.WriteFile(filepath.Join(j.out, e.Slice), ir.Print(s), 0o666); err != nil {
		return entry{}, err
	}
	return e, writeJSON(filepath.Join(j.out, e.Map), m)
}

func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o666)
}
