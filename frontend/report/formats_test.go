package report_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/kvfarm/kvfarm/frontend/report"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// results holds the SARIF of r against the format's schema, and writes its results, a line each.
func results(t *testing.T, r *pb.Report) string {
	t.Helper()
	b, err := report.SARIF(r, "out")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := sarif.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(); err != nil {
		t.Errorf("SARIF is not what its schema says: %v\n%s", err, b)
	}
	var out strings.Builder
	seen := map[string]bool{}
	for _, x := range doc.Runs[0].Results {
		fmt.Fprintf(&out, "%s %s", x.Level, *x.RuleID)
		if p := x.Locations[0].PhysicalLocation; p != nil {
			fmt.Fprintf(&out, " %s:%d:%d", *p.ArtifactLocation.URI, *p.Region.StartLine, *p.Region.StartColumn)
		}
		fmt.Fprintf(&out, " %q", *x.Message.Text)
		for _, s := range x.Suppressions {
			fmt.Fprintf(&out, " suppressed %q", *s.Justification)
		}
		if x.BaselineState != nil {
			fmt.Fprintf(&out, " %s", *x.BaselineState)
		}
		for _, l := range x.RelatedLocations {
			fmt.Fprintf(&out, " at %s", *l.PhysicalLocation.ArtifactLocation.URI)
		}
		fmt.Fprintln(&out)
		if rule := doc.Runs[0].Tool.Driver.Rules[x.RuleIndex]; *rule.ID != *x.RuleID {
			t.Errorf("result of %s says that its rule is %s", *x.RuleID, *rule.ID)
		}
		print := x.PartialFingerprints["check/v1"]
		if print == "" || seen[print] {
			t.Errorf("fingerprint %q of %s is none of its own", print, *x.Message.Text)
		}
		seen[print] = true
	}
	return out.String()
}

// A check that moved within its file keeps its fingerprint, and others do not share it.
func TestFingerprints(t *testing.T) {
	prints := func(sites ...*pb.Site) (all []string) {
		for _, s := range sites {
			s.Verdict = pb.Verdict_REFUTED
		}
		b, err := report.SARIF(&pb.Report{Tree: &pb.Tree{}, Sites: sites}, "")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Runs []struct {
				Results []struct{ PartialFingerprints map[string]string }
			}
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		for _, x := range doc.Runs[0].Results {
			all = append(all, x.PartialFingerprints["check/v1"])
		}
		return all
	}
	old := prints(&pb.Site{Kind: "bounds", File: "a.rs", Line: 2, Text: "a[i]"}, &pb.Site{Kind: "bounds", File: "a.rs", Line: 3, Text: "a[i]"})
	moved := prints(&pb.Site{Kind: "bounds", File: "a.rs", Line: 12, Text: "a[i]"}, &pb.Site{Kind: "bounds", File: "a.rs", Line: 13, Text: "b[i]"})
	if old[0] == old[1] || old[0] != moved[0] || moved[1] == moved[0] || moved[1] == old[1] {
		t.Errorf("fingerprints %q, after a move %q", old, moved)
	}
}

// tests writes the tests that JUnit's form of r has, a line each.
func tests(t *testing.T, r *pb.Report) string {
	t.Helper()
	b, err := report.JUnit(r, "out")
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	var doc struct {
		Tests, Failures, Errors, Skipped int `xml:",attr"`
		Suites                           []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *result `xml:"failure"`
				Error   *result `xml:"error"`
				Skipped *result `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	var out strings.Builder
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			fmt.Fprintf(&out, "%s %s", s.Name, c.Name)
			for what, x := range map[string]*result{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
				if x != nil {
					fmt.Fprintf(&out, ": %s %s %q %t", what, x.Type, x.Message, strings.Contains(x.Text, "= with: "))
				}
			}
			fmt.Fprintln(&out)
		}
	}
	return out.String()
}

func TestJUnit(t *testing.T) {
	fails := func(kind, waived string) *pb.Site {
		return &pb.Site{Kind: kind, Verdict: pb.Verdict_REFUTED, Waived: waived, Roots: []string{"check_" + kind}, Witness: "witness/0.json"}
	}
	r := &pb.Report{Tree: &pb.Tree{}, Roots: []*pb.Root{
		{Name: "check_b", Kind: "check", Crate: "checks/b.rs", Verdict: pb.Verdict_PROVED_UP_TO, Bound: 8},
		{Name: "check_bounds", Kind: "check", Crate: "checks/a.rs", Verdict: pb.Verdict_REFUTED},
		{Name: "check_assert", Kind: "check", Crate: "checks/a.rs", Verdict: pb.Verdict_REFUTED},
		{Name: "check_open", Kind: "check", Crate: "checks/a.rs", Reason: "budget"},
		{Name: "check_vacuous", Kind: "check", Crate: "checks/a.rs", Verdict: pb.Verdict_VACUOUS},
		{Name: "auto", Kind: "auto", Crate: "rust/kernel/lib.rs"},
	}, Sites: []*pb.Site{fails("bounds", ""), fails("assert", "known")}, Lacks: []*pb.Lack{{File: "checks/b.rs", Check: "check_new", Why: "no 'Bitmap'"}}}
	const want = `checks/a.rs check_bounds: failure refuted "bounds" true
checks/a.rs check_assert: skipped  "waived: known" false
checks/a.rs check_open: error undecided "budget" false
checks/a.rs check_vacuous: error vacuous "its assumptions contradict one another, or it never comes to an assertion" false
checks/b.rs check_b
checks/b.rs check_new: skipped  "this kernel lacks what it is about: no 'Bitmap'" false
`
	if got := tests(t, r); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// Names and lines come from trees that nobody vouches for: on the page they are text.
func TestHTML(t *testing.T) {
	r := &pb.Report{Tree: &pb.Tree{Version: "7.2.12", Arch: "x86"}, Errors: []string{"<b>bad</b>"}, Totals: &pb.Totals{Guarded: 1}, Lacks: []*pb.Lack{{File: "new.rs", Check: "check_new", Why: "no such module"}}, Sites: []*pb.Site{
		{Kind: "bounds", File: "b.rs", Line: 1, Verdict: pb.Verdict_PROVED},
		{Kind: "bounds", File: "/usr/lib/rustlib/src/rust/library/core/src/a.rs", Line: 1, Reason: "budget", Roots: make([]string, 12)},
		{Kind: "bounds", File: "b.rs", Line: 2, Verdict: pb.Verdict_REFUTED, Text: "<script>alert(1)</script>", Values: []string{"n = 4"}},
		{Kind: "assert", Function: "nowhere", Verdict: pb.Verdict_REFUTED, Guarded: true},
	}}
	r.Against = report.Compare(&pb.Report{Tree: &pb.Tree{}}, r, "old.json")
	b, err := report.HTML(r, "out")
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	if n := strings.Count(s, `<tr class="site"`); n != len(r.Sites) {
		t.Errorf("%d rows for %d sites", n, len(r.Sites))
	}
	for text, times := range map[string]int{
		"<b>bad": 0, "<script>alert": 0, `data-class="holds"`: 1, `data-class="open"`: 1, `data-class="fails"`: 1, `data-class="guarded"`: 1,
		"with n = 4": 1, `<div class="card">`: 1, "1 more fail only": 1, "no such module": 1, "and 4 more": 1,
	} {
		if n := strings.Count(s, text); n != times {
			t.Errorf("%q stands %d times on the page, want %d", text, n, times)
		}
	}
	if tree, std := strings.Index(s, "<code>b.rs</code>"), strings.Index(s, "<code>/usr/lib"); tree < 0 || tree > std {
		t.Error("the tree does not come before the standard library")
	}
}
