package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kvfarm/kvfarm/engine/ir"
	"github.com/kvfarm/kvfarm/engine/position"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
)

// writer writes slices with their maps and gathers the index of them.
type writer struct {
	job
	c      *cut.Cutter
	owners *cut.Owners
	ways   map[string][][]string // by symbol: the ways from it to owners, itself left out
	roots  map[position.Spot]int // how many automatic roots have a check in their slices
	index  position.Index
}

func newWriter(j job, c *cut.Cutter) *writer {
	return &writer{job: j, c: c, roots: map[position.Spot]int{},
		index: position.Index{Version: position.Version, Crate: j.crate, Roots: []position.Root{}}}
}

// task is a function of which slices are cut.
type task struct{ symbol, kind string }

// allChecks writes the written checks of a file that is made of nothing else.
func (w *writer) allChecks() error {
	checks, err := w.c.Checks()
	if err != nil {
		return err
	}
	var tasks []task
	for _, symbol := range checks {
		tasks = append(tasks, task{symbol, position.Check})
	}
	return w.run(tasks)
}

// all writes the roots that were asked for; if that is all of them, also the
// functions that own panic locations.
func (w *writer) all() error {
	roots := w.c.Roots()
	w.owners = w.c.Owners()
	callers := w.findWays()
	var tasks []task
	written := map[string]bool{}
	for _, symbol := range roots {
		written[symbol] = true
		kind := position.Auto
		if cut.IsCheck(symbol) {
			kind = position.Check
		}
		if w.root == "" || w.root == symbol {
			tasks = append(tasks, task{symbol, kind})
		}
	}
	if w.root != "" {
		return w.run(tasks)
	}
	for _, symbol := range slices.Concat(w.owners.Symbols, w.c.Callbacks(), callers) {
		if !written[symbol] {
			written[symbol] = true
			tasks = append(tasks, task{symbol, position.Inner})
		}
	}
	if err := w.run(tasks); err != nil {
		return err
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

// run cuts tasks on all processors and writes what comes of it in their order: how many of
// them there are must not show.
func (w *writer) run(tasks []task) error {
	return inOrder(len(tasks), func(i int) (*cutRoot, error) { return w.cut(tasks[i]) }, w.write)
}

// cutRoot is all that was cut out for a function.
type cutRoot struct {
	root         position.Root // without the names of files
	spots        map[position.Spot]bool
	whole, alone text
	calls        []text
}

// text is a slice and its map, as they are written; nil for none.
type text struct{ slice, positions []byte }

// cut cuts out what belongs to a task; nil: there is nothing to say of it. It runs beside
// others of itself, so it changes nothing of w.
func (w *writer) cut(t task) (*cutRoot, error) {
	how := w.c.Cut
	if w.checks {
		how = w.c.CutCheck
	}
	s, m, err := how(t.symbol)
	if err != nil {
		return nil, err
	}
	r := &cutRoot{root: position.Root{Name: w.c.Name(t.symbol), Symbol: t.symbol, Kind: t.kind, Sites: len(m.Sites), Called: w.c.Called(t.symbol)}}
	r.root.File, r.root.Line = w.c.Declared(t.symbol)
	if t.kind == position.Auto {
		r.spots = m.Spots()
	}
	if t.kind != position.Check {
		for _, k := range w.owners.Owns(s, m) {
			r.root.Owns = append(r.root.Owns, m.Locs[k])
		}
	}
	if t.kind == position.Inner && len(r.root.Owns) == 0 && r.root.Called == "" && len(w.ways[t.symbol]) == 0 {
		return nil, nil
	}
	if r.whole, err = newText(s, m); err != nil {
		return nil, err
	}
	if len(r.root.Owns) > 0 {
		if r.alone, _, err = w.cutAlone(t.symbol); err != nil {
			return nil, err
		}
	}
	return r, w.cutCalls(r)
}

// cutCalls cuts the slices of a root alone in which it calls an owner, the last on each way, and
// says by numbers which way that is.
func (w *writer) cutCalls(r *cutRoot) error {
	for _, way := range w.ways[r.root.Symbol] {
		t, symbols, err := w.cutAlone(r.root.Symbol, way...)
		if err != nil {
			return err
		}
		owner := way[len(way)-1]
		c := position.Callee{Symbol: owner, Func: slices.Index(symbols, owner)}
		for _, through := range way[:len(way)-1] {
			c.Through = append(c.Through, slices.Index(symbols, through))
		}
		r.root.Calls, r.calls = append(r.root.Calls, c), append(r.calls, t)
	}
	return nil
}

// cutAlone cuts out a root alone; symbols are those of its functions by their numbers.
func (w *writer) cutAlone(root string, through ...string) (t text, symbols []string, err error) {
	s, m, symbols, err := w.c.CutAlone(root, through...)
	if err != nil {
		return text{}, nil, err
	}
	t, err = newText(s, m)
	return t, symbols, err
}

func newText(s *ir.Slice, m *position.Map) (text, error) {
	var b bytes.Buffer
	err := m.Encode(&b)
	return text{ir.Print(s), b.Bytes()}, err
}

// write writes what was cut for the next root and enters it in the index.
func (w *writer) write(r *cutRoot) (err error) {
	if r == nil {
		return nil
	}
	for at := range r.spots {
		w.roots[at]++
	}
	n, e := len(w.index.Roots), r.root
	if e.Slice, e.Map, err = w.writeText(fmt.Sprint(n), r.whole); err != nil {
		return err
	}
	if r.alone.slice != nil {
		if e.Alone, e.AloneMap, err = w.writeText(fmt.Sprintf("%d.alone", n), r.alone); err != nil {
			return err
		}
	}
	for i, t := range r.calls {
		c := &e.Calls[i]
		if c.Slice, c.Map, err = w.writeText(fmt.Sprintf("%d.%d", n, i), t); err != nil {
			return err
		}
	}
	w.index.Roots = append(w.index.Roots, e)
	return nil
}

func (w *writer) writeText(name string, t text) (slice, positions string, err error) {
	slice, positions = name+".kvs", name+".map"
	if err := os.WriteFile(filepath.Join(w.out, slice), t.slice, 0o666); err != nil {
		return "", "", err
	}
	return slice, positions, os.WriteFile(filepath.Join(w.out, positions), t.positions, 0o666)
}
