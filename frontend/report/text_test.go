package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Who works on a tree sees what is guarded there before what is guarded in core.
func TestGuardedOfTheTreeFirst(t *testing.T) {
	r := &pb.Report{}
	for _, file := range []string{"/usr/lib/rustlib/src/rust/library/core/src/a.rs", "drivers/b.rs", "library/core/src/c.rs", "rust/kernel/d.rs"} {
		r.Sites = append(r.Sites, &pb.Site{Kind: "bounds", File: file, Line: 1, Column: 2, Verdict: pb.Verdict_REFUTED, Guarded: true})
	}
	var out bytes.Buffer
	report.Brief(&out, r, "out")
	last := -1
	for _, place := range []string{"4 are guarded", "drivers/b.rs:1:2", "rust/kernel/d.rs:1:2", "core/src/a.rs:1:2", "core/src/c.rs:1:2"} {
		at := strings.Index(out.String(), place)
		if at <= last {
			t.Errorf("%s is not there, or too early, in\n%s", place, out.String())
		}
		last = at
	}
}

// A failure in bitcode without debug information has no place, and is given none.
func TestFailureWithoutPlace(t *testing.T) {
	r := &pb.Report{Tree: &pb.Tree{}, Sites: []*pb.Site{
		{Kind: "bounds", Function: "guarded", Verdict: pb.Verdict_REFUTED, Guarded: true},
		{Kind: "bounds", Function: "plain", Verdict: pb.Verdict_REFUTED},
		{Kind: "bounds", Function: "inlined", Verdict: pb.Verdict_REFUTED, Place: &pb.Place{File: "a.rs", Line: 1, Column: 2, Function: "caller"}},
	}}
	var out bytes.Buffer
	report.Brief(&out, r, "out")
	page, err := report.HTML(r, "out")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{":0:0", "check: "} {
		if strings.Contains(out.String(), wrong) {
			t.Errorf("%q in\n%s", wrong, out.String())
		}
	}
	if strings.Contains(string(page), "<dt>check<dd>") {
		t.Error("the page says where a check stands that has no place")
	}
}
