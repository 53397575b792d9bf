package job_test

import (
	"testing"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// What the compiler's program does not confirm is taken back.
func TestNativeReplay(t *testing.T) {
	tests := []struct {
		native  string
		foreign bool
		want    pb.Verdict
		replay  string
	}{
		{"PANIC drivers/a.rs:5:1: index out of bounds", false, pb.Verdict_REFUTED, "interpreter, native"},
		{"MISSING mutex_lock", false, pb.Verdict_REFUTED, "interpreter"},
		{"OK", false, pb.Verdict_UNKNOWN, ""},
		{"is never run", true, pb.Verdict_REFUTED, "interpreter"},
	}
	for _, tt := range tests {
		k := &fakeKernel{crates: map[string]string{"drivers/a.rs": "bad_check_x"}, foreign: tt.foreign}
		got := submit(t, k, &fakeFarm{native: tt.native}, "drivers")
		if got.err != nil || len(got.report.Sites) != 1 {
			t.Fatalf("%s: %v, %d sites, errors %q", tt.native, got.err, len(got.report.Sites), got.report.Errors)
		}
		if s := got.report.Sites[0]; s.Verdict != tt.want || s.Replay != tt.replay || got.report.Roots[0].Verdict != tt.want {
			t.Errorf("%s: site %v by %q, root %v; want %v by %q", tt.native, s.Verdict, s.Replay, got.report.Roots[0].Verdict, tt.want, tt.replay)
		}
	}
}
