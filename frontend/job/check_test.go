package job_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/kbuild/rust"
)

const twoChecks = "// SPDX\n\n//! `rust/kernel/time.rs`: of `Delta`.\n" + `
/// It is exact,
/// for all.
#[no_mangle]
pub extern "C" fn check_exact() {}

fn helper() {}

#[no_mangle]
pub extern "C" fn check_bare() {}
`

func TestNewCheck(t *testing.T) {
	c, err := job.NewCheck("time", map[string][]byte{"lib.rs": []byte(twoChecks)})
	if err != nil {
		t.Fatal(err)
	}
	if c.About != "rust/kernel/time.rs" {
		t.Errorf("about = %q", c.About)
	}
	want := map[string]string{"check_exact": "It is exact,\nfor all.", "check_bare": ""}
	if d := cmp.Diff(want, c.States); d != "" {
		t.Errorf("states (-want +got):\n%s", d)
	}
	if _, err := job.NewCheck("none", map[string][]byte{"lib.rs": []byte("fn f() {}")}); err == nil || !strings.Contains(err.Error(), "checks none") {
		t.Errorf("a file without checks: %v", err)
	}
}

// Every check that is shipped says what it is about and what it states.
func TestShippedChecks(t *testing.T) {
	crates, err := rust.Checks()
	if err != nil {
		t.Fatal(err)
	}
	for _, crate := range crates {
		c, err := job.NewCheck(crate.Name, crate.Files)
		if err != nil {
			t.Error(err)
		}
		if !strings.HasSuffix(c.About, ".rs") {
			t.Errorf("%s is about %q", c.Name, c.About)
		}
		for name, states := range c.States {
			if states == "" {
				t.Errorf("%s: %s states nothing", c.Name, name)
			}
		}
	}
}
