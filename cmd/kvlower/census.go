package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kvfarm/kvfarm/cmd/kvlower/cut"
	"github.com/kvfarm/kvfarm/cmd/kvlower/module"
)

// countFiles writes a table of counts for each bitcode file.
func countFiles(w io.Writer, files []string) error {
	for _, file := range files {
		stream, err := readIsolated([]string{file}, "")
		if err != nil {
			return err
		}
		m, err := module.Decode(stream)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		counts := cut.Census(m)
		for _, what := range slices.Sorted(maps.Keys(counts)) {
			if _, err := fmt.Fprintf(w, "%s\t%d\t%s\n", file, counts[what], what); err != nil {
				return err
			}
		}
	}
	return nil
}
