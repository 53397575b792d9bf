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

func TestStates(t *testing.T) {
	const rust = "/// One.\n#[no_mangle]\nextern \"C\" fn check_one() {}\n#[no_mangle]\npub unsafe extern \"C\" fn check_two() {}\n"
	const c = "/* One,\n * and **more**. */\nvoid check_one(void) { }\n/* Of nothing. */\nint x;\nstatic int check_helper(int n);\n/** Two. */\nextern int\ncheck_two()\n{\n}\n"
	for src, want := range map[string]map[string]string{
		rust: {"check_one": "One.", "check_two": ""},
		c:    {"check_one": "One,\nand **more**.", "check_two": "Two."},
	} {
		if d := cmp.Diff(want, job.States([]byte(src))); d != "" {
			t.Errorf("%s (-want +got):\n%s", src, d)
		}
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
