package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// TestOrder holds that a report is the same whichever proof was done first, also
// where two roots have one name and one slice: LLVM makes such copies.
func TestOrder(t *testing.T) {
	symbols := func(order ...string) (got []string) {
		b := report.NewBuilder(&pb.Tree{}, archive{}, nil)
		for _, s := range order {
			b.AddProof(&report.Proof{Crate: "a.rs", Root: position.Root{Name: "f", Symbol: s, Kind: position.Inner},
				Verdict: &verdict.Verdict{}, Positions: &position.Map{}})
		}
		for _, r := range b.Report(0).Roots {
			got = append(got, r.Symbol)
		}
		return got
	}
	if diff := cmp.Diff(symbols("f", "f.1"), symbols("f.1", "f")); diff != "" {
		t.Error(diff)
	}
}
