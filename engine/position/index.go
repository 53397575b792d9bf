package position

import (
	"encoding/json"
	"fmt"
)

// Index lists the roots that the lowerer cut out of one crate, and the panic
// calls in its code.
type Index struct {
	Version int     `json:"version"`
	Crate   string  `json:"crate"`
	Roots   []Root  `json:"roots"`
	Panics  []Panic `json:"panics,omitempty"`
}

// Panic is a check that the crate's code holds, its own or an instance of
// another crate's: all panic calls of one kind and position.
type Panic struct {
	Kind    string `json:"kind"`
	At      Pos    `json:"at"`
	Located bool   `json:"located,omitempty"` // At is a location that the code passes, not where the call stands
	Reached bool   `json:"reached,omitempty"` // an automatic root may lead to it
	Roots   int    `json:"roots,omitempty"`   // so many automatic roots have it in their slices
}

// Spot is what makes panic calls of several slices one check: copies that were inlined, and
// instances of generic code, are one.
type Spot struct {
	Kind, File string
	Line, Col  int
	Func       string // only where no position is known
}

// Spot is that of the check.
func (p *Panic) Spot() Spot { return spotOf(p.Kind, p.At) }

func spotOf(kind string, at Pos) Spot {
	s := Spot{Kind: kind, File: at.File, Line: at.Line, Col: at.Col}
	if at.File == "" {
		s.Func = at.Func
	}
	return s
}

// Spots are those of the checks in a slice.
func (m *Map) Spots() map[Spot]bool {
	out := map[Spot]bool{}
	for _, s := range m.Sites {
		at := Pos{}
		if frames := m.At(s.Func, s.Inst); s.Loc >= 0 && s.Loc < len(m.Locs) {
			at = m.Locs[s.Loc]
		} else if len(frames) > 0 {
			at = frames[0]
		} else if s.Func >= 0 && s.Func < len(m.Funcs) {
			at.Func = m.Funcs[s.Func].Name
		}
		out[spotOf(s.Kind, at)] = true
	}
	return out
}

// Root is one root and the files that hold it, relative to the index.
type Root struct {
	Name   string `json:"name"`   // demangled
	Symbol string `json:"symbol"` // as linked
	Kind   string `json:"kind"`
	Slice  string `json:"slice"`
	Map    string `json:"map"`
	Sites  int    `json:"sites"`          // panic calls in its slice
	File   string `json:"file,omitempty"` // that declares it, empty if unknown
	Line   int    `json:"line,omitempty"`
	Called Called `json:"called,omitempty"`
	// Owns are the panic locations that stand in the root itself, except those that
	// anything but the functions which own them may panic with.
	Owns []Pos `json:"owns,omitempty"`
	// Alone and AloneMap are the slice in which that is proved of the root alone, with few of the functions that it calls; with Owns only.
	Alone    string `json:"alone,omitempty"`
	AloneMap string `json:"alone_map,omitempty"`
	// Calls are the functions that it calls, itself or through others, of those that own panic locations and that nobody
	// calls but roots that are listed: one that may fail may not fail in any of these calls.
	Calls []Callee `json:"calls,omitempty"`
}

// Callee is a function that a root calls, and the slice of the root alone in which it has its body.
type Callee struct {
	Symbol  string `json:"symbol"`
	Slice   string `json:"slice"`
	Map     string `json:"map"`
	Func    int    `json:"func"`              // its number in that slice
	Through []int  `json:"through,omitempty"` // numbers of the functions between the root and it
}

// Called is how code outside of Rust may come to call a root. Whether it does
// is for the source to say: a function of Rust's own kind can be either too.
type Called string

// The ways to call a root; "" if there is none.
const (
	ByName    Called = "name"    // its symbol is no path of Rust's
	ByAddress Called = "address" // constant data holds its address, or C gets it as an argument
)

// Kinds of root.
const (
	Check = "check" // a written check
	Auto  = "auto"  // a function with external linkage
	Inner = "inner" // a function within, which owns panic locations that others reach
)

// DecodeIndex reads an Index.
func DecodeIndex(b []byte) (*Index, error) {
	var x Index
	if err := json.Unmarshal(b, &x); err != nil {
		return nil, fmt.Errorf("decode index of slices: %w", err)
	}
	if x.Version != Version {
		return nil, fmt.Errorf("decode index of slices: version %d, want %d", x.Version, Version)
	}
	return &x, nil
}
