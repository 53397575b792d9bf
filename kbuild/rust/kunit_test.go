package rust_test

import (
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/kbuild/rust"
)

const kunitCheck = `#![cfg(CONFIG_NET)]
//! Statements.

mod kvfarm;

/// It holds.
#[no_mangle]
pub extern "C" fn check_a() {}
`

// What the kernel's compiler says of a suite is in cmd/kvfarm/kunit_test.go.
func TestKUnit(t *testing.T) {
	a := []string{"check_a"}
	tests := []struct {
		name        string
		suite       rust.KUnit
		want, avoid []string
		err         string
	}{
		{name: "by chance", suite: rust.KUnit{Checks: a, Runs: 2, Seed: 7},
			want: []string{"const SEED: u64 = 7;", "Option<&[(u32, u128)]> = None;", "fn check_a_1() {", "fn check_a_2() {", "kunit_tests(kvfarm_mine)",
				"use crate::kvfarm;", `#[cfg(all(CONFIG_KUNIT = "y", CONFIG_NET))]`, `pub extern "C" fn check_a() {}`, "pub fn any<T: Any>() -> T {", "for _ in 0..sys::TRIES {", "len: any_in(0, N) };"},
			avoid: []string{"assume(lo <= v && v <= hi);", "assume(b.len <= N);", "fn check_a_3(", "\nmod kvfarm;", "\n#[no_mangle]", "pub fn kvfarm_any_bool() -> bool;"}},
		{name: "witness", suite: rust.KUnit{Checks: a, Runs: 9, Once: true, Inputs: []rust.Input{{Name: "any#0", Bits: 8, Value: "7"}, {Name: "fail#1", Bits: 1, Value: "0"}, {Name: "any#2", Bits: 128, Value: "340282366920938463463374607431768211455"}}},
			want: []string{"= Some(&[(8, 7), (128, 340282366920938463463374607431768211455)]);", "fn check_a_1() {", "kunit_tests(kvfarm_a)"}, avoid: []string{"fn check_a_2("}},
		{name: "witness without inputs", suite: rust.KUnit{Checks: a, Once: true}, want: []string{"= Some(&[]);"}},
		{name: "allocation that fails", suite: rust.KUnit{Checks: a, Once: true, Inputs: []rust.Input{{Name: "fail#0", Bits: 1, Value: "1"}}}, err: "fail#0 = 1, which is not the check's own"},
		{name: "no such check", suite: rust.KUnit{Checks: []string{"check_b"}, Runs: 1}, err: "no check check_b; it has check_a"},
		{name: "no runs", suite: rust.KUnit{Checks: a}, err: "0 runs of 1 checks"},
		{name: "too many", suite: rust.KUnit{Checks: a, Runs: rust.MaxCases + 1}, err: "at most 10000"},
		{name: "model", suite: rust.KUnit{Source: []byte(kunitCheck + "#[no_mangle]\npub unsafe extern \"C\" fn rb_erase() {}\n"), Checks: a, Runs: 1},
			err: "defines rb_erase: a model of the kernel's C"},
		{name: "model in a module", suite: rust.KUnit{Source: []byte(kunitCheck + "mod tree {\n    #[no_mangle]\n    unsafe extern \"C\" fn rb_next() {}\n}\n"), Checks: a, Runs: 1},
			err: "defines rb_next: a model of the kernel's C"},
		{name: "shared model", suite: rust.KUnit{Source: []byte("mod refcount;\n" + kunitCheck), Checks: a, Runs: 1},
			err: "takes in refcount: a model of the kernel's C"},
		{name: "no library", suite: rust.KUnit{Source: []byte("#[no_mangle]\npub extern \"C\" fn check_a() {}\n"), Checks: a, Runs: 1}, err: "says `mod kvfarm;`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.suite.Crate = "mine"
			if tt.suite.Source == nil {
				tt.suite.Source = []byte(kunitCheck)
			}
			b, err := tt.suite.File()
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error = %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(b), want) {
					t.Errorf("it lacks %q:\n%s", want, b)
				}
			}
			for _, avoid := range tt.avoid {
				if strings.Contains(string(b), avoid) {
					t.Errorf("it has %q", avoid)
				}
			}
		})
	}
}
