package report

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// Failure writes one refuted site, the way rustc writes an error. dir is the
// report's folder, for the replay line; "" leaves that line out.
func Failure(w io.Writer, s *pb.Site, dir string) {
	p, head := place(s), headline(s)
	if s.Waived != "" {
		head += " (waived: " + s.Waived + ")"
	}
	num := fmt.Sprint(p.Line)
	pad := strings.Repeat(" ", len(num))
	fmt.Fprintf(w, "error[%s]: %s\n", s.Kind, head)
	if p.File != "" { // bitcode may come without debug information
		fmt.Fprintf(w, "%s--> %s:%d:%d\n", pad, p.File, p.Line, p.Column)
	}
	if p.Text != "" {
		fmt.Fprintf(w, "%s |\n%s | %s\n%s |\n", pad, num, strings.TrimRight(expandTabs(p.Text), " "), pad)
	}
	fmt.Fprintf(w, "%s = in: %s\n", pad, cmp.Or(p.Function, s.Function))
	if apart(s, p) {
		fmt.Fprintf(w, "%s = check: %s:%d\n", pad, s.File, s.Line)
	}
	if s.RefutedBy != cmp.Or(p.Function, s.Function) && s.RefutedBy != "" {
		fmt.Fprintf(w, "%s = root: %s\n", pad, s.RefutedBy)
	}
	fmt.Fprintf(w, "%s = with: %s\n", pad, values(s.Values))
	if s.Caller != "" {
		fmt.Fprintf(w, "%s = caller: %s\n", pad, s.Caller)
	}
	if s.Witness != "" && dir != "" {
		fmt.Fprintf(w, "%s = replay: kvfarm replay %s\n", pad, filepath.Join(dir, s.Witness))
	}
}

// place is where a person looks for the failure of s.
func place(s *pb.Site) *pb.Place {
	if s.Place.GetFile() != "" {
		return s.Place
	}
	return &pb.Place{File: s.File, Line: s.Line, Column: s.Column, Function: s.Function}
}

// apart reports whether the check of s stands elsewhere than p, where a person looks for it.
func apart(s *pb.Site, p *pb.Place) bool {
	return s.File != "" && (p.File != s.File || p.Line != s.Line)
}

func headline(s *pb.Site) string {
	switch {
	case s.Inner:
		return "an inner function needs a precondition"
	case s.Precondition:
		return "needs a precondition"
	case s.FromC:
		return "can fail when called from C"
	}
	return "can fail"
}

// maxValues bounds the inputs on a failure's line; the witness file has all.
const maxValues = 12

func values(vs []string) string {
	switch {
	case len(vs) == 0:
		return "any input"
	case len(vs) > maxValues:
		return strings.Join(vs[:maxValues], ", ") + fmt.Sprintf(", and %d more", len(vs)-maxValues)
	}
	return strings.Join(vs, ", ")
}

func expandTabs(s string) string { return strings.ReplaceAll(s, "\t", "    ") }

// Text writes the whole report: sites, roots, cache, failures, totals.
func Text(w io.Writer, r *pb.Report, dir string) {
	fmt.Fprintf(w, "%s, toolchain %.12s, engine %.12s\n\n", what(r), r.Tree.Toolchain, r.Tree.Engine)
	siteTable(w, r)
	RootTable(w, r)
	reasonTable(w, r)
	CacheTable(w, r)
	Open(w, r)
	Failures(w, r, dir)
	Summary(w, r)
	if r.Against != nil {
		Changes(w, r, dir)
	}
}

// what was verified.
func what(r *pb.Report) string {
	if r.Tree.Version == "" {
		return strings.Join(r.Tree.Targets, " ")
	}
	return fmt.Sprintf("Linux %s (%s)", r.Tree.Version, r.Tree.Arch)
}

func siteTable(w io.Writer, r *pb.Report) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SITE\tPLACE\tVERDICT\tOPT 2\tROOTS\tFROM")
	for _, s := range r.Sites {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Kind, Clip(at(s)), siteVerdict(s), opt2[s.Optimised], roots(s.Roots), siteFrom(s))
	}
	t.Flush()
	fmt.Fprintln(w)
}

// opt2 says what LLVM at opt 2 does with a check.
var opt2 = map[pb.Optimised]string{pb.Optimised_OPTIMISED_UNKNOWN: "-", pb.Optimised_KEPT: "kept", pb.Optimised_REMOVED: "removed"}

// maxCell bounds a name in a table, in runes: generic instances have names of
// hundreds, and one of them would push a column out of everybody's sight.
const maxCell = 72

// Clip shortens s in the middle; both ends of a path tell something.
func Clip(s string) string {
	r := []rune(s)
	if len(r) <= maxCell {
		return s
	}
	const half = maxCell/2 - 1
	return string(r[:half]) + "…" + string(r[len(r)-half:])
}

func at(s *pb.Site) string {
	if s.File == "" {
		return s.Function
	}
	return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column)
}

func siteVerdict(s *pb.Site) string {
	v := s.Verdict.String()
	switch {
	case s.Waived != "":
		v += " (waived)"
	case s.Inner:
		v += " (inner)"
	case s.Precondition:
		v += " (precondition)"
	case s.FromC:
		v += " (from C)"
	case s.Verdict == pb.Verdict_UNKNOWN && s.Reason != "", strings.HasPrefix(s.Reason, asFarAs):
		v += " (" + s.Reason + ")"
	}
	return v
}

func roots(names []string) string {
	if len(names) <= 1 {
		return Clip(strings.Join(names, ""))
	}
	return fmt.Sprintf("%s and %d more", Clip(names[0]), len(names)-1)
}

func siteFrom(s *pb.Site) string {
	if len(s.Roots) == 0 { // nobody proved anything of it
		return "-"
	}
	return from(s.Cached)
}

func from(cached bool) string {
	if cached {
		return "hit"
	}
	return "run"
}

// RootTable writes the roots with their verdicts.
func RootTable(w io.Writer, r *pb.Report) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ROOT\tKIND\tVERDICT\tSITES\tINSTRUCTIONS\tCONFLICTS\tFROM")
	for _, x := range r.Roots {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.0f\t%.0f\t%s\n", Clip(x.Name), rootKind(x), rootVerdict(x), x.Sites, x.Instructions, x.Conflicts, from(x.Cached))
	}
	t.Flush()
	fmt.Fprintln(w)
}

func rootKind(x *pb.Root) string {
	if x.CCalls {
		return x.Kind + ", C"
	}
	return x.Kind
}

func rootVerdict(x *pb.Root) string {
	switch {
	case x.Verdict == pb.Verdict_PROVED_UP_TO:
		return fmt.Sprintf("PROVED up to %d", x.Bound)
	case x.Verdict == pb.Verdict_UNKNOWN && x.Reason != "":
		return "UNKNOWN (" + x.Reason + ")"
	}
	return x.Verdict.String()
}

// CacheTable writes the cache hits by kind of action.
func CacheTable(w io.Writer, r *pb.Report) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ACTIONS\tHITS\tRAN\tCPU\tCPU SAVED")
	for _, c := range r.Cache {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\n", c.Kind, c.Cached, c.Actions-c.Cached, seconds(c.CpuSeconds), seconds(c.CpuSecondsSaved))
	}
	t.Flush()
	fmt.Fprintln(w)
}

// Failures writes every refuted site, and what went wrong.
func Failures(w io.Writer, r *pb.Report, dir string) {
	for _, s := range r.Sites {
		if s.Verdict == pb.Verdict_REFUTED {
			Failure(w, s, dir)
			fmt.Fprintln(w)
		}
	}
	Errors(w, r)
}

// maxGuarded bounds the guarded failures that a person is shown, a line each.
const maxGuarded = 20

// Brief is Failures for a terminal: of those that are guarded, which may be hundreds and no mistake
// of anybody, a line each, and not all of them.
func Brief(w io.Writer, r *pb.Report, dir string) {
	var guarded []*pb.Site
	for _, s := range r.Sites {
		switch {
		case s.Verdict != pb.Verdict_REFUTED:
		case s.Guarded:
			guarded = append(guarded, s)
		default:
			Failure(w, s, dir)
			fmt.Fprintln(w)
		}
	}
	guardedLines(w, guarded, dir)
	Errors(w, r)
}

func guardedLines(w io.Writer, all []*pb.Site, dir string) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "note: %d are guarded: they fail only with what types, a Safety section, callers or C may exclude (%s has each with its input):\n", len(all), filepath.Join(dir, TextFile))
	slices.SortStableFunc(all, func(a, b *pb.Site) int { return treeFirst(place(a).File, place(b).File) })
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range all[:min(len(all), maxGuarded)] {
		p := place(s)
		fmt.Fprintf(t, "  %s\t%s\t%s\n", s.Kind, spotOf(p), Clip(cmp.Or(p.Function, s.Function)))
	}
	t.Flush()
	if more := len(all) - maxGuarded; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	fmt.Fprintln(w)
}

// spotOf is p in a line; bitcode may come without debug information.
func spotOf(p *pb.Place) string {
	if p.File == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Errors writes what went wrong at the farm or in the build, and before it what was left out.
func Errors(w io.Writer, r *pb.Report) {
	lackLines(w, r.Lacks)
	for _, e := range r.Errors {
		fmt.Fprintf(w, "error: %s\n", e)
	}
}

// Summary writes the last lines of a submit.
func Summary(w io.Writer, r *pb.Report) {
	t := r.Totals
	fmt.Fprintf(w, "checks: %d proved%s, %d can fail%s, %d undecided, %d roots\n",
		t.Proved, parts(part{t.ProvedCached, "from cache"}, part{t.ProvedUpTo, "up to a bound"}),
		t.Refuted, parts(part{t.FromC, "when called from C"}, part{t.Preconditions - t.Guarded, "for want of a precondition"}, part{t.Guarded, "guarded"}, part{t.Waived, "waived"}),
		t.Undecided+t.Vacuous, t.Roots)
	familyLines(w, t)
	if t.Removed > 0 {
		fmt.Fprintf(w, "LLVM at opt 2 removes %d of %d checks, %d of which are proved here\n", t.Removed, t.Sites, t.RemovedProved)
	}
	fmt.Fprintf(w, "actions: %d cache hits, %d ran; CPU %s, saved %s; wall %s\n",
		t.ActionsCached, t.Actions-t.ActionsCached, seconds(t.CpuSeconds), seconds(t.CpuSecondsSaved), seconds(t.WallSeconds))
}

// part is how many of a number are something more.
type part struct {
	n    uint32
	what string
}

// parts are those that there are, in brackets.
func parts(all ...part) string {
	var some []string
	for _, p := range all {
		if p.n > 0 {
			some = append(some, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(some) == 0 {
		return ""
	}
	return " (" + strings.Join(some, ", ") + ")"
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d == 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
