package job_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
)

func TestTargets(t *testing.T) {
	crates := map[string]string{"drivers/net/a.rs": "f g", "drivers/b.rs": "h"}
	tests := []struct {
		targets []string
		want    []string
	}{
		{nil, []string{"lower a", "lower b", "lower time", "prove check_a", "prove check_b", "prove f", "prove g", "prove h"}},
		{[]string{"drivers/net"}, []string{"lower a", "prove f", "prove g"}},
		{[]string{"drivers/net/", "drivers/b.rs", "b"}, []string{"lower a", "lower b", "prove f", "prove g", "prove h"}},
		{[]string{"check_b"}, []string{"lower time", "prove check_b"}},
		{[]string{"check_b", "check_a"}, []string{"lower time", "prove check_a", "prove check_b"}},
		{[]string{"rust/kernel/time.rs"}, []string{"lower time", "prove check_a", "prove check_b"}},
	}
	for _, tt := range tests {
		got := submit(t, &fakeKernel{crates: crates}, &fakeFarm{}, tt.targets...)
		if got.err != nil {
			t.Errorf("%v: %v", tt.targets, got.err)
		}
		if d := cmp.Diff(tt.want, got.ran); d != "" {
			t.Errorf("%v: actions (-want +got):\n%s", tt.targets, d)
		}
	}
}

// A file of a library means what it declares, and the checks in it.
func TestTargetsInLibrary(t *testing.T) {
	tests := []struct {
		targets []string
		want    []string
		sites   int
	}{
		{[]string{"rust/time.rs"}, []string{"lower lib", "prove time.f"}, 1},
		{[]string{"rust/page.rs", "rust/time.rs"}, []string{"lower lib", "prove page.g", "prove time.f"}, 2},
		{[]string{"rust/page.rs", "rust/lib.rs"}, []string{"lower lib", "prove h", "prove page.g", "prove time.f"}, 2},
		{[]string{"rust/lib.rs", "lib"}, []string{"lower lib", "prove h", "prove page.g", "prove time.f"}, 2},
		{[]string{"rust/none.rs"}, nil, 0},
	}
	for _, tt := range tests {
		k := &fakeKernel{crates: map[string]string{"rust/lib.rs": "time.f page.g h"}, files: []string{"rust/lib.rs", "rust/page.rs", "rust/time.rs"}}
		f := &fakeFarm{panics: []position.Panic{{Kind: "bounds", At: position.Pos{File: "rust/time.rs", Line: 7}}, {Kind: "bounds", At: position.Pos{File: "rust/page.rs", Line: 8}}}}
		got := submit(t, k, f, tt.targets...)
		var unknown *job.UnknownTargetError
		if (got.err != nil) != (tt.want == nil) || got.err != nil && !errors.As(got.err, &unknown) {
			t.Errorf("%v: %v", tt.targets, got.err)
		}
		if d := cmp.Diff(tt.want, got.ran); d != "" {
			t.Errorf("%v: actions (-want +got):\n%s", tt.targets, d)
		}
		if len(got.report.Sites) != tt.sites {
			t.Errorf("%v: %d sites, want %d", tt.targets, len(got.report.Sites), tt.sites)
		}
	}
}

// A check in a file that was asked for is proved if all roots that lead to it prove it, those that
// were not asked for too.
func TestRootsNotAskedFor(t *testing.T) {
	for roots, want := range map[int]string{1: "PROVED", 2: "UNKNOWN no proof of each root that reaches it"} {
		k := &fakeKernel{crates: map[string]string{"rust/lib.rs": "time.sound page.f"}, files: []string{"rust/lib.rs", "rust/page.rs", "rust/time.rs"}}
		f := &fakeFarm{panics: []position.Panic{{Kind: "bounds", At: position.Pos{File: "rust/time.rs", Line: 10}, Reached: true, Roots: roots}}}
		got := submit(t, k, f, "rust/time.rs")
		if len(got.report.Sites) != 1 {
			t.Fatalf("%d roots: sites %v", roots, got.report.Sites)
		}
		if s := got.report.Sites[0]; strings.TrimSpace(fmt.Sprint(s.Verdict, " ", s.Reason)) != want {
			t.Errorf("%d roots: %v %s, want %s", roots, s.Verdict, s.Reason, want)
		}
	}
}

// Each crate is optimised once; where one is not, nothing is said to be removed.
func TestOptimised(t *testing.T) {
	a := position.Panic{Kind: "bounds", At: position.Pos{File: "a.rs", Line: 1}, Located: true}
	b := position.Panic{Kind: "bounds", At: position.Pos{File: "a.rs", Line: 2}, Located: true}
	for fail, want := range map[string]string{"": "KEPT REMOVED", "passes of a.rs": "OPTIMISED_UNKNOWN OPTIMISED_UNKNOWN"} {
		f := &fakeFarm{fail: fail, panics: []position.Panic{a, b}, left: []position.Panic{a}}
		got := submit(t, &fakeKernel{crates: map[string]string{"a.rs": "f", "b.rs": "g", "same.rs": "g"}}, f)
		if len(f.passes) != 2 || !slices.Contains(f.passes, "passes of a.rs") {
			t.Errorf("optimised %q", f.passes)
		}
		if len(got.report.Sites) != 2 {
			t.Fatalf("sites %v", got.report.Sites)
		}
		if s := fmt.Sprint(got.report.Sites[0].Optimised, " ", got.report.Sites[1].Optimised); s != want {
			t.Errorf("%q lost: %s, want %s", fail, s, want)
		}
	}
}

// A file of a driver means all of the driver, and nothing of its neighbours.
func TestTargetsInDriver(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"drivers/a/main.rs": "f"}, files: []string{"drivers/a/main.rs", "drivers/a/ring.rs"}}
	if got := submit(t, k, &fakeFarm{}, "drivers/a/ring.rs"); !slices.Equal(got.ran, []string{"lower main", "prove f"}) {
		t.Errorf("ran %q, %v", got.ran, got.err)
	}
	if got := submit(t, k, &fakeFarm{}, "drivers/a/other.rs"); got.err == nil || len(got.ran) > 0 {
		t.Errorf("a neighbour: ran %q, %v", got.ran, got.err)
	}
}

// A root of core, which is of no tree, has a part of the budget of others.
func TestBudgets(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"/usr/lib/core/lib.rs": "f", "drivers/a.rs": "g"}}
	got := submit(t, k, &fakeFarm{}, "lib", "drivers/a.rs")
	budgets := map[string]float64{}
	for _, r := range got.report.Roots {
		budgets[r.Name] = r.Budget
	}
	if d := cmp.Diff(map[string]float64{"f": 200_000, "g": 0}, budgets); d != "" {
		t.Errorf("budgets (-want +got):\n%s", d)
	}
}

// A check that no root reaches is in the report, and its owners are proved.
func TestUnreachedChecks(t *testing.T) {
	for line, want := range map[int]string{5: "PROVED [in_ok]", 6: "UNKNOWN []"} {
		f := &fakeFarm{panics: []position.Panic{{Kind: "bounds", At: position.Pos{File: "drivers/a.rs", Line: line}, Located: true}}}
		got := submit(t, &fakeKernel{crates: map[string]string{"drivers/a.rs": "root in_ok"}}, f, "drivers")
		if len(got.report.Sites) != 1 {
			t.Fatalf("line %d: sites %v", line, got.report.Sites)
		}
		if s := got.report.Sites[0]; fmt.Sprint(s.Verdict, " ", s.Roots) != want {
			t.Errorf("line %d: %v %v, want %s", line, s.Verdict, s.Roots, want)
		}
	}
}

func TestUnknownTarget(t *testing.T) {
	got := submit(t, &fakeKernel{crates: map[string]string{"drivers/net/phy.rs": "f"}}, &fakeFarm{}, "net/phy.rs")
	var unknown *job.UnknownTargetError
	if !errors.As(got.err, &unknown) || !strings.Contains(got.err.Error(), "did you mean drivers/net/phy.rs?") {
		t.Errorf("error = %v", got.err)
	}
	if len(got.ran) > 0 {
		t.Errorf("ran %v for an unknown target", got.ran)
	}
}

func TestOneBrokenPartKeepsTheRest(t *testing.T) {
	k := &fakeKernel{crates: map[string]string{"drivers/broken.rs": "x", "drivers/b.rs": "h i"}, broken: "drivers/broken.rs"}
	got := submit(t, k, &fakeFarm{fail: "i"}, "drivers")
	if got.err != nil {
		t.Fatal(got.err)
	}
	var names []string
	for _, r := range got.report.Roots {
		names = append(names, r.Name)
	}
	if d := cmp.Diff([]string{"h"}, names); d != "" {
		t.Errorf("roots (-want +got):\n%s", d)
	}
	if len(got.report.Errors) != 2 || report.ExitStatus(got.report) != report.ExitFailed {
		t.Errorf("errors %q, status %d: want two errors and status %d", got.report.Errors, report.ExitStatus(got.report), report.ExitFailed)
	}
}

// The total is told as fixed once, never changes after, and is what is done in
// the end, whether inner roots and calls of them were needed or not and witnesses replayed or not.
func TestTotalIsFixed(t *testing.T) {
	for _, roots := range []string{"f g", "stuck in_ok in_other", "bad_check_x in_ok", "stuck in_ok in_no", "stuck in_no calls_in_no calls_xin_no", ""} {
		k := &fakeKernel{crates: map[string]string{"drivers/a.rs": roots, "drivers/b.rs": "h"}}
		got := submit(t, k, &fakeFarm{native: "OK", undecided: "in_n"})
		if got.err != nil {
			t.Fatal(got.err)
		}
		total, done := 0, 0
		for _, e := range got.events {
			switch {
			case e.Kind == event.Planned && total > 0:
				t.Errorf("%s: planned again, %d, after a fixed total of %d", roots, e.Total, total)
			case e.Kind == event.Planned && e.Fixed:
				total = e.Total
			case e.Kind == event.Done && !e.Extra, e.Kind == event.Skipped:
				done++
			}
		}
		if total == 0 || done != total {
			t.Errorf("%s: %d done of %d planned", roots, done, total)
		}
	}
}
