package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// fakeFarm runs "lower" and "prove" actions on bitcode that is a list of words:
// each word is a root. One whose name starts with "bad" has a site that fails,
// one with "stuck" a site that stays open, one with "in_" is an inner root that
// owns and proves its site, one with "in_deep" with all that it calls only, and one that ends in "sound" proves it.
// A site's line is the length of its root's name.
type fakeFarm struct {
	store cas.Store
	mu    sync.Mutex
	ran   []string
	fail  string // name of an action that the farm loses
	// refuted is a root whose site fails, besides those that say so.
	refuted string
	// slow is a root whose proof takes until callers would be looked at.
	slow string
	// undecided begins the names of inner roots that decide nothing.
	undecided string
	// native is how native replays end, and what fuzzing says.
	native string
	fuzz   *job.Fuzz
	panics []position.Panic // of every crate
	left   []position.Panic // of them, what LLVM leaves
	passes []string         // crates that it was asked about
}

func (f *fakeFarm) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	f.mu.Lock()
	if a.Kind == "optimise" {
		f.passes = append(f.passes, a.Name)
	} else {
		f.ran = append(f.ran, a.Kind+" "+a.Name)
	}
	f.mu.Unlock()
	if a.Name == f.fail {
		return nil, errors.New("worker lost")
	}
	for end := time.Now().Add(time.Second / 4); a.Name == f.slow && a.Kind == "prove" && !f.calling() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	r := &kbuild.Result{Action: digest.Of([]byte(a.Kind + a.Name)), Outputs: tree.Files{}}
	switch a.Kind {
	case "lower":
		return r, f.lower(ctx, a, r)
	case "optimise":
		return r, f.optimise(ctx, r)
	case "prove", "context":
		return r, f.prove(ctx, a, r)
	case "run":
		return r, f.prove(ctx, a, r)
	case "replay", "fuzz":
		r.Stdout = []byte(f.native + "\n")
		return r, nil
	}
	return nil, fmt.Errorf("fake farm: action of kind %q", a.Kind)
}

// calling reports whether callers are looked at.
func (f *fakeFarm) calling() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.ran, func(a string) bool { return strings.HasPrefix(a, "context ") })
}

func (f *fakeFarm) put(ctx context.Context, v any) (tree.Entry, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return tree.Entry{}, err
	}
	return f.putBytes(ctx, b)
}

func (f *fakeFarm) putBytes(ctx context.Context, b []byte) (tree.Entry, error) {
	d, err := cas.PutBlob(ctx, f.store, b)
	return tree.Entry{Digest: d}, err
}

func (f *fakeFarm) lower(ctx context.Context, a *kbuild.Action, r *kbuild.Result) error {
	b, err := cas.ReadBlob(ctx, f.store, a.Inputs["link/00.bc"].Digest, 1<<20)
	if err != nil {
		return err
	}
	index := position.Index{Version: position.Version, Crate: a.Name, Panics: f.panics}
	files := tree.Files{}
	for i, name := range strings.Fields(string(b)) {
		if slices.Contains(a.Argv, "--checks") && !strings.HasPrefix(name, "check_") {
			continue
		}
		root := position.Root{Name: name, Symbol: name, Kind: "auto", File: fileOf(name), Slice: fmt.Sprint(i, ".kvs"), Map: fmt.Sprint(i, ".map")}
		if strings.Contains(name, "check_") {
			root.Kind = "check"
		}
		if strings.HasPrefix(name, "in_") {
			root.Kind, root.Owns = "inner", []position.Pos{{File: "drivers/a.rs", Line: len(name)}}
		}
		if strings.HasPrefix(name, "own_") {
			root.Owns = []position.Pos{{File: "drivers/a.rs", Line: len(name)}}
		}
		holder := name
		if callee, ok := strings.CutPrefix(name, "calls_"); ok { // it calls one that holds a location
			root.Kind, root.Calls, holder = "inner", []position.Callee{{Symbol: strings.TrimLeft(callee, "x"), Func: 7}}, strings.TrimLeft(callee, "x")
		}
		if callee, ok := strings.CutPrefix(name, "gate_"); ok { // so does this, which others may call
			root.Calls, holder = []position.Callee{{Symbol: callee, Func: 7}}, callee
		}
		of := map[string]string{root.Slice: name}
		if len(root.Owns) > 0 {
			root.Alone, root.AloneMap = fmt.Sprint(i, ".alone.kvs"), root.Map
			of[root.Alone] = name + " alone"
		}
		for k := range root.Calls {
			root.Calls[k].Slice, root.Calls[k].Map = fmt.Sprint(i, ".call.kvs"), root.Map
			of[root.Calls[k].Slice] = name + " alone"
		}
		index.Roots = append(index.Roots, root)
		at := position.Map{Version: position.Version, Root: name, Locs: []position.Pos{{File: siteFile(name), Line: len(holder)}},
			Funcs: []position.Func{{Name: name}}, Sites: []position.Site{{Kind: "bounds"}}}
		for file, text := range of {
			if files[file], err = f.put(ctx, text); err != nil {
				return err
			}
		}
		var m bytes.Buffer
		if err := at.Encode(&m); err != nil {
			return err
		}
		if files[root.Map], err = f.putBytes(ctx, m.Bytes()); err != nil {
			return err
		}
	}
	return f.leave(ctx, r, files, index)
}

func (f *fakeFarm) optimise(ctx context.Context, r *kbuild.Result) error {
	return f.leave(ctx, r, tree.Files{}, position.Index{Version: position.Version, Panics: f.left})
}

// leave makes files, and the index beside them, the output of an action.
func (f *fakeFarm) leave(ctx context.Context, r *kbuild.Result, files tree.Files, index position.Index) (err error) {
	if files["index.json"], err = f.put(ctx, index); err != nil {
		return err
	}
	d, err := tree.Upload(ctx, f.store, files)
	r.Outputs["slices"] = tree.Entry{Kind: tree.Dir, Digest: d}
	return err
}

// fileOf is where a function called x.y is declared: rust/x.rs.
func fileOf(name string) string {
	file, _, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	return "rust/" + file + ".rs"
}

// siteFile is where a function's site stands.
func siteFile(name string) string {
	if file := fileOf(name); file != "" {
		return file
	}
	return "drivers/a.rs"
}

func (f *fakeFarm) prove(ctx context.Context, a *kbuild.Action, r *kbuild.Result) (err error) {
	v := verdict.Verdict{Version: 1, Verdict: verdict.Proved}
	if strings.HasPrefix(a.Name, "bad") || a.Name == f.refuted {
		v.Verdict = verdict.Refuted
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Refuted}}
		v.Witnesses = []verdict.Witness{{Inputs: []verdict.Input{{Name: "arg0", Bits: 8, Value: "7"}}, Replayed: true}}
	}
	if strings.HasPrefix(a.Name, "loop") {
		v.Verdict, v.Bound = verdict.ProvedTo, 1
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.ProvedTo, Witness: -1}}
	}
	if strings.HasPrefix(a.Name, "stuck") {
		v.Verdict = verdict.Unknown
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Unknown, Witness: -1}}
	}
	if strings.HasPrefix(a.Name, "own_") { // too large, but for what it holds
		v.Verdict = verdict.Unknown
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Unknown, Witness: -1}}
		deep := strings.HasPrefix(a.Name, "own_deep") // what it holds hangs on what it calls
		if slices.Contains(a.Argv, "--held") || slices.Contains(a.Argv, "--alone") && !deep {
			v.Sites[0].Verdict = verdict.Proved
		}
	}
	if a.Kind == "context" {
		v.Verdict = verdict.Unknown
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Unknown, Witness: -1}}
		if slices.Contains(a.Argv, "--alone") && strings.Contains(strings.Join(a.Argv, " "), "--of 7") && a.Name != f.refuted {
			v.Sites[0].Verdict = verdict.Proved
		}
	}
	if (strings.HasPrefix(a.Name, "in_") || strings.HasSuffix(a.Name, "sound")) && a.Name != f.refuted {
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Proved, Witness: -1}}
	}
	alone := slices.Contains(a.Argv, "--alone")
	if strings.HasPrefix(a.Name, "in_deep") && alone {
		v.Verdict, v.Sites[0].Verdict = verdict.Unknown, verdict.Unknown
	}
	if text, err := cas.ReadBlob(ctx, f.store, a.Inputs["slice.kvs"].Digest, 1<<20); err != nil || alone != strings.HasSuffix(string(text), ` alone"`) {
		return fmt.Errorf("fake farm: %q on slice %q: %v", a.Argv, text, err)
	}
	if f.undecided != "" && strings.HasPrefix(a.Name, f.undecided) {
		v.Verdict = verdict.Unknown
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Unknown, Witness: -1}}
	}
	if f.refuted == a.Name+" alone" && alone {
		v.Verdict = verdict.Refuted
		v.Sites = []verdict.Site{{Kind: "bounds", Verdict: verdict.Refuted}}
		v.Witnesses = []verdict.Witness{{Inputs: []verdict.Input{{Name: "arg0", Bits: 8, Value: "7"}}, Replayed: true}}
	}
	r.Outputs["verdict.json"], err = f.put(ctx, v)
	return err
}

// fakeKernel has crates whose bitcode is given.
type fakeKernel struct {
	store   cas.Store
	crates  map[string]string
	broken  string
	foreign bool
	files   []string // of each crate; those below rust/ are libraries
	lacks   []*pb.Lack
	missing bool // nothing of the checks is there
}

func (k *fakeKernel) Crates() ([]job.Crate, error) {
	var cs []job.Crate
	for source := range k.crates {
		cs = append(cs, job.Crate{Name: strings.TrimSuffix(filepath.Base(source), ".rs"), Source: source,
			Files: k.files, Library: strings.HasPrefix(source, "rust/")})
	}
	return cs, nil
}

func (k *fakeKernel) Bitcode(ctx context.Context, c job.Crate) (*job.Bitcode, error) {
	if c.Source == k.broken {
		return nil, errors.New("drivers/broken.rs:3:1: expected item")
	}
	d, err := cas.PutBlob(ctx, k.store, []byte(k.crates[c.Source]))
	return &job.Bitcode{Link: []tree.Entry{{Digest: d}}, Names: []string{"passes of " + c.Source}, Foreign: k.foreign}, err
}

func (k *fakeKernel) Check(ctx context.Context, c job.Check) (*job.Bitcode, error) {
	if k.missing {
		return &job.Bitcode{Lacks: k.lacks}, nil
	}
	d, err := cas.PutBlob(ctx, k.store, c.Files["lib.rs"])
	return &job.Bitcode{Link: []tree.Entry{{Digest: d}}, Lacks: k.lacks}, err
}

// Actions is 0: this kernel's bitcode is there already.
func (k *fakeKernel) Actions([]job.Crate, int) (int, error) { return 0, nil }

type noSource struct{}

func (noSource) Line(string, int) (string, bool) { return "", false }

type recorder struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

type run struct {
	job    *job.Job
	ran    []string
	events []event.Event
	report *pb.Report
	err    error
}

func submit(t *testing.T, k *fakeKernel, f *fakeFarm, targets ...string) run {
	t.Helper()
	store := memstore.New()
	k.store, f.store = store, store
	rec := &recorder{}
	newBuilder := func() *report.Builder { return report.NewBuilder(&pb.Tree{}, noSource{}, nil) }
	spec := job.Spec{Targets: targets, Fuzz: f.fuzz, Checks: []job.Check{{
		Name: "time", About: "rust/kernel/time.rs", Files: map[string][]byte{"lib.rs": []byte("check_a rust_helper_x check_b")},
		States: map[string]string{"check_a": "A holds.", "check_b": "B holds."},
	}}}
	j := job.New(spec, k, job.Observe(f, rec), store, rec, newBuilder())
	err := j.Run(context.Background())
	b := newBuilder()
	j.Fill(b)
	slices.Sort(f.ran)
	return run{job: j, ran: f.ran, events: rec.events, report: b.Report(0), err: err}
}

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
// the end, whether inner roots were needed or not and witnesses replayed or not.
func TestTotalIsFixed(t *testing.T) {
	for _, roots := range []string{"f g", "stuck in_ok in_other", "bad_check_x in_ok", "stuck in_ok in_no", ""} {
		k := &fakeKernel{crates: map[string]string{"drivers/a.rs": roots, "drivers/b.rs": "h"}}
		got := submit(t, k, &fakeFarm{native: "OK"})
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
