package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// SARIF is the report's failures in the Static Analysis Results Interchange
// Format, version 2.1.0 (OASIS), for whoever shows them beside the source: a code
// review, an editor. dir is the report's folder, for the replay commands.
//
// A failure that is guarded is a note, one that needs a precondition a warning,
// any other an error. A waived one is suppressed. What is proved or undecided is
// no result: the format has words for both, but few who read it know them.
func SARIF(r *pb.Report, dir string) ([]byte, error) {
	run := sarif.NewRunWithInformationURI("kvfarm", "https://github.com/kvfarm/kvfarm")
	run.Tool.Driver.Rules = rules()
	news := newFailures(r)
	ordinals := map[checkKey]int{}
	for i, s := range r.Sites {
		k := byText(s)
		ordinals[k]++
		if s.Verdict != pb.Verdict_REFUTED {
			continue
		}
		res := result(s, dir).WithPartialFingerprints(map[string]string{"check/v1": fingerprint(k, ordinals[k])})
		if r.Against != nil {
			res.WithBaselineState(baseline(news[i]))
		}
		run.AddResult(res)
	}
	run.AddInvocation(invocation(r))
	doc := sarif.NewReport().AddRun(run)
	var out bytes.Buffer
	if err := doc.PrettyWrite(&out); err != nil {
		return nil, fmt.Errorf("encode SARIF: %w", err)
	}
	return out.Bytes(), nil
}

// rules are the kinds of checks; a result's index is that in Kinds.
func rules() []*sarif.ReportingDescriptor {
	var all []*sarif.ReportingDescriptor
	for _, k := range Kinds {
		d := sarif.NewReportingDescriptor().WithID(k.Name).WithShortDescription(text(k.Short))
		if k.Long != "" {
			d.WithFullDescription(text(strings.ReplaceAll(k.Long, "\n", " ")))
		}
		all = append(all, d)
	}
	return all
}

func text(s string) *sarif.MultiformatMessageString {
	return sarif.NewMultiformatMessageString().WithText(s)
}

func result(s *pb.Site, dir string) *sarif.Result {
	p := place(s)
	res := sarif.NewRuleResult(s.Kind).WithRuleIndex(kindIndex(s.Kind)).WithLevel(level(s)).WithMessage(sarif.NewTextMessage(message(s, dir)))
	res.AddLocation(location(p))
	if apart(s, p) {
		check := location(&pb.Place{File: s.File, Line: s.Line, Column: s.Column, Function: s.Function, Text: s.Text})
		res.AddRelatedLocation(check.WithID(1).WithMessage(sarif.NewTextMessage("the check")))
	}
	if s.Waived != "" {
		res.AddSuppression(sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(s.Waived))
	}
	return res
}

func level(s *pb.Site) string {
	switch {
	case s.Guarded:
		return sarif.LevelNote
	case s.Precondition:
		return sarif.LevelWarning
	}
	return sarif.LevelError
}

// message is what Failure writes, in sentences. The first one stands alone where there is little room.
func message(s *pb.Site, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s.", headline(s), cmp.Or(kindCalled(s.Kind).Short, s.Kind))
	fmt.Fprintf(&b, " With %s.", values(s.Values))
	if s.RefutedBy != "" {
		fmt.Fprintf(&b, " Root: %s.", s.RefutedBy)
	}
	if s.Caller != "" {
		fmt.Fprintf(&b, " Caller: %s.", s.Caller)
	}
	if s.Witness != "" {
		fmt.Fprintf(&b, " Replay: kvfarm replay %s", filepath.Join(dir, s.Witness))
	}
	return b.String()
}

// location is relative to the tree, but for the source of the standard library and
// what has no file.
func location(p *pb.Place) *sarif.Location {
	l := sarif.NewLocation().AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(p.Function).WithKind("function"))
	if p.File == "" {
		return l
	}
	region := sarif.NewRegion().WithStartLine(max(int(p.Line), 1)).WithStartColumn(max(int(p.Column), 1))
	if p.Text != "" {
		region.WithSnippet(sarif.NewArtifactContent().WithText(p.Text))
	}
	artifact := sarif.NewArtifactLocation().WithURI((&url.URL{Path: path.Clean(p.File)}).String())
	if InTree(p.File) {
		artifact.WithURIBaseID("%SRCROOT%")
	}
	return l.WithPhysicalLocation(sarif.NewPhysicalLocation().WithArtifactLocation(artifact).WithRegion(region))
}

// fingerprint is the same for a check that moved within its file, as in a Comparison.
func fingerprint(k checkKey, ordinal int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%+v %d", k, ordinal))
	return hex.EncodeToString(h[:16])
}

// newFailures are the sites that fail and did not in the report that r was compared with.
func newFailures(r *pb.Report) map[int]bool {
	news := map[int]bool{}
	for _, c := range r.GetAgainst().GetWorse() {
		news[int(c.Site)] = true
	}
	return news
}

func baseline(isNew bool) string {
	if isNew {
		return "new"
	}
	return "unchanged"
}

// invocation says whether all was done that was asked for.
func invocation(r *pb.Report) *sarif.Invocation {
	inv := sarif.NewInvocation().WithExecutionSuccessful(len(r.Errors) == 0)
	for _, e := range r.Errors {
		inv.AddToolExecutionNotification(sarif.NewNotification().WithLevel(sarif.LevelError).WithMessage(sarif.NewTextMessage(e)))
	}
	return inv
}
