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
