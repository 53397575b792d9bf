package rust_test

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/kvfarm/kvfarm/kbuild/rust"
)

var (
	checkFunc  = regexp.MustCompile(`(?m)^pub extern "C" fn (\w+)\(\)`)
	documented = regexp.MustCompile(`(?m)^/// .*\n#\[no_mangle\]\npub extern "C" fn (check_\w+)\(\)`)
)

func TestChecksAreDocumentedAndNamedApart(t *testing.T) {
	crates, err := rust.Checks()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range crates {
		src := c.Files["lib.rs"]
		if len(c.Files["kvfarm.rs"]) == 0 || !regexp.MustCompile(`(?m)^mod kvfarm;$`).Match(src) {
			t.Errorf("%s: the check library is missing", c.Name)
		}
		all, good := checkFunc.FindAllSubmatch(src, -1), documented.FindAllSubmatch(src, -1)
		if len(all) == 0 || len(all) != len(good) {
			t.Errorf("%s: %d checks, %d with a doc comment and a name check_*", c.Name, len(all), len(good))
		}
		for _, m := range good {
			if other := seen[string(m[1])]; other != "" {
				t.Errorf("%s: %s is also in %s", c.Name, m[1], other)
			}
			seen[string(m[1])] = c.Name
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d checks", len(seen))
	}
}

func TestCrateTakesInTheModelsItNames(t *testing.T) {
	c := rust.NewCrate("mine", []byte("mod find_bit;\nmod kvfarm;\nmod mine;\n// mod refcount;\n"))
	names := slices.Sorted(maps.Keys(c.Files))
	if want := []string{"find_bit.rs", "kvfarm.rs", "lib.rs"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	if !bytes.Contains(c.Files["find_bit.rs"], []byte("fn _find_next_bit(")) {
		t.Error("the model is not the search for bits")
	}
}
