// Package verdict is what the engine says about a root: its words, and their
// JSON form, which is what a prove action leaves behind. Encoding is
// deterministic: the same verdict is the same bytes on every machine.
package verdict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Version is the version of the JSON form.
const Version = 1

// FileName is what actions that prove call their output.
const FileName = "verdict.json"

// MaxBytes bounds an encoded verdict that is read from outside.
const MaxBytes = 64 << 20

// Word is what is known of a root or a site.
type Word string

// The words. Unknown is what everything is until something else is shown.
const (
	Unknown  Word = "UNKNOWN"
	Proved   Word = "PROVED"
	ProvedTo Word = "PROVED_UP_TO" // a loop or size bound was reached
	Refuted  Word = "REFUTED"      // with a witness that was replayed
	Vacuous  Word = "VACUOUS"      // no path reaches the end
)

// RawPointers begins the assumption that a raw pointer among the inputs points
// to memory that is aligned for its type and that nothing else points to. No type promises that, so what is proved
// under it holds for callers that keep to it only.
const RawPointers = "raw pointers are null or point to an aligned object of their own"

// RawSizes begins what is assumed instead if it does not show in any run whether
// such memory is also something else's, or aligned but where it is accessed.
const RawSizes = "raw pointers are null or lead, aligned, to"

// Apart is what is assumed of references that others may have too, where it
// shows. Rust lets two of them lead to one object.
const Apart = "references among the inputs lead to objects apart from each other, and to where these begin"

// Verdict is the result of proving one root.
type Verdict struct {
	Version     int       `json:"version"`
	Verdict     Word      `json:"verdict"`
	Bound       int       `json:"bound,omitempty"`  // of ProvedTo
	Reason      string    `json:"reason,omitempty"` // of Unknown: "budget", "stub: NAME", "loop", ...
	Place       *Place    `json:"place,omitempty"`  // of the first construct that made it Unknown
	Assumptions []string  `json:"assumptions"`
	Sites       []Site    `json:"sites"`
	Witnesses   []Witness `json:"witnesses"`
	End         []Input   `json:"end,omitempty"` // of a written check: a replayed run that reaches its end
	Stats       Stats     `json:"stats"`

	Shard    *Shard   `json:"shard,omitempty"`    // what of the root was followed; nil: all
	Frontier []string `json:"frontier,omitempty"` // of a verdict for want of budget: how the work can be divided (Split)
}

// Shard says what a verdict about a part of a root needs to be joined with the others.
// That verdict alone claims nothing of the root.
type Shard struct {
	Of      string `json:"of"`      // decisions that are true of its runs
	Ended   bool   `json:"ended"`   // some run reaches the end of the root
	Idle    bool   `json:"idle"`    // a written check none of whose assertions is reached
	Stopped bool   `json:"stopped"` // a path was given up; the verdict's reason says why
	Bound   int    `json:"bound"`   // least bound that was reached, 0 if none
	Seen    []int  `json:"seen"`    // sites, by index, whose check some run comes to
}

// Reasons of Unknown that others ask for.
const (
	Budget    = "budget"                       // more work than was allowed
	Unreached = "not reached within the bound" // of a site: a bound was reached before it, and no run came to it
	Endless   = "no run reaches the end within the bound"
)

// Place is an instruction of the slice: Inst is its index within the function,
// counted through the blocks in order.
type Place struct {
	Func int `json:"func"`
	Inst int `json:"inst"`
}

// Site is one check. Panic sites whose location is known are one site per kind
// and location token, wherever they are reached; others one per instruction.
type Site struct {
	Kind    string `json:"kind"`
	Loc     int    `json:"loc"` // location token; -1 if none
	Func    int    `json:"func"`
	Inst    int    `json:"inst"`
	Verdict Word   `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	Witness int    `json:"witness"` // index in Witnesses; -1 if none
}

// Witness is an input that makes a site fail.
type Witness struct {
	Inputs   []Input `json:"inputs"` // in order of creation
	Site     int     `json:"site"`   // index in Sites
	Stack    []Place `json:"stack"`  // innermost first
	Replayed bool    `json:"replayed"`
	// Zero are C functions of whose results nothing is known, and that returned 0.
	Zero []string `json:"zero,omitempty"`
}

// Input is one value that the engine chose.
type Input struct {
	Name  string `json:"name"` // "arg0", "arg1.data[3]", "any#4"
	Bits  int    `json:"bits"`
	Value string `json:"value"` // unsigned, decimal
}

// Stats says what a verdict cost. Counts are deterministic.
type Stats struct {
	Instructions int64 `json:"instructions"`
	Queries      int64 `json:"queries"`
	Conflicts    int64 `json:"conflicts"`
	PeakObjects  int64 `json:"peak_objects"`
	Work         int64 `json:"work"` // in units of the budget
}

// Encode writes v as JSON.
func (v *Verdict) Encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	return nil
}

// Decode reads a verdict. Unknown fields, versions and dangling indices are errors.
func Decode(b []byte) (*Verdict, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("decode verdict: %d bytes, limit is %d", len(b), MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var v Verdict
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode verdict: %w", err)
	}
	if v.Version != Version {
		return nil, fmt.Errorf("decode verdict: version %d, want %d", v.Version, Version)
	}
	return &v, v.check()
}

func (v *Verdict) check() error {
	for i, s := range v.Sites {
		if s.Witness < -1 || s.Witness >= len(v.Witnesses) {
			return fmt.Errorf("decode verdict: site %d names witness %d of %d", i, s.Witness, len(v.Witnesses))
		}
		if s.Verdict == Refuted && s.Witness < 0 {
			return fmt.Errorf("decode verdict: site %d is refuted without a witness", i)
		}
	}
	if v.Shard != nil {
		for _, i := range v.Shard.Seen {
			if i < 0 || i >= len(v.Sites) {
				return fmt.Errorf("decode verdict: the shard saw site %d of %d", i, len(v.Sites))
			}
		}
	}
	for i, w := range v.Witnesses {
		if w.Site < 0 || w.Site >= len(v.Sites) {
			return fmt.Errorf("decode verdict: witness %d names site %d of %d", i, w.Site, len(v.Sites))
		}
	}
	return nil
}
