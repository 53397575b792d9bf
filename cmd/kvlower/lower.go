package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

type job struct {
	files, types []string
	out, crate   string
	root         string // symbol; empty for all
	checks       bool   // written checks only
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
	if err := os.MkdirAll(j.out, 0o777); err != nil {
		return err
	}
	w := writer{job: j, c: c, roots: map[position.Spot]int{}, index: position.Index{Version: position.Version, Crate: j.crate, Roots: []position.Root{}}}
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

// writer writes slices with their maps and gathers the index of them.
type writer struct {
	job
	c      *cut.Cutter
	owners *cut.Owners
	ways   map[string][][]string // by symbol: the ways from it to owners, itself left out
	roots  map[position.Spot]int // how many automatic roots have a check in their slices
	index  position.Index
}

// allChecks writes the written checks of a file that is made of nothing else.
func (w *writer) allChecks() error {
	checks, err := w.c.Checks()
	if err != nil {
		return err
	}
	for _, symbol := range checks {
		if err := w.write(symbol, position.Check); err != nil {
			return err
		}
	}
	return nil
}

// all writes the roots that were asked for; if that is all of them, also the
// functions that own panic locations.
func (w *writer) all() error {
	roots := w.c.Roots()
	w.owners = w.c.Owners()
	callers := w.findWays()
	for _, symbol := range roots {
		kind := position.Auto
		if cut.IsCheck(symbol) {
			kind = position.Check
		}
		if w.root != "" && w.root != symbol {
			continue
		}
		if err := w.write(symbol, kind); err != nil {
			return err
		}
	}
	if w.root != "" {
		return nil
	}
	written := map[string]bool{}
	for _, symbol := range slices.Concat(w.owners.Symbols, w.c.Callbacks(), callers) {
		if slices.Contains(roots, symbol) || written[symbol] {
			continue
		}
		written[symbol] = true
		if err := w.write(symbol, position.Inner); err != nil {
			return err
		}
	}
	w.index.Panics = w.owners.Panics
	for i := range w.index.Panics {
		p := &w.index.Panics[i]
		p.Roots = w.roots[p.Spot()]
	}
	return nil
}

// findWays notes which owners each function calls, and lists those that call any.
func (w *writer) findWays() (callers []string) {
	w.ways = map[string][][]string{}
	for _, owner := range w.owners.Symbols {
		for _, way := range w.owners.Ways(w.c, owner) {
			w.ways[way[0]] = append(w.ways[way[0]], append(way[1:], owner))
			callers = append(callers, way[0])
		}
	}
	return callers
}

func (w *writer) write(symbol, kind string) error {
	how := w.c.Cut
	if w.checks {
		how = w.c.CutCheck
	}
	s, m, err := how(symbol)
	if err != nil {
		return err
	}
	if kind == position.Auto {
		for at := range m.Spots() {
			w.roots[at]++
		}
	}
	n := len(w.index.Roots)
	e := position.Root{
		Name: w.c.Name(symbol), Symbol: symbol, Kind: kind, Sites: len(m.Sites),
		Slice: fmt.Sprintf("%d.kvs", n), Map: fmt.Sprintf("%d.map", n),
	}
	e.File, e.Line = w.c.Declared(symbol)
	e.Called = w.c.Called(symbol)
	if kind != position.Check {
		for _, k := range w.owners.Owns(s, m) {
			e.Owns = append(e.Owns, m.Locs[k])
		}
	}
	if kind == position.Inner && len(e.Owns) == 0 && e.Called == "" && len(w.ways[symbol]) == 0 {
		return nil
	}
	if err := w.writeSlice(e.Slice, e.Map, s, m); err != nil {
		return err
	}
	if len(e.Owns) > 0 {
		e.Alone, e.AloneMap = fmt.Sprintf("%d.alone.kvs", n), fmt.Sprintf("%d.alone.map", n)
		if _, err := w.writeAlone(e.Alone, e.AloneMap, symbol); err != nil {
			return err
		}
	}
	for i, way := range w.ways[symbol] {
		c, err := w.callOf(fmt.Sprintf("%d.%d", n, i), symbol, way)
		if err != nil {
			return err
		}
		e.Calls = append(e.Calls, c)
	}
	w.index.Roots = append(w.index.Roots, e)
	return nil
}

// callOf writes the slice of a root alone in which it calls an owner, the last on
// way, and says by numbers which way that is.
func (w *writer) callOf(name, root string, way []string) (position.Callee, error) {
	owner := way[len(way)-1]
	c := position.Callee{Symbol: owner, Slice: name + ".kvs", Map: name + ".map"}
	symbols, err := w.writeAlone(c.Slice, c.Map, root, way...)
	if err != nil {
		return c, err
	}
	c.Func = slices.Index(symbols, owner)
	for _, through := range way[:len(way)-1] {
		c.Through = append(c.Through, slices.Index(symbols, through))
	}
	return c, nil
}

// writeAlone writes the slice of a root alone; symbols are those of its functions by their numbers.
func (w *writer) writeAlone(slice, positions, root string, through ...string) (symbols []string, err error) {
	s, m, symbols, err := w.c.CutAlone(root, through...)
	if err != nil {
		return nil, err
	}
	return symbols, w.writeSlice(slice, positions, s, m)
}

func (w *writer) writeSlice(slice, positions string, s *ir.Slice, m *position.Map) error {
	if err := os.WriteFile(filepath.Join(w.out, slice), ir.Print(s), 0o666); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := m.Encode(&b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.out, positions), b.Bytes(), 0o666)
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
