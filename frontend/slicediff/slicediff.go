// Package slicediff tells which definitions of a slice changed. Slices are
// numbered from their root on, so that one function more gives all that follow
// another number: compared are definitions by their names in the source, with
// what they refer to named likewise.
package slicediff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Kind is what a definition defines.
type Kind string

// The kinds of definition, in the order in which changes are told.
const (
	Function Kind = "function"
	Extern   Kind = "external function"
	Constant Kind = "constant or static"
	Inputs   Kind = "inputs of the root"
)

var order = []Kind{Inputs, Function, Constant, Extern}

// Change is a definition that is not the same in both slices.
type Change struct {
	Kind Kind
	Name string
	Old  string // text; "" if only the new slice has it
	New  string // text; "" if only the old slice has it
}

// Slice is the canonical text of a slice, with the names of its functions by number.
type Slice struct {
	Text  string
	Names []string
}

// Between returns what changed, by kind and name. It is empty only for slices of
// equal text, or of texts that differ in nothing but the order of definitions.
func Between(old, new Slice) []Change {
	was, is := definitions(old), definitions(new)
	var out []Change
	for k, text := range was {
		if is[k] != text {
			out = append(out, Change{Kind: k.kind, Name: k.name, Old: text, New: is[k]})
		}
	}
	for k, text := range is {
		if _, ok := was[k]; !ok {
			out = append(out, Change{Kind: k.kind, Name: k.name, New: text})
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Title says in a line what was changed.
func (c *Change) Title() string {
	what := "changed"
	switch {
	case c.Old == "":
		what = "new"
	case c.New == "":
		what = "gone"
	}
	return strings.TrimSuffix(fmt.Sprintf("%s %s %s", what, c.Kind, c.Name), " ")
}

// Diff writes the change as a unified diff without file names.
func (c *Change) Diff() string {
	if c.Old == "" || c.New == "" {
		sign, text := "+", c.New
		if c.New == "" {
			sign, text = "-", c.Old
		}
		return sign + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+sign) + "\n"
	}
	plainOld, plainNew := unnumbered(c.Old), unnumbered(c.New)
	if plainOld == plainNew { // only who uses what changed
		plainOld, plainNew = c.Old, c.New
	}
	u, err := udiff.ToUnifiedDiff("", "", plainOld, udiff.Lines(plainOld, plainNew), contextLines)
	if err != nil { // edits of the same two texts always apply
		panic(err)
	}
	return c.show(&u)
}

const contextLines = 3

// show writes the lines of u as they stand in the slices: registers and labels
// were left out of the comparison only, where one instruction more shifts all.
func (c *Change) show(u *udiff.UnifiedDiff) string {
	was, is := strings.Split(c.Old, "\n"), strings.Split(c.New, "\n")
	var b strings.Builder
	for _, h := range u.Hunks {
		from, to := h.FromLine-1, h.ToLine-1
		fmt.Fprintf(&b, "@@ -%d +%d @@\n", h.FromLine, h.ToLine)
		for _, l := range h.Lines {
			switch l.Kind {
			case udiff.Delete:
				b.WriteString("-" + was[from] + "\n")
				from++
			case udiff.Insert:
				b.WriteString("+" + is[to] + "\n")
				to++
			default:
				b.WriteString(" " + is[to] + "\n")
				from, to = from+1, to+1
			}
		}
	}
	return b.String()
}
