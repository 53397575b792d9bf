package job_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/frontend/event"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// What a kernel lacks is said and nothing else happens, unless a check was asked for by its name.
func TestLacks(t *testing.T) {
	b := &pb.Lack{File: "time.rs", Check: "check_b", Why: "no `Delta` in `time` (line 7)"}
	a := &pb.Lack{File: "time.rs", Check: "check_a", Why: b.Why}
	tests := []struct {
		name    string
		lacks   []*pb.Lack
		missing bool
		targets []string
		ran     string
		said    string
		status  int
	}{
		{"one", []*pb.Lack{b}, false, nil, "lower time, prove check_a, prove check_b, prove h", "check_b  no `Delta` in `time` (line 7)\n", report.ExitDecided},
		{"all", []*pb.Lack{b, a}, true, nil, "lower b, prove h", "2 checks  no `Delta` in `time` (line 7)\n", report.ExitDecided},
		{"by its file", []*pb.Lack{b, a}, true, []string{"rust/kernel/time.rs"}, "", "2 checks  no `Delta`", report.ExitDecided},
		{"by its name", []*pb.Lack{b, a}, true, []string{"check_b"}, "", "error: time: this kernel lacks what check_b is about: no `Delta`", report.ExitFailed},
		{"another's name", []*pb.Lack{b}, false, []string{"check_a"}, "lower time, prove check_a", "", report.ExitDecided},
	}
	for _, tt := range tests {
		k := &fakeKernel{crates: map[string]string{"drivers/b.rs": "h"}, lacks: tt.lacks, missing: tt.missing}
		got := submit(t, k, &fakeFarm{}, tt.targets...)
		if got.err != nil {
			t.Fatal(got.err)
		}
		var out bytes.Buffer
		report.Errors(&out, got.report)
		if !strings.Contains(out.String(), tt.said) || (tt.said == "") != (out.Len() == 0) {
			t.Errorf("%s: says %q, want %q", tt.name, out.String(), tt.said)
		}
		if status := report.ExitStatus(got.report); status != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, status, tt.status)
		}
		var ran []string
		for _, r := range got.ran {
			if r != "lower b" || tt.missing {
				ran = append(ran, r)
			}
		}
		if d := cmp.Diff(tt.ran, strings.Join(ran, ", ")); d != "" {
			t.Errorf("%s: actions (-want +got):\n%s", tt.name, d)
		}
		total, done := 0, 0
		for _, e := range got.events {
			switch {
			case e.Kind == event.Planned:
				total = e.Total
			case e.Kind == event.Done && !e.Extra, e.Kind == event.Skipped:
				done++
			}
		}
		if total != done {
			t.Errorf("%s: %d done of %d planned", tt.name, done, total)
		}
	}
}
