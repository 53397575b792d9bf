package slicediff_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kvfarm/kvfarm/frontend/slicediff"
)

var update = flag.Bool("update", false, "rewrite testdata")

// A file holds two slices with the names of their functions, and what is said
// of them.
func TestBetween(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, name := range files {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		part := map[string]string{}
		for _, f := range a.Files {
			part[f.Name] = string(f.Data)
		}
		read := func(which string) slicediff.Slice {
			return slicediff.Slice{Text: part[which+".kvs"], Names: strings.Fields(part[which+".names"])}
		}
		var got strings.Builder
		for _, c := range slicediff.Between(read("old"), read("new")) {
			fmt.Fprintf(&got, "%s\n%s", c.Title(), c.Diff())
		}
		if d := cmp.Diff(part["want"], got.String()); d != "" && !*update {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if *update {
			a.Files[len(a.Files)-1].Data = []byte(got.String())
			if err := os.WriteFile(name, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}
