// Package position maps the places of a slice to places in source files. A
// slice itself holds no positions, so that its digest survives edits that move
// code about; the lowerer writes a Map beside each slice.
package position

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Version is the version of the files.
const Version = 2

// Map is the positions of one slice.
type Map struct {
	Version int    `json:"version"`
	Root    string `json:"root"` // demangled
	// Params are the names of the root's parameters, empty where there is none.
	Params []string `json:"params,omitempty"`
	// Signed are the parameters that are numbers with a sign.
	Signed []int `json:"signed,omitempty"`
	// Private are the parameters that are private fields of a type passed by value, or hold some:
	// such a number is one of those that the type's own module makes, which may be fewer than there are.
	Private []int `json:"private,omitempty"`
	// Fields names what lies behind them; not all of it.
	Fields []Field `json:"fields,omitempty"`
	Locs   []Pos   `json:"locs"` // by panic location token
	Funcs  []Func  `json:"funcs"`
	Sites  []Site  `json:"sites"` // every panic call in the slice
	Insts  Frames  `json:"-"`
}

// Pos is a position in a source file.
type Pos struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Func string `json:"func,omitempty"` // demangled, of the frame
}

// Func names a function of the slice.
type Func struct {
	Name string `json:"name"` // demangled, without crate hashes
}

// Site is one panic call.
type Site struct {
	Func int    `json:"func"`
	Inst int    `json:"inst"`
	Kind string `json:"kind"`
	Loc  int    `json:"loc"` // -1 if the location is handed in by callers that are not known
	// More: callers that are not known may hand in another location.
	More bool `json:"more,omitempty"`
}

// Input is the name of an input as the source has it: the engine, which knows
// no names, calls what belongs to the first parameter arg0.
func (m *Map) Input(name string) string {
	rest, ok := strings.CutPrefix(name, "arg")
	if !ok {
		return name
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	i, err := strconv.Atoi(rest[:digits])
	if err != nil || i >= len(m.Params) || m.Params[i] == "" {
		return name
	}
	return m.Params[i] + rest[digits:]
}

// At returns the frames of instruction inst of function fn, nil if unknown.
func (m *Map) At(fn, inst int) []Pos { return m.Insts.at(fn, inst) }

// Encode writes m: a line of JSON, then the table of its instructions.
func (m *Map) Encode(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return fmt.Errorf("encode positions: %w", err)
	}
	if _, err := w.Write(m.Insts.t.append(b.Bytes())); err != nil {
		return fmt.Errorf("encode positions: %w", err)
	}
	return nil
}

// Decode reads a Map.
func Decode(b []byte) (*Map, error) {
	line, insts, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, errors.New("decode positions: no line of JSON")
	}
	var m Map
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, fmt.Errorf("decode positions: %w", err)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("decode positions: version %d, want %d", m.Version, Version)
	}
	var err error
	if m.Insts.t, err = readTable(insts); err != nil {
		return nil, fmt.Errorf("decode positions: instructions: %w", err)
	}
	return &m, nil
}
