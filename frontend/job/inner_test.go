package job_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Inner roots are proved only where they can decide what others left open or proved up to a bound, and
// decide it only if none of them is missing. For the sake of a bound nothing is proved but them alone.
func TestInnerRoots(t *testing.T) {
	tests := []struct {
		roots, fail string
		ran         []string
		site        string
		status      int
	}{
		{"stuck in_ok in_other", "", []string{"lower a", "prove in_ok", "prove stuck"}, "PROVED [stuck in_ok]", report.ExitUndecided},
		{"stuck in_ok in_no", "in_ok", []string{"lower a", "prove in_no", "prove in_ok", "prove stuck"}, "UNKNOWN [stuck]", report.ExitFailed},
		{"stuck1234 in_deep12", "", []string{"lower a", "prove in_deep12", "prove in_deep12", "prove stuck1234"}, "PROVED [stuck1234 in_deep12]", report.ExitUndecided},
		{"stuck in_other", "", []string{"lower a", "prove stuck"}, "UNKNOWN [stuck]", report.ExitUndecided},
		{"own_x", "", []string{"lower a", "prove own_x", "prove own_x"}, "PROVED [own_x]", report.ExitUndecided},
		{"loop_ in_ok", "", []string{"lower a", "prove in_ok", "prove loop_"}, "PROVED [loop_ in_ok]", report.ExitDecided},
		{"loop_ in_ok in_no", "in_ok", []string{"lower a", "prove in_no", "prove in_ok", "prove loop_"}, "PROVED_UP_TO [loop_]", report.ExitFailed},
		{"loop_1234 in_deep12", "", []string{"lower a", "prove in_deep12", "prove loop_1234"}, "PROVED_UP_TO [loop_1234]", report.ExitDecided},
		{"bad_1 in_ok", "", []string{"lower a", "prove bad_1"}, "REFUTED [bad_1]", report.ExitRefuted},
	}
	for _, tt := range tests {
		k := &fakeKernel{crates: map[string]string{"drivers/a.rs": tt.roots}}
		got := submit(t, k, &fakeFarm{fail: tt.fail}, "drivers")
		if d := cmp.Diff(tt.ran, got.ran); d != "" {
			t.Errorf("%s: actions (-want +got):\n%s", tt.roots, d)
		}
		if got.err != nil || len(got.report.Sites) != 1 {
			t.Fatalf("%s: %v, sites %v", tt.roots, got.err, got.report.Sites)
		}
		s := got.report.Sites[0]
		if site := fmt.Sprintf("%v %v", s.Verdict, s.Roots); site != tt.site {
			t.Errorf("%s: %s, want %s", tt.roots, site, tt.site)
		}
		if status := report.ExitStatus(got.report); status != tt.status {
			t.Errorf("%s: status %d, want %d", tt.roots, status, tt.status)
		}
	}
}

// A root of core that its small budget did not decide is proved for every caller, too, with
// all that it calls. One of a driver had more the first time.
func TestRootsOfCore(t *testing.T) {
	for source, want := range map[string]string{"/usr/lib/core/a.rs": "3 PROVED", "drivers/a.rs": "2 UNKNOWN"} {
		got := submit(t, &fakeKernel{crates: map[string]string{source: "own_deep"}}, &fakeFarm{}, strings.TrimSuffix(source, "/a.rs"))
		if got.err != nil || len(got.report.Sites) != 1 {
			t.Fatalf("%s: %v, sites %v", source, got.err, got.report.Sites)
		}
		proofs := slices.DeleteFunc(slices.Clone(got.ran), func(a string) bool { return a != "prove own_deep" })
		if s := fmt.Sprint(len(proofs), " ", got.report.Sites[0].Verdict); s != want {
			t.Errorf("%s: %s, want %s", source, s, want)
		}
	}
}

// A function that can fail by itself is looked at in the calls of it, if all of them
// are known, until one leaves it open.
func TestCallers(t *testing.T) {
	for _, tt := range []struct {
		roots, refuted string
		contexts       int
		site           string
	}{
		{"stuck in_no calls_in_no calls_xin_no", "", 2, "PROVED [stuck calls_in_no calls_xin_no]"},
		{"stuck in_no calls_in_no calls_xin_no", "calls_in_no", 1, "UNKNOWN [stuck]"},
		{"stuck in_no calls_in_no calls_xin_no", "calls_xin_no", 2, "UNKNOWN [stuck]"},
		{"stuck in_no in_nn calls_in_no", "", 0, "UNKNOWN [stuck]"},
		{"stuck calls_in_ok", "", 0, "UNKNOWN [stuck]"},
	} {
		got := submit(t, &fakeKernel{crates: map[string]string{"drivers/a.rs": tt.roots}}, &fakeFarm{undecided: "in_n", refuted: tt.refuted}, "drivers")
		ran := slices.DeleteFunc(slices.Clone(got.ran), func(a string) bool { return !strings.HasPrefix(a, "context ") })
		if len(ran) != tt.contexts {
			t.Errorf("%s: ran %q, want %d contexts", tt.roots, ran, tt.contexts)
		}
		if got.err != nil || len(got.report.Sites) != 1 {
			t.Fatalf("%s: %v, sites %v", tt.roots, got.err, got.report.Sites)
		}
		s := got.report.Sites[0]
		if site := fmt.Sprintf("%v %v", s.Verdict, s.Roots); site != tt.site {
			t.Errorf("%s: %s, want %s", tt.roots, site, tt.site)
		}
	}
}

// Whether callers are looked at hangs on what all crates say of a check, not on which of them was faster.
func TestCallersComeLast(t *testing.T) {
	f := &fakeFarm{undecided: "in_n", slow: "bad_x"}
	got := submit(t, &fakeKernel{crates: map[string]string{"drivers/a.rs": "stuck in_no calls_in_no", "drivers/b.rs": "bad_x"}}, f, "drivers")
	if i := slices.IndexFunc(got.ran, func(a string) bool { return strings.HasPrefix(a, "context ") }); i >= 0 {
		t.Errorf("%s, though the check is refuted elsewhere", got.ran[i])
	}
	if len(got.report.Sites) != 1 || got.report.Totals.Refuted != 1 {
		t.Errorf("sites %v", got.report.Sites)
	}
}

// What an inner root alone shows to fail may have no caller: it is not told where callers cannot be tried.
func TestInnerFailureIsNobodys(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"drivers/a.rs": "stuck in_no"}}
	got := submit(t, k, &fakeFarm{refuted: "in_no"}, "drivers")
	failures := slices.DeleteFunc(got.events, func(e event.Event) bool { return e.Kind != event.Failed })
	if len(failures) > 0 || got.report.Totals.Refuted > 0 || got.report.Totals.Undecided != 1 {
		t.Errorf("failures %v, totals %v", failures, got.report.Totals)
	}
	dir := t.TempDir()
	if err := got.job.WriteWitnesses(context.Background(), dir, got.report); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("witnesses of an inner root: %v, %v", files, err)
	}
}

// What an inner root alone shows to fail is told, with its witness, once its callers were tried and one of them left it open.
func TestInnerFailureOnceCallersWereTried(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"drivers/a.rs": "stuck in_no calls_in_no"}}
	got := submit(t, k, &fakeFarm{refuted: "in_no", undecided: "calls_"}, "drivers")
	if got.err != nil || len(got.report.Sites) != 1 {
		t.Fatalf("%v, sites %v", got.err, got.report.Sites)
	}
	s := got.report.Sites[0]
	if !s.Inner || !s.Guarded || s.RefutedBy != "in_no" || s.Replay != "interpreter" || report.ExitStatus(got.report) != report.ExitUndecided {
		t.Errorf("site %v, status %d", s, report.ExitStatus(got.report))
	}
	if slices.ContainsFunc(got.events, func(e event.Event) bool { return e.Kind == event.Failed }) {
		t.Error("told as it came, before its callers were tried")
	}
	dir := t.TempDir()
	if err := got.job.WriteWitnesses(context.Background(), dir, got.report); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, s.Witness)); s.Witness == "" || err != nil {
		t.Errorf("witness %q: %v", s.Witness, err)
	}
}

// What an automatic root shows to fail alone, or as it calls another function, fails for others than its crate's
// functions, too: it is told, with its witness.
func TestFailureOfAutomaticRootAlone(t *testing.T) {
	for _, tt := range []struct{ roots, refuted, site string }{
		{"own_x", "own_x alone", "REFUTED [own_x]"},
		{"stuck in_no", "in_no alone", "UNKNOWN [stuck]"},
		{"stuck in_no gate_in_no", "gate_in_no alone", "REFUTED [stuck gate_in_no]"},
		{"stuck in_no calls_in_no", "calls_in_no alone", "UNKNOWN [stuck]"},
	} {
		got := submit(t, &fakeKernel{crates: map[string]string{"drivers/a.rs": tt.roots}}, &fakeFarm{undecided: "in_n", refuted: tt.refuted}, "drivers")
		if got.err != nil || len(got.report.Sites) != 1 {
			t.Fatalf("%s: %v, sites %v", tt.roots, got.err, got.report.Sites)
		}
		s := got.report.Sites[0]
		if site := fmt.Sprintf("%v %v", s.Verdict, s.Roots); site != tt.site {
			t.Errorf("%s: %s, want %s", tt.roots, site, tt.site)
		}
		dir := t.TempDir()
		if err := got.job.WriteWitnesses(context.Background(), dir, got.report); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(filepath.Join(dir, s.Witness))
		if refuted := s.Witness != ""; refuted != (s.Verdict == pb.Verdict_REFUTED) || err != nil {
			t.Errorf("%s: witness %q: %v", tt.roots, s.Witness, err)
		}
	}
}
