package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/kvfarm/kvfarm/engine/check"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// sliceHeader begins every slice.
const sliceHeader = "kvslice "

// knows reads slices from r, one after the other, and writes a line for each:
// what the engine does not know in it, empty if it knows all.
func knows(r io.Reader, w io.Writer, args []string) error {
	if err := flags(flag.NewFlagSet("knows", flag.ContinueOnError), args, 0); err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("knows: read slices: %w", err)
	}
	out := bufio.NewWriter(w)
	for i, t := range strings.SplitAfter("\n"+string(text), "\n"+sliceHeader)[1:] {
		s, err := ir.Parse([]byte(sliceHeader + strings.TrimSuffix(t, "\n"+sliceHeader)))
		if err != nil {
			return fmt.Errorf("knows: slice %d: %w", i, err)
		}
		what, err := check.Knows(s)
		if err != nil {
			return fmt.Errorf("knows: slice %d: %w", i, err)
		}
		fmt.Fprintln(out, strings.ReplaceAll(what, "\n", " "))
	}
	return out.Flush()
}
