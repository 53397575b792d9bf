package job_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/cas/memstore"
	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/job"
	"github.com/kvfarm/kvfarm/frontend/report"
	"github.com/kvfarm/kvfarm/kbuild"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// slowFarm is a fakeFarm whose proofs take as many seconds as their names are
// long; it notes their priorities.
type slowFarm struct {
	fakeFarm
	priorities map[string]int32
	optimise   []int32
}

func (f *slowFarm) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	r, err := f.fakeFarm.Run(ctx, a)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
	case a.Kind == "optimise":
		f.optimise = append(f.optimise, a.Priority)
	case a.Kind == "prove":
		f.priorities[a.Name] = a.Priority
		r.CPU = time.Duration(len(a.Name)) * time.Second
	}
	return r, err
}

// The second run begins with what took longest in the first; a root that is new
// goes by the size of its slice.
func TestLongProofsFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "costs")
	store := memstore.New()
	run := func(roots string) map[string]int32 {
		costs, err := job.ReadCosts(file)
		if err != nil {
			t.Fatal(err)
		}
		f := &slowFarm{fakeFarm: fakeFarm{store: store}, priorities: map[string]int32{}}
		k := &fakeKernel{store: store, crates: map[string]string{"a.rs": roots}}
		j := job.New(job.Spec{Costs: costs}, k, f, store, event.Discard, report.NewBuilder(&pb.Tree{}, noSource{}, nil))
		if err := j.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := costs.Write(file); err != nil {
			t.Fatal(err)
		}
		return f.priorities
	}
	long := strings.Repeat("x", 40)
	first := run("f eight8ch " + long)
	if first["f"] != first["eight8ch"] {
		t.Errorf("before any run: %v", first)
	}
	second := run("f eight8ch " + long)
	if !(second[long] < second["eight8ch"] && second["eight8ch"] < second["f"]) || second[long] < 1 {
		t.Errorf("after one: %v, want the longest name least, and above 0", second)
	}
	if d := cmp.Diff(second, run("f eight8ch "+long)); d != "" {
		t.Errorf("a third time: %s", d)
	}
}

// What LLVM removes is asked for after proofs, which nobody should wait for.
func TestOptimisedLast(t *testing.T) {
	store := memstore.New()
	f := &slowFarm{fakeFarm: fakeFarm{store: store}, priorities: map[string]int32{}}
	k := &fakeKernel{store: store, crates: map[string]string{"a.rs": "f " + strings.Repeat("x", 40)}}
	if err := job.New(job.Spec{}, k, f, store, event.Discard, report.NewBuilder(&pb.Tree{}, noSource{}, nil)).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(f.optimise) == 0 || len(f.priorities) == 0 || slices.Min(f.optimise) <= slices.Max(slices.Collect(maps.Values(f.priorities))) {
		t.Errorf("priorities: proofs %v, LLVM %v", f.priorities, f.optimise)
	}
}

// patientFarm is a fakeFarm that LLVM waits for until callers are looked at.
type patientFarm struct {
	fakeFarm
	waited atomic.Bool // in vain
}

func (f *patientFarm) Run(ctx context.Context, a *kbuild.Action) (*kbuild.Result, error) {
	for end := time.Now().Add(10 * time.Second); a.Kind == "optimise" && !f.calling(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			f.waited.Store(true)
			break
		}
	}
	return f.fakeFarm.Run(ctx, a)
}

// Nothing waits for what LLVM removes, but the report.
func TestCallersWaitForNoOptimiser(t *testing.T) {
	store := memstore.New()
	f := &patientFarm{fakeFarm: fakeFarm{store: store, undecided: "in_n"}}
	k := &fakeKernel{store: store, crates: map[string]string{"a.rs": "stuck in_no calls_in_no"}}
	b := report.NewBuilder(&pb.Tree{}, noSource{}, nil)
	if err := job.New(job.Spec{}, k, f, store, event.Discard, b).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !f.calling() || f.waited.Load() || len(f.passes) == 0 {
		t.Errorf("callers were looked at: %v, LLVM waited for them in vain: %v", f.calling(), f.waited.Load())
	}
}

// What is no line of costs is left out, and the rest is kept.
func TestBrokenCosts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "costs")
	text := "x\ta\tf\n-1\ta\tg\n5\ta\n7\ta.rs\th\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := job.ReadCosts(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != text {
		t.Errorf("a run without proofs wrote %q, %v", b, err)
	}
}
