package job_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/frontend/job"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Fuzzing decides nothing but by an input that the interpreter agrees about.
func TestFuzz(t *testing.T) {
	tests := []struct {
		native  string
		refuted string // what the interpreter says
		want    pb.Verdict
		replay  string
		ran     string
	}{
		{"OK 100 runs, 3 ways", "check_a", pb.Verdict_UNKNOWN, "", "fuzz check_a, fuzz check_b, lower time"},
		{"ASSERT a.rs:3\nany#0 8 7", "check_a", pb.Verdict_REFUTED, "interpreter, native", "fuzz check_a, fuzz check_b, lower time, run check_a, run check_b"},
		{"CRASH 11 0x0\nany#0 8 7", "check_a", pb.Verdict_REFUTED, "interpreter", "fuzz check_a, fuzz check_b, lower time, run check_a, run check_b"},
		{"PANIC a.rs:3:1: x\nany#0 8 7", "nothing", pb.Verdict_UNKNOWN, "", "fuzz check_a, fuzz check_b, lower time, run check_a, run check_b"},
	}
	for _, tt := range tests {
		k := &fakeKernel{crates: map[string]string{"drivers/a.rs": "f"}}
		got := submit(t, k, &fakeFarm{native: tt.native, refuted: tt.refuted, fuzz: &job.Fuzz{Seed: 1, Runs: 100}})
		if got.err != nil || len(got.report.Errors) > 0 {
			t.Fatalf("%s: %v, errors %q", tt.native, got.err, got.report.Errors)
		}
		if d := cmp.Diff(tt.ran, strings.Join(got.ran, ", ")); d != "" {
			t.Errorf("%s: ran (-want +got):\n%s", tt.native, d)
		}
		replay := ""
		for _, s := range got.report.Sites {
			replay = s.Replay
		}
		if r := got.report.Roots[0]; r.Name != "check_a" || r.Verdict != tt.want || replay != tt.replay {
			t.Errorf("%s: %s is %v by %q, want %v by %q", tt.native, r.Name, r.Verdict, replay, tt.want, tt.replay)
		}
	}
}
