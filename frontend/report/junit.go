package report

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/kvfarm/kvfarm/engine/position"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// JUnit is what became of written checks in the form in which most CI servers take
// tests: a suite for each file, a test for each check. One that is undecided or
// vacuous is an error, one whose failures are all waived, or that the kernel lacks the code for, is skipped. dir is the
// report's folder, for the replay commands.
func JUnit(r *pb.Report, dir string) ([]byte, error) {
	byFile := map[string]*junit.Testsuite{}
	add := func(file string, c junit.Testcase) {
		if byFile[file] == nil {
			byFile[file] = &junit.Testsuite{Name: file, File: file, Time: "0"}
		}
		c.Classname = strings.ReplaceAll(strings.TrimSuffix(file, ".rs"), "/", ".")
		byFile[file].AddTestcase(c)
	}
	for _, x := range r.Roots {
		if x.Kind == position.Check {
			add(x.Crate, testcase(r, x, dir))
		}
	}
	for _, l := range r.Lacks {
		add(l.File, junit.Testcase{Name: l.Check, Skipped: &junit.Result{Message: "this kernel lacks what it is about: " + l.Why}})
	}
	all := junit.Testsuites{Name: "kvfarm", Time: fmt.Sprintf("%.3f", r.GetTotals().GetWallSeconds())}
	for i, file := range slices.Sorted(maps.Keys(byFile)) {
		byFile[file].ID = i
		all.AddSuite(*byFile[file])
	}
	var out bytes.Buffer
	if err := all.WriteXML(&out); err != nil {
		return nil, fmt.Errorf("encode JUnit: %w", err)
	}
	return out.Bytes(), nil
}

func testcase(r *pb.Report, x *pb.Root, dir string) junit.Testcase {
	c := junit.Testcase{Name: x.Name}
	for _, a := range r.Actions {
		if a.Digest == x.Action {
			c.Time = fmt.Sprintf("%.3f", a.WallSeconds)
			break
		}
	}
	switch x.Verdict {
	case pb.Verdict_PROVED, pb.Verdict_PROVED_UP_TO:
		c.SystemOut = &junit.Output{Data: strings.Join(append([]string{rootVerdict(x)}, x.Assumptions...), "\n")}
	case pb.Verdict_REFUTED:
		c.Failure, c.Skipped = failed(r, x, dir)
	case pb.Verdict_VACUOUS:
		c.Error = &junit.Result{Type: "vacuous", Message: "its assumptions contradict one another, or it never comes to an assertion"}
	default:
		c.Error = &junit.Result{Type: "undecided", Message: cmp.Or(x.Reason, "no reason given")}
	}
	return c
}

// failed says with what x fails: of its sites those that no waiver covers, or all of them if each is covered.
func failed(r *pb.Report, x *pb.Root, dir string) (failure, skipped *junit.Result) {
	var fails, waived []*pb.Site
	for _, s := range r.Sites {
		switch {
		case s.Verdict != pb.Verdict_REFUTED || !slices.Contains(s.Roots, x.Name):
		case s.Waived != "":
			waived = append(waived, s)
		default:
			fails = append(fails, s)
		}
	}
	if len(fails) == 0 && len(waived) > 0 {
		return nil, &junit.Result{Message: "waived: " + waived[0].Waived}
	}
	var kinds []string
	var b strings.Builder
	for _, s := range fails {
		kinds = append(kinds, s.Kind)
		Failure(&b, s, dir)
	}
	return &junit.Result{Type: "refuted", Message: strings.Join(kinds, ", "), Data: b.String()}, nil
}
