package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// minimal is the sample whose place testdata/commits/base.rs takes.
const minimal = "samples/rust/rust_minimal.rs"

// commit is one change of a tree, and what has to run again for it.
type commit struct {
	name   string
	edits  []edit
	crates []string // that rustc compiles again
	proofs []string
	words  map[string]pb.Verdict // that roots come to, if it changes what the code does
	// slow ones configure, plan, or compile the kernel crate: they run for
	// `make bench-reuse` only.
	slow bool
}

// edit replaces old, which must occur, by new; @RUN@ in it is this run's number.
// A file that new alone is given for is made.
type edit struct{ file, old, new string }

var (
	sample  = []string{"samples/rust/rust_minimal"}
	library = []string{"kernel", "samples/rust/rust_minimal"}
	proved  = pb.Verdict_PROVED
)

const third = "/// Two thirds of a number.\n"

var commits = []commit{
	{name: "comment", crates: sample, edits: []edit{{minimal, "//! What", "// A comment,\n// of two lines.\n\n//! What"}}},
	{name: "doc comment", crates: sample, edits: []edit{{minimal, "/// Time in", "/// Spans of time in"}}},
	{name: "rename of a local", crates: sample, edits: []edit{{minimal, "let at = clamp(n ^ RUN as usize);\n    TABLE[at]", "let i = clamp(n ^ RUN as usize);\n    TABLE[i]"}}},
	{name: "rename of a parameter", crates: sample, edits: []edit{{minimal, "commits_millis(nanos: i64) -> i64 {\n    kernel::time::Delta::from_nanos(nanos", "commits_millis(span: i64) -> i64 {\n    kernel::time::Delta::from_nanos(span"}}},
	{name: "rename of a private function", crates: sample, edits: []edit{{minimal, "fn clamp(", "fn within("}, {minimal, "= clamp(", "= within("}}},
	{name: "reorder of functions", crates: sample, edits: []edit{
		{minimal, third, "/// Unlike the others: false.\n#[cfg(any())]\nfn none() {}\n\n" + third},
		{minimal, "#[inline(never)]\nfn clamp(n: usize) -> usize {\n    if n < LIMIT {\n        n\n    } else {\n        LIMIT - 1\n    }\n}\n", ""},
		{minimal, "/// Time in", "#[inline(never)]\nfn clamp(n: usize) -> usize {\n    if n < LIMIT {\n        n\n    } else {\n        LIMIT - 1\n    }\n}\n\n/// Time in"},
	}},
	{name: "new function", crates: sample, proofs: []string{"commits_new"}, edits: []edit{
		{minimal, third, "/// The next number.\n#[no_mangle]\npub extern \"C\" fn commits_new(n: u32) -> u32 {\n    n.wrapping_add(RUN)\n}\n\n" + third}}},
	{name: "private function made public in the crate", crates: sample, edits: []edit{{minimal, "fn clamp(", "pub(crate) fn clamp("}}},
	{name: "clippy attribute", crates: sample, edits: []edit{{minimal, "#[inline(never)]", "#[allow(clippy::manual_clamp)]\n#[inline(never)]"}}},
	{name: "format string", crates: sample, edits: []edit{{minimal, "commits @RUN@", "other commits @RUN@"}},
		proofs: []string{"<rust_minimal::Commits as kernel::Module>::init", "__rust_minimal_init"}},
	{name: "panic message", crates: sample, edits: []edit{{minimal, "more than the whole", "more than all of it"}}, proofs: []string{"commits_third"}},
	{name: "changed constant", crates: sample, edits: []edit{{minimal, "LIMIT: usize = 8", "LIMIT: usize = 7"}},
		proofs: []string{"commits_lookup"}, words: map[string]pb.Verdict{"commits_lookup": proved}},
	{name: "changed table", crates: sample, edits: []edit{{minimal, "13, 17]", "13, 19]"}},
		proofs: []string{"commits_lookup"}, words: map[string]pb.Verdict{"commits_lookup": proved}},
	{name: "changed bound", crates: sample, edits: []edit{{minimal, "n < LIMIT", "n <= LIMIT"}},
		proofs: []string{"commits_lookup"}, words: map[string]pb.Verdict{"commits_lookup": pb.Verdict_REFUTED, "commits_third": proved}},
	{name: "check taken away", crates: sample, edits: []edit{{minimal, "/ 3;", "* 3;"}},
		proofs: []string{"commits_third"}, words: map[string]pb.Verdict{"commits_third": pb.Verdict_REFUTED, "commits_lookup": proved}},

	{name: "new option", slow: true, edits: []edit{{"samples/rust/Kconfig", "config SAMPLE_RUST_MINIMAL", "config SAMPLE_RUST_COMMITS\n\tbool \"Synthetic commits\"\n\nconfig SAMPLE_RUST_MINIMAL"}}},
	// One that is on becomes a constant of the bindings, as every macro that is a number does.
	{name: "new option that is on", slow: true, crates: []string{"bindings", "kernel", "samples/rust/rust_minimal", "uapi"},
		edits: []edit{{"samples/rust/Kconfig", "config SAMPLE_RUST_MINIMAL", "config SAMPLE_RUST_COMMITS_@RUN@\n\tbool \"Synthetic commits\"\n\tdefault y\n\nconfig SAMPLE_RUST_MINIMAL"}}},
	{name: "changed default of an option", slow: true, edits: []edit{{"init/Kconfig", "\tdefault 17\n", "\tdefault 18\n"}}},
	{name: "header that no binding uses", slow: true, edits: []edit{{"include/linux/mtd/mtd.h", "#ifndef", "#define COMMITS 1\n#ifndef"}}},
	{name: "comment in a header that bindings use", slow: true, edits: []edit{{"include/linux/list.h", "#ifndef", "/* A comment. */\n#ifndef"}}},
	// The header is one of those that uapi's bindings read, too.
	{name: "field at the end of a struct", slow: true, crates: []string{"bindings", "kernel", "samples/rust/rust_minimal", "uapi"},
		edits:  []edit{{"include/linux/types.h", "struct hlist_node *first;", "struct hlist_node *first;\n\tunsigned long commits_@RUN@;"}},
		proofs: []string{"commits_list"}, words: map[string]pb.Verdict{"commits_list": proved}},
	{name: "comment in the kernel crate", slow: true, crates: library, edits: []edit{{"rust/kernel/time.rs", "//! ", "// Comment @RUN@.\n\n//! "}}},
	{name: "constant of the kernel crate", slow: true, crates: library, edits: []edit{{"rust/kernel/time.rs", "NSEC_PER_MSEC: i64 = bindings::NSEC_PER_MSEC as i64", "NSEC_PER_MSEC: i64 = bindings::NSEC_PER_MSEC as i64 + @RUN@"}},
		proofs: []string{"commits_millis"}, words: map[string]pb.Verdict{"commits_millis": proved}},
	{name: "moved file", slow: true, crates: []string{"samples/rust/rust_moved"}, edits: []edit{
		{"samples/rust/Makefile", "rust_minimal.o", "rust_moved.o"}, {"samples/rust/rust_moved.rs", "", "@BASE@"}}},
}

// Each commit compiles again what it touches, and proves again what it can reach
// and no more: both sets are listed above, and must be what ran. KVFARM_STATE is
// the state folder, if it is not the user's.
func TestKernelCommits(t *testing.T) {
	all := os.Getenv("KVFARM_COMMITS") == "all"
	r := newRig(t, newest)
	r.state = os.Getenv("KVFARM_STATE")
	base := r.base()
	first, code := r.submit(minimal)
	if code != report.ExitDecided {
		t.Fatalf("the base: status %d: %q\n%s", code, first.Errors, r.log)
	}
	for _, c := range commits {
		if c.slow && !all {
			continue
		}
		t.Run(c.name, func(t *testing.T) { r.try(t, c, base) })
	}
	if again, _ := r.submit(minimal); len(ran(again)) > 0 {
		t.Errorf("the base once more ran %q", ran(again))
	}
}

// base puts base.rs into the tree and returns it.
func (r *rig) base() string {
	r.t.Helper()
	b, err := os.ReadFile("testdata/commits/base.rs")
	if err != nil {
		r.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "@RUN@", fmt.Sprint(time.Now().UnixNano()%1_000_000_000))
	r.write(minimal, text)
	return text
}

// write replaces a file of the tree; "" removes it.
func (r *rig) write(file, text string) {
	r.t.Helper()
	name := filepath.Join(r.tree, file)
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) { // it may be shared by a hard link
		r.t.Fatal(err)
	}
	if text == "" {
		return
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// read returns a file of the tree, "" if there is none.
func (r *rig) read(file string) string {
	b, err := os.ReadFile(filepath.Join(r.tree, file))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(b)
}

// apply makes the edits of c, and returns what takes them back.
func (r *rig) apply(c commit, base string) (undo func()) {
	run := base[strings.Index(base, "RUN: u32 = ")+len("RUN: u32 = "):]
	run = run[:strings.Index(run, ";")]
	before := map[string]string{}
	for _, e := range c.edits {
		text := r.read(e.file)
		if _, ok := before[e.file]; !ok {
			before[e.file] = text
		}
		old, new := strings.ReplaceAll(e.old, "@RUN@", run), strings.ReplaceAll(strings.ReplaceAll(e.new, "@BASE@", base), "@RUN@", run)
		if !strings.Contains(text, old) {
			r.t.Fatalf("%s: %s does not contain %q", c.name, e.file, old)
		}
		r.write(e.file, strings.Replace(text, old, new, 1))
	}
	return func() {
		for file, text := range before {
			r.write(file, text)
		}
	}
}

// try submits c and compares what ran, and what came out.
func (r *rig) try(t *testing.T, c commit, base string) {
	defer r.apply(c, base)()
	target := minimal
	if len(c.crates) == 1 {
		target = c.crates[0] + ".rs"
	}
	got, code := r.submit(target)
	if code == report.ExitFailed {
		t.Fatalf("errors: %q", got.Errors)
	}
	if d := cmp.Diff(sorted(c.crates), ofKind(got, "rustc")); d != "" {
		t.Errorf("crates that were compiled (-want +got):\n%s", d)
	}
	if d := cmp.Diff(sorted(c.proofs), ofKind(got, "prove")); d != "" {
		t.Errorf("proofs that ran (-want +got):\n%s", d)
	}
	for name, want := range c.words {
		wantVerdict(t, got, name, want)
	}
	if c.words != nil {
		if d := cmp.Diff(words(r.uncached(t, target)), words(got)); d != "" {
			t.Errorf("verdicts (-without cache +with):\n%s", d)
		}
	}
	t.Logf("%s: %d crates, %d proofs of %d, %.1f s CPU", c.name, len(ofKind(got, "rustc")), len(ofKind(got, "prove")), len(got.Roots), got.Totals.CpuSeconds)
}

// uncached is a submit that cuts every slice and proves every root anew, from
// the bitcode that was shown to be compiled anew.
func (r *rig) uncached(t *testing.T, target string) *pb.Report {
	dir := t.TempDir()
	cmd := exec.Command(r.bin, append(r.command(dir).Args[1:], "--no_cache=lower,prove", target)...)
	out, _ := cmd.CombinedOutput() // the status is the verdicts'
	rep, err := report.Read(filepath.Join(dir, report.File))
	if err != nil {
		t.Fatalf("submit --no_cache: %v\n%s", err, out)
	}
	return rep
}

// words lists what roots and sites came to.
func words(r *pb.Report) map[string]string {
	out := map[string]string{}
	for _, x := range r.Roots {
		out[x.Name] = x.Verdict.String()
	}
	for _, s := range r.Sites {
		out[fmt.Sprintf("%s %s:%d:%d %s", s.Kind, s.File, s.Line, s.Column, s.Function)] = s.Verdict.String()
	}
	return out
}

// ofKind lists the names of the actions of one kind that ran, each once.
func ofKind(r *pb.Report, kind string) []string {
	names := []string{}
	for _, a := range ran(r) {
		if name, ok := strings.CutPrefix(a, kind+" "); ok {
			names = append(names, name)
		}
	}
	return slices.Compact(names)
}

func sorted(names []string) []string {
	out := append([]string{}, names...)
	slices.Sort(out)
	return out
}
