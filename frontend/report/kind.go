package report

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// kindsText says what each kind of check looks at and who would put it there:
// a block each, the kind's name, a line that says what happens, and a text.
//
//go:embed kinds.txt
var kindsText string

// Kind is one kind of check.
type Kind struct {
	Name  string // as in a report
	Short string // what happens if it fails: half a sentence
	Long  string // lines of at most 100 characters
}

// Kinds are all kinds of checks that a report may have, in the order in which a
// person would tell them.
var Kinds = parseKinds(kindsText)

func parseKinds(text string) []Kind {
	var all []Kind
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		head, long, _ := strings.Cut(block, "\n")
		name, short, _ := strings.Cut(head, ": ")
		all = append(all, Kind{Name: name, Short: short, Long: long})
	}
	return all
}

// kindIndex returns the index in Kinds of the kind of that name, -1 if there is none.
func kindIndex(name string) int {
	return slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
}

// kindCalled returns the kind of that name, one without texts if there is none.
func kindCalled(name string) Kind {
	if i := kindIndex(name); i >= 0 {
		return Kinds[i]
	}
	return Kind{Name: name}
}

// ExplainKind writes what a kind of check means. It reports false if there is none of that name.
func ExplainKind(w io.Writer, name string) bool {
	k := kindCalled(name)
	if k.Short == "" {
		return false
	}
	fmt.Fprintf(w, "%s: %s\n", k.Name, k.Short)
	for line := range strings.SplitSeq(k.Long, "\n") {
		fmt.Fprintln(w, "  "+line)
	}
	return true
}
