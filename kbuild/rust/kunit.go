package rust

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// KUnit makes tests of the kernel's own out of written checks: a source file
// to be put into a tree, that runs the checks as they stand.
type KUnit struct {
	Crate  string   // name of the crate of checks: that of the suite, unless it is of a witness
	Source []byte   // the file of checks
	Checks []string // which of them
	Runs   int      // cases of each check, with inputs by chance, if there is no witness
	Seed   uint64   // that all chance comes from
	Inputs []Input  // of a witness: one case, with these
	Once   bool     // Inputs are a witness's, though there be none
}

// MaxCases bounds the cases of one suite: each is a function.
const MaxCases = 10_000

//go:embed kunit/sys.rs
var kunitSys []byte

var (
	moduleLine = regexp.MustCompile(`(?m)^mod kvfarm;$`)
	crateAttr  = regexp.MustCompile(`(?m)^#!\[cfg\((.*)\)\]$`)
	exported   = regexp.MustCompile(`#\[no_mangle\]\s*(?:pub )?(?:unsafe )?extern "C" fn (\w+)`)
	noMangle   = regexp.MustCompile(`(?m)^#\[no_mangle\]\n`)
	sysModule  = regexp.MustCompile(`(?s)/// The symbols that whatever runs a check supplies\.\npub mod sys \{.*?\n\}\n`)
)

var errModel = errors.New("a model of the kernel's C, which a kernel has already; such checks are no KUnit tests")

// File returns the source file. Errors: a check that the crate does not have, one that
// brings models of C, a witness of more than the check's own inputs.
func (k *KUnit) File() ([]byte, error) {
	cases, err := k.cases()
	if err != nil {
		return nil, err
	}
	witness, err := k.witness()
	if err != nil {
		return nil, err
	}
	if !moduleLine.Match(k.Source) {
		return nil, fmt.Errorf("%s: a file of checks says `mod kvfarm;`", k.Crate)
	}
	cfg := `CONFIG_KUNIT = "y"`
	if m := crateAttr.FindSubmatch(k.Source); m != nil {
		cfg = fmt.Sprintf("all(%s, %s)", cfg, m[1])
	}
	var b strings.Builder
	fmt.Fprintf(&b, kunitHead, k.Crate, k.Seed, witness)
	fmt.Fprintf(&b, "#[cfg(%s)]\nmod kvfarm {\n%s}\n\n", cfg, kunitModule())
	// A kernel may hold several suites of one file: their functions are no symbols.
	source := noMangle.ReplaceAllLiteral(moduleLine.ReplaceAllLiteral(k.Source, []byte("use crate::kvfarm;")), nil)
	fmt.Fprintf(&b, "#[cfg(%s)]\nmod checks {\n%s}\n\n", cfg, source)
	fmt.Fprintf(&b, "#[cfg(%s)]\n#[kernel::macros::kunit_tests(kvfarm_%s)]\nmod tests {\n%s}\n", cfg, k.suite(), cases)
	return []byte(b.String()), nil
}

const kunitHead = `// SPDX-License-Identifier: GPL-2.0

//! Written checks of %s as KUnit tests, made by kvfarm kunit.
//!
//! In the Makefile beside it: obj-$(CONFIG_KUNIT) += and its name, with .o for .rs.

#![allow(dead_code, missing_docs, unreachable_pub, unused_imports, clippy::all)]

/// What all chance comes from.
const SEED: u64 = %d;

/// The width and value of every input, if they are given.
const WITNESS: Option<&[(u32, u128)]> = %s;

`

// kunitModule is the check library with another module sys, which asks for a value again if it is not in its range.
func kunitModule() []byte {
	m := sysModule.ReplaceAllLiteral(Module, kunitSys)
	for _, r := range [][2]string{
		{"    let v = T::any();\n    assume(lo <= v && v <= hi);\n    v\n",
			"    for _ in 0..sys::TRIES {\n        let v = T::any();\n        if lo <= v && v <= hi {\n            return v;\n        }\n    }\n    sys::skip()\n"},
		{"len: any() };\n        assume(b.len <= N);\n", "len: any_in(0, N) };\n"},
	} {
		m = bytes.Replace(m, []byte(r[0]), []byte(r[1]), 1)
	}
	return m
}

// suite is the name of the suite after kvfarm_: of witnesses there may be many of one crate.
func (k *KUnit) suite() string {
	if k.Once {
		return strings.TrimPrefix(k.Checks[0], "check_")
	}
	return k.Crate
}

// cases are the functions of the tests.
func (k *KUnit) cases() (string, error) {
	if m := models(k.Source); len(m) > 0 {
		return "", fmt.Errorf("%s takes in %s: %w", k.Crate, m[0], errModel)
	}
	var known []string
	for _, m := range exported.FindAllSubmatch(k.Source, -1) {
		name := string(m[1])
		if !strings.HasPrefix(name, "check_") {
			return "", fmt.Errorf("%s defines %s: %w", k.Crate, name, errModel)
		}
		known = append(known, name)
	}
	runs := k.Runs
	if k.Once {
		runs = 1
	}
	if n := runs * len(k.Checks); runs < 1 || n > MaxCases {
		return "", fmt.Errorf("%d runs of %d checks: want at least one, and at most %d together", runs, len(k.Checks), MaxCases)
	}
	var b bytes.Buffer
	for _, check := range k.Checks {
		if !slices.Contains(known, check) {
			return "", fmt.Errorf("%s has no check %s; it has %s", k.Crate, check, strings.Join(known, ", "))
		}
		for i := 1; i <= runs; i++ {
			fmt.Fprintf(&b, "    #[test]\n    fn %s_%d() {\n        crate::kvfarm::sys::run(%d, crate::checks::%s);\n    }\n\n", check, i, i, check)
		}
	}
	return b.String(), nil
}

// witness is k.Inputs as Rust has it.
func (k *KUnit) witness() (string, error) {
	if !k.Once {
		return "None", nil
	}
	var list []string
	for _, in := range k.Inputs {
		switch kind, _, _ := strings.Cut(in.Name, "#"); {
		case kind == "any":
			list = append(list, fmt.Sprintf("(%d, %s)", in.Bits, in.Value))
		case kind == "fail" && in.Value == "0": // an allocation succeeds, as it does
		default:
			return "", fmt.Errorf("the witness wants %s = %s, which is not the check's own input: a kernel cannot be told to do that", in.Name, in.Value)
		}
	}
	return "Some(&[" + strings.Join(list, ", ") + "])", nil
}
