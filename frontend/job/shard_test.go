package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas"
	"github.com/kvfarm/kvfarm/cas/digest"
	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/cas/tree"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// hardFarm proves roots called "hard" only in shards of at least depth
// decisions. It answers an action that it had before from its cache, and counts
// what it runs. In one shard the root can be made to fail.
type hardFarm struct {
	*fakeFarm
	depth   int
	refuted string // shard
	lost    string // shard whose worker is lost
	alien   bool   // results are of the whole, whatever shard was asked for

	mu    sync.Mutex
	known map[string]*kbuild.Result
	runs  int
}

func (f *hardFarm) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	if a.Kind != "prove" || !strings.HasPrefix(a.Name, "hard") && !strings.HasPrefix(a.Name, "in_ha") {
		return f.fakeFarm.Run(ctx, a)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := fmt.Sprint(a.Argv, a.Inputs)
	if r := f.known[key]; r != nil {
		hit := *r
		hit.Cached = true
		return &hit, nil
	}
	of := ""
	if i := slices.Index(a.Argv, "--shard"); i >= 0 {
		of = a.Argv[i+1]
	}
	if f.lost != "" && of == f.lost {
		return nil, errors.New("worker lost")
	}
	v, err := f.shard(of)
	if err != nil {
		return nil, err
	}
	out, err := f.put(ctx, v)
	if err != nil {
		return nil, err
	}
	r := &kbuild.Result{Action: digest.Of([]byte(key)), Outputs: tree.Files{"verdict.json": out}}
	f.known[key] = r
	f.runs++
	return r, nil
}

func (f *hardFarm) shard(of string) (*verdict.Verdict, error) {
	ds, err := verdict.ParseShard(of)
	if err != nil {
		return nil, err
	}
	v := &verdict.Verdict{Version: verdict.Version, Verdict: verdict.Proved}
	s := verdict.Site{Kind: "bounds", Verdict: verdict.Proved, Witness: -1}
	if of != "" && !f.alien {
		v.Shard = &verdict.Shard{Of: of, Ended: true}
	}
	switch {
	case len(ds) < f.depth:
		v.Verdict, v.Reason, s.Verdict, s.Reason = verdict.Unknown, verdict.Budget, verdict.Unknown, verdict.Budget
		v.Frontier = []string{strings.TrimPrefix(of+fmt.Sprintf(",0.%d+1", len(ds)), ",")}
		if v.Shard != nil {
			v.Shard.Stopped = true
		}
	case of != "" && of == f.refuted:
		v.Verdict, s.Verdict, s.Witness = verdict.Refuted, verdict.Refuted, 0
		v.Witnesses = []verdict.Witness{{Inputs: []verdict.Input{{Name: "arg0", Bits: 8, Value: "7"}}, Replayed: true}}
	}
	v.Sites = []verdict.Site{s}
	return v, nil
}

func newHardFarm(depth int) *hardFarm {
	return &hardFarm{fakeFarm: &fakeFarm{store: memstore.New()}, depth: depth, known: map[string]*kbuild.Result{}}
}

// divided submits one crate with up to n shards for each root.
func (f *hardFarm) divided(t *testing.T, n int, roots string) (*pb.Report, []event.Event) {
	t.Helper()
	k := &fakeKernel{store: f.store, crates: map[string]string{"drivers/a.rs": roots}}
	rec := &recorder{}
	newBuilder := func() *report.Builder { return report.NewBuilder(&pb.Tree{}, noSource{}, nil) }
	j := job.New(job.Spec{Shards: n}, k, job.Observe(f, rec), cas.Store(f.store), rec, newBuilder())
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := newBuilder()
	j.Fill(b)
	return b.Report(0), rec.events
}

// TestShards: a farm that decides shards of so many decisions, and what comes of
// a root that may be divided into so many.
func TestShards(t *testing.T) {
	for _, tt := range []struct {
		depth, most  int
		want         string
		runs, shards int
	}{
		{0, 8, "PROVED", 1, 0},
		{1, 0, "UNKNOWN budget", 1, 0},
		{1, 1, "UNKNOWN budget", 1, 0},
		{1, 2, "PROVED", 3, 2},
		{1, 9, "PROVED", 3, 2},
		{2, 2, "UNKNOWN budget", 3, 2},
		{2, 3, "UNKNOWN budget", 5, 3},
		{2, 4, "PROVED", 7, 4},
		{3, 8, "PROVED", 15, 8},
		{3, 100, "PROVED", 15, 8},
		{70, 4, "UNKNOWN budget", 7, 4},
	} {
		f := newHardFarm(tt.depth)
		first, events := f.divided(t, tt.most, "hard")
		if len(first.Roots) != 1 {
			t.Fatalf("depth %d, most %d: errors %q", tt.depth, tt.most, first.Errors)
		}
		root := first.Roots[0]
		if got := strings.TrimSpace(root.Verdict.String() + " " + root.Reason); got != tt.want || f.runs != tt.runs || int(root.Shards) != tt.shards {
			t.Errorf("depth %d, most %d: %s after %d actions in %d shards, want %s, %d, %d", tt.depth, tt.most, got, f.runs, root.Shards, tt.want, tt.runs, tt.shards)
		}
		planned, done := counts(events)
		if planned != done {
			t.Errorf("depth %d, most %d: %d done of %d planned", tt.depth, tt.most, done, planned)
		}
		second, _ := f.divided(t, tt.most, "hard")
		if f.runs != tt.runs || !second.Roots[0].Cached || root.Cached {
			t.Errorf("depth %d, most %d: asked again, %d actions run, cached: %v", tt.depth, tt.most, f.runs-tt.runs, second.Roots[0].Cached)
		}
		second.Roots[0].Cached = false
		for _, s := range second.Sites {
			s.Cached = false
		}
		if d := cmp.Diff(fmt.Sprint(first.Roots, first.Sites), fmt.Sprint(second.Roots, second.Sites)); d != "" {
			t.Errorf("depth %d, most %d: from the cache (-first +second):\n%s", tt.depth, tt.most, d)
		}
	}
}

// counts returns how many actions were planned, and how many came to an end.
func counts(events []event.Event) (planned, done int) {
	for _, e := range events {
		switch {
		case e.Kind == event.Planned:
			planned = e.Total
		case e.Kind == event.Done && !e.Extra, e.Kind == event.Skipped:
			done++
		}
	}
	return planned, done
}

// TestShardsGoOn: what a lost worker left undone is all that is done when it is asked for again.
func TestShardsGoOn(t *testing.T) {
	f := newHardFarm(2)
	f.lost = "0.0-1,0.1+1"
	r, _ := f.divided(t, 4, "hard")
	if len(r.Roots) != 0 || len(r.Errors) != 1 || !strings.Contains(r.Errors[0], "worker lost") {
		t.Fatalf("roots %v, errors %q", r.Roots, r.Errors)
	}
	before := f.runs
	f.lost = ""
	r, _ = f.divided(t, 4, "hard")
	if len(r.Roots) != 1 || r.Roots[0].Verdict != pb.Verdict_PROVED || r.Roots[0].Cached || f.runs != 7 || before < 3 {
		t.Errorf("%v after %d and %d actions, errors %q", r.Roots, before, f.runs-before, r.Errors)
	}
}

// TestShardRefutes: a failure in one shard is the root's, with its witness.
func TestShardRefutes(t *testing.T) {
	f := newHardFarm(2)
	f.refuted = "0.0+1,0.1-1"
	r, events := f.divided(t, 4, "hard f")
	if len(r.Sites) != 1 || r.Sites[0].Verdict != pb.Verdict_REFUTED || r.Sites[0].Witness == "" {
		t.Errorf("sites %v", r.Sites)
	}
	if !slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Failed }) {
		t.Error("the failure was not told")
	}
}

// TestShardIsAsked: a result of something else than the shard is no part of a proof.
func TestShardIsAsked(t *testing.T) {
	f := newHardFarm(1)
	f.alien = true
	r, _ := f.divided(t, 2, "hard")
	if len(r.Roots) != 0 || len(r.Errors) != 1 || !strings.Contains(r.Errors[0], "not of shard") {
		t.Errorf("roots %v, errors %q", r.Roots, r.Errors)
	}
}

// TestInnerRootsAreWhole: they are many, and only help others.
func TestInnerRootsAreWhole(t *testing.T) {
	f := newHardFarm(1)
	f.divided(t, 8, "stuck in_ha")
	if f.runs != 2 { // alone, and with all that it calls
		t.Errorf("%d actions for an inner root", f.runs)
	}
}
