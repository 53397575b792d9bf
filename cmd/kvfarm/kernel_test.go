package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// rig is a real kernel tree, the three programs, and a state folder. The state
// is the user's own, so that what was compiled once is not compiled again.
type rig struct {
	t     *testing.T
	bin   string
	tree  string
	state string   // "" is the user's
	flags []string // more, of submit
	log   string   // what the last submit said
}

// need skips, or fails where everything is expected to be there.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("KVFARM_CI") != "" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

// newRig copies the newest 7.2 kernel, by hard links: edit replaces files.
func newRig(t *testing.T, pkg string) *rig {
	t.Helper()
	bin, err := filepath.Abs("../../bin/kvfarm")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"kvfarm", "kvlower", "kvengine"} {
		_, err := os.Stat(filepath.Join(filepath.Dir(bin), tool))
		need(t, "make build has not been run", err)
	}
	_, err = findToolchain()
	need(t, "no toolchain", err)
	source, err := exec.Command(bin, "toolchain", "source", pkg).Output()
	if err != nil && strings.Contains(string(stderrOf(err)), "no such version") {
		t.Skipf("%s is no longer to be had", pkg) // mirrors drop old versions: no fault of ours
	}
	need(t, "kernel sources", err)
	r := &rig{t: t, bin: bin, tree: filepath.Join(t.TempDir(), "linux")}
	r.copyTree(strings.TrimSpace(string(source)))
	return r
}

func stderrOf(err error) []byte {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}

func (r *rig) copyTree(from string) {
	r.t.Helper()
	out, err := exec.Command("cp", "-al", from, r.tree).CombinedOutput()
	if err != nil { // another file system
		out, err = exec.Command("cp", "-a", from, r.tree).CombinedOutput()
	}
	if err != nil {
		r.t.Fatalf("copy %s: %v: %s", from, err, out)
	}
}

// edit replaces old, which must occur, by new in a file of the tree.
func (r *rig) edit(file, old, new string) {
	r.t.Helper()
	name := filepath.Join(r.tree, file)
	b, err := os.ReadFile(name)
	if err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		r.t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.Remove(name); err != nil { // the file is shared by a hard link
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(b, []byte(old), []byte(new), 1), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// command is a submit whose report goes to dir.
func (r *rig) command(dir string, targets ...string) *exec.Cmd {
	args := []string{"submit", "--tree", r.tree, "--report", dir}
	if r.state != "" {
		args = append(args, "--state", r.state)
	}
	return exec.Command(r.bin, slices.Concat(args, r.flags, targets)...)
}

// submit returns the report and the exit status.
func (r *rig) submit(targets ...string) (*pb.Report, int) {
	r.t.Helper()
	dir := r.t.TempDir()
	cmd := r.command(dir, targets...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Run()
	r.log = out.String()
	code := cmd.ProcessState.ExitCode()
	rep, err := report.Read(filepath.Join(dir, "report.json"))
	if err != nil {
		r.t.Fatalf("submit %v: status %d: %v\n%s", targets, code, err, r.log)
	}
	return rep, code
}

// wantPlanned wants the last submit to have planned n actions and done them all.
func (r *rig) wantPlanned(n int) {
	r.t.Helper()
	for _, want := range []string{fmt.Sprintf("planned: %d actions\n", n), fmt.Sprintf("[%d/%d] ", n, n)} {
		if !strings.Contains(r.log, want) {
			r.t.Errorf("the submit did not say %q:\n%s", want, r.log)
		}
	}
}

// ran lists the actions that were executed, "kind name" each.
func ran(r *pb.Report) []string {
	var names []string
	for _, a := range r.Actions {
		if !a.Cached {
			names = append(names, a.Kind+" "+a.Name)
		}
	}
	slices.Sort(names)
	return names
}

func root(t *testing.T, r *pb.Report, name string) *pb.Root {
	t.Helper()
	for _, x := range r.Roots {
		if x.Name == name || strings.HasSuffix(x.Name, "::"+name) {
			return x
		}
	}
	t.Fatalf("the report has no root %s", name)
	return nil
}

func wantVerdict(t *testing.T, r *pb.Report, name string, want pb.Verdict) {
	t.Helper()
	if got := root(t, r, name); got.Verdict != want {
		t.Errorf("%s: %v (%s), want %v", name, got.Verdict, got.Reason, want)
	}
}

// wantAllChecks wants nothing left out: of this kernel the checks are.
func wantAllChecks(t *testing.T, r *pb.Report) {
	t.Helper()
	if len(r.Lacks) > 0 {
		t.Errorf("checks do not compile: %v", r.Lacks)
	}
}

const newest = "linux-source-7.2"

// The way of a developer: submit, submit again, comment, edit, move the tree.
func TestKernelReuse(t *testing.T) {
	r := newRig(t, newest)
	targets := []string{"rust/kernel/time.rs", "drivers/gpu/drm/drm_panic_qr.rs"}
	first, code := r.submit(targets...)
	if code == report.ExitFailed {
		t.Fatalf("errors: %q", first.Errors)
	}
	wantAllChecks(t, first)
	wantVerdict(t, first, "check_delta_sign", pb.Verdict_PROVED)
	again, _ := r.submit(targets...)
	if got := ran(again); len(got) > 0 {
		t.Errorf("a second submit ran %q", got)
	}

	driver := "drivers/gpu/drm/drm_panic_qr.rs"
	r.edit(driver, "//! ", "// A comment.\n//! ")
	before := filepath.Join(t.TempDir(), report.File)
	if text, err := report.JSON(first); err != nil || os.WriteFile(before, text, 0o644) != nil {
		t.Fatalf("keep the report: %v", err)
	}
	r.flags = []string{"--against", before}
	commented, code := r.submit(targets...)
	r.flags = nil
	if code != report.ExitDecided || !strings.Contains(r.log, "0 fail that did not, 0 undecided that were not, 0 better, 0 gone") {
		t.Errorf("a comment makes something worse: status %d\n%s", code, r.log)
	}
	for _, a := range ran(commented) {
		if !strings.Contains(a, "drm_panic_qr") || strings.HasPrefix(a, "prove ") {
			t.Errorf("a comment in a driver ran %q", a)
		}
	}

	moved := filepath.Join(t.TempDir(), "elsewhere", "tree")
	if err := os.MkdirAll(filepath.Dir(moved), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(r.tree, moved); err != nil {
		t.Skipf("move the tree: %v", err)
	}
	r.tree = moved
	elsewhere, _ := r.submit(targets...)
	if got := ran(elsewhere); len(got) > 0 {
		t.Errorf("the same tree at another path ran %q", got)
	}
}

// A known overflow, with the input that shows it; an edit of its function
// proves that function again and no other.
func TestKernelOverflow(t *testing.T) {
	r := newRig(t, newest)
	driver := "drivers/gpu/drm/drm_panic_qr.rs"
	before, code := r.submit(driver)
	if code != report.ExitRefuted {
		t.Errorf("status %d, want %d", code, report.ExitRefuted)
	}
	wantVerdict(t, before, "drm_panic_qr_max_data_size", pb.Verdict_REFUTED)
	if !slices.ContainsFunc(before.Sites, overflowOfURL) {
		t.Errorf("no site is refuted with url_len > usize::MAX - 5")
	}
	// No earlier run of this test has left a proof of just this function.
	r.edit(driver, "url_len + 5", fmt.Sprintf("url_len.saturating_add(%d)", time.Now().UnixNano()))
	after, _ := r.submit(driver)
	if slices.ContainsFunc(after.Sites, overflowOfURL) {
		t.Errorf("the overflow is still there after it was mended")
	}
	if got := ran(after); !slices.ContainsFunc(got, func(a string) bool { return a == "prove drm_panic_qr_max_data_size" }) {
		t.Errorf("the edited root was not proved again: %q", got)
	}
	r.wantWhy("drm_panic_qr_max_data_size", before, after, "changed function drm_panic_qr_max_data_size\n@@", "llvm.uadd.sat")
	for _, a := range ran(after) {
		if strings.HasPrefix(a, "prove ") && a != "prove drm_panic_qr_max_data_size" {
			t.Errorf("an edit of one function ran %q", a)
		}
	}
}

// wantWhy wants `kvfarm why` to say all of words on two reports.
func (r *rig) wantWhy(root string, before, after *pb.Report, words ...string) {
	r.t.Helper()
	old, now := r.t.TempDir(), r.t.TempDir()
	if err := errors.Join(report.Write(old, before), report.Write(now, after)); err != nil {
		r.t.Fatal(err)
	}
	out, err := exec.Command(r.bin, "why", "--report", now, "--against", old, root).CombinedOutput()
	if err != nil {
		r.t.Errorf("why: %v", err)
	}
	for _, w := range words {
		if !strings.Contains(string(out), w) {
			r.t.Errorf("why does not say %q:\n%s", w, out)
		}
	}
}

func overflowOfURL(s *pb.Site) bool {
	return s.Verdict == pb.Verdict_REFUTED && s.Kind == "add_overflow" && s.Replay != "" && s.Witness != "" &&
		slices.ContainsFunc(s.Values, func(v string) bool {
			var n uint64
			_, err := fmt.Sscanf(v, "url_len = %d", &n)
			return err == nil && n > ^uint64(0)-5
		})
}

// A bound that is dropped or loosened turns a proof into a failure.
func TestKernelMutations(t *testing.T) {
	driver, name := "drivers/gpu/drm/drm_panic_qr.rs", "drm_panic_qr_max_data_size"
	r := newRig(t, newest)
	before, _ := r.submit(driver)
	if got := refutedKinds(before, name); !slices.Equal(got, []string{"add_overflow"}) {
		t.Fatalf("%s fails by %q before any edit", name, got)
	}
	tests := []struct{ old, new, want string }{
		{"version < 1 || version > 40", "version > 40", "sub_overflow"},
		{"version < 1 || version > 40", "version < 1 || version > 41", "bounds"},
		{"url_len + 5 >= max_data", "url_len + 5 >= max_data + 5", "sub_overflow"},
	}
	for _, tt := range tests {
		r.edit(driver, tt.old, tt.new)
		after, _ := r.submit(driver)
		if got := refutedKinds(after, name); !slices.Contains(got, tt.want) {
			t.Errorf("%q for %q: %s fails by %q, want %s too", tt.new, tt.old, name, got, tt.want)
		}
		r.edit(driver, tt.new, tt.old)
	}
}

// refutedKinds lists the kinds of the sites that fail and that root reaches.
func refutedKinds(r *pb.Report, root string) []string {
	var kinds []string
	for _, s := range r.Sites {
		if s.Verdict == pb.Verdict_REFUTED && slices.Contains(s.Roots, root) {
			kinds = append(kinds, s.Kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Rounding towards zero, a bug that as_micros_ceil once had, is found.
func TestKernelRounding(t *testing.T) {
	r := newRig(t, newest)
	check := "check_delta_as_micros_ceil"
	good, _ := r.submit(check)
	wantVerdict(t, good, check, pb.Verdict_PROVED)
	r.edit("rust/kernel/time.rs", "if n > 0 { (n - 1, 1) } else { (n, 0) }", "(n, 0)")
	bad, code := r.submit(check)
	wantVerdict(t, bad, check, pb.Verdict_REFUTED)
	if code != report.ExitRefuted {
		t.Errorf("status %d, want %d", code, report.ExitRefuted)
	}
	for _, s := range bad.Sites {
		if s.Verdict == pb.Verdict_REFUTED && s.Replay != "interpreter, native" {
			t.Errorf("%s:%d was replayed by %q only", s.File, s.Line, s.Replay)
		}
	}
}

// A status accessor of phy.rs is right, and wrong as 7.2.6 has it: there it
// reads the bit next to the one that the header names.
func TestKernelPhy(t *testing.T) {
	r := newRig(t, newest)
	check := "check_phy_is_link_up"
	good, _ := r.submit("rust/kernel/net/phy.rs")
	wantVerdict(t, good, check, pb.Verdict_PROVED)
	r.edit("rust/kernel/net/phy.rs", "bindings::phy_device::link_raw(phydev)", "(*phydev)._bitfield_1.get(13, 1)")
	bad, _ := r.submit(check)
	wantVerdict(t, bad, check, pb.Verdict_REFUTED)
}

// What stands in the way of a submit is told with file and line, or by name.
func TestKernelBadInput(t *testing.T) {
	r := newRig(t, newest)
	broken := filepath.Join(t.TempDir(), "mine.rs")
	if err := os.WriteFile(broken, []byte("mod kvfarm;\n#[no_mangle]\npub extern \"C\" fn check_mine() { let x: u8 = \"\"; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "no-rust.config")
	if err := os.WriteFile(config, []byte("CONFIG_RUST=n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, want string
		args       []string
	}{
		{"unknown target", "did you mean drivers/gpu/drm/drm_panic_qr.rs?", []string{"gpu/drm_panic_qr.rs"}},
		{"broken check", "kvfarm/checks/mine/lib.rs:3:", []string{"--checks", broken, "check_mine"}},
		{"Rust off", "CONFIG_RUST", []string{"--config", config}},
		{"wrong endpoint", "127.0.0.1:1", []string{"--remote_executor", "grpc://127.0.0.1:1", "--remote_retries", "0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"submit", "--tree", r.tree, "--report", t.TempDir()}, tt.args...)
			out, err := exec.Command(r.bin, args...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != report.ExitFailed || !strings.Contains(string(out), tt.want) {
				t.Errorf("kvfarm %v: %v, want status %d and %q:\n%s", args, err, report.ExitFailed, tt.want, out)
			}
		})
	}
}
