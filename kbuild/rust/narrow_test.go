package rust_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/kbuild/rust"
)

const narrowed = `// SPDX-License-Identifier: GPL-2.0

mod kvfarm;

use kernel::alloc::KVec;

/// What it states,
/// in two lines.
#[no_mangle]
pub extern "C" fn check_pop() {
    let mut v = KVec::new();
    if v.pop().is_some() {
        panic!();
    }
}

/// Helps others.
fn help() -> usize {
    1
}

/// Another.
#[no_mangle]
pub extern "C" fn check_len() {
    check_eq!(KVec::<u8>::new().len(), help() - 1);
}
`

func fault(place string) string {
	return "error[E0599]: no method named `pop` found for struct `Vec<u16, Kmalloc>` in the current scope\n  --> kvfarm/checks/" + place +
		"\n   |\nLL |     if v.pop().is_some() {\n   |          ^^^\n   |\nnote: there is another\n   --> kvfarm/checks/kvec/lib.rs:25:1\n\n" +
		"error: aborting due to 1 previous error\n\nFor more information about this error, try `rustc --explain E0599`.\n"
}

func TestNarrow(t *testing.T) {
	const text = "no method named `pop` found for struct `Vec<u16, Kmalloc>`"
	without := strings.Replace(narrowed, narrowed[strings.Index(narrowed, "/// What"):strings.Index(narrowed, "\n/// Helps")], strings.Repeat("\n", 9), 1)
	tests := []struct {
		name   string
		stderr string
		rest   string
		lacks  []rust.Lack
	}{
		{"in a check", fault("kvec/lib.rs:12:10"), without, []rust.Lack{{"check_pop", text + " (line 12)"}}},
		{"in the comment of one", fault("kvec/lib.rs:7:1"), without, []rust.Lack{{"check_pop", text + " (line 7)"}}},
		{"in all", fault("kvec/lib.rs:15:1") + fault("kvec/lib.rs:25:5"), "", []rust.Lack{{"check_pop", text + " (line 15)"}, {"check_len", text + " (line 25)"}}},
		{"in an import", fault("kvec/lib.rs:5:5"), "", []rust.Lack{{"check_pop", text + " (line 5)"}, {"check_len", text + " (line 5)"}}},
		{"in a helper", fault("kvec/lib.rs:19:1"), "", []rust.Lack{{"check_pop", text + " (line 19)"}, {"check_len", text + " (line 19)"}}},
		{"in the library", fault("kvec/kvfarm.rs:12:1"), "", []rust.Lack{{"check_pop", text + " (line 12)"}, {"check_len", text + " (line 12)"}}},
		{"in another crate", fault("other/lib.rs:12:1"), narrowed, nil},
		{"no error of the source's", "Killed\n", narrowed, nil},
	}
	for _, tt := range tests {
		rest, lacks := rust.Narrow("kvec", []byte(narrowed), tt.stderr)
		if d := cmp.Diff(tt.rest, string(rest)); d != "" {
			t.Errorf("%s: what remains (-want +got):\n%s", tt.name, d)
		}
		if d := cmp.Diff(tt.lacks, lacks); d != "" {
			t.Errorf("%s: lacks (-want +got):\n%s", tt.name, d)
		}
	}
}

// Every check that is shipped is found with its end: an error in it leaves it out alone.
func TestNarrowShipped(t *testing.T) {
	crates, err := rust.Checks()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range crates {
		src := string(c.Files["lib.rs"])
		want := strings.Count(src, "#[no_mangle]\npub extern \"C\" fn check_")
		rest, lacks := rust.Narrow(c.Name, []byte(src), "error: x\n --> kvfarm/checks/"+c.Name+"/kvfarm.rs:1:1\n")
		if rest != nil || len(lacks) != want {
			t.Errorf("%s: %d checks are found, want %d", c.Name, len(lacks), want)
		}
	}
}
