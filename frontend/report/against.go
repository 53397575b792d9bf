package report

import (
	"fmt"
	"io"
	"slices"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A team that begins with hundreds of open sites wants to know what a commit
// made of them, not to read them all again: a report is compared with that of
// the commit before.

// checkKey is what a check is known again by in another tree. Lines above it
// come and go, so that its number says little; its text says more.
type checkKey struct {
	kind, file, text string
	line, column     uint32 // only where there is no text
	function         string // the same
}

// keysFor returns the keys to compare with old by. A report of an older kvfarm has
// no texts; there, places are all that there is.
func keysFor(old *pb.Report) func(*pb.Site) checkKey {
	if slices.ContainsFunc(old.Sites, func(s *pb.Site) bool { return s.Text != "" }) {
		return byText
	}
	return byPlace
}

func byText(s *pb.Site) checkKey {
	if s.Text == "" {
		return byPlace(s)
	}
	return checkKey{kind: s.Kind, file: s.File, text: s.Text}
}

func byPlace(s *pb.Site) checkKey {
	k := checkKey{kind: s.Kind, file: s.File, line: s.Line, column: s.Column}
	if s.File == "" {
		k.function = s.Function
	}
	return k
}

// Failing returns whether a site fails in old too: one of which a person who
// compares with it need not hear.
func Failing(old *pb.Report) func(*pb.Site) bool {
	known, key := map[checkKey]bool{}, keysFor(old)
	for _, s := range old.Sites {
		if outcome(s) == fails {
			known[key(s)] = true
		}
	}
	return func(s *pb.Site) bool { return known[key(s)] }
}

// Compare says what of r differs from old, which file holds. Sites of either
// are in order of place, so that checks of one text are told apart by their order.
func Compare(old, r *pb.Report, file string) *pb.Comparison {
	before, key := map[checkKey][]*pb.Site{}, keysFor(old)
	for _, s := range old.Sites {
		before[key(s)] = append(before[key(s)], s)
	}
	c := &pb.Comparison{File: file, Version: old.Tree.GetVersion()}
	for i, s := range r.Sites {
		k := key(s)
		change, was := &pb.Change{Site: uint32(i), IsNew: len(before[k]) == 0}, open
		if !change.IsNew {
			change.Was, was = before[k][0].Verdict, outcome(before[k][0])
			before[k] = before[k][1:]
		}
		enter(c, change, s, was)
	}
	for _, rest := range before {
		c.Gone += uint32(len(rest))
	}
	return c
}

// enter puts a change of s, which was what the outcome was says, where it belongs, if anywhere.
func enter(c *pb.Comparison, change *pb.Change, s *pb.Site, was int) {
	now := outcome(s)
	switch {
	case now == was && !change.IsNew || change.IsNew && now == holds:
	case now == fails && s.Waived == "":
		c.Worse = append(c.Worse, change)
	case now == open:
		c.Lost = append(c.Lost, change)
	case now == holds:
		c.Better = append(c.Better, change)
	}
}

// outcome is what a site's verdict means to who looks for what got worse. What an inner root alone
// shows to fail may have no caller.
func outcome(s *pb.Site) int {
	switch {
	case s.Verdict == pb.Verdict_PROVED || s.Verdict == pb.Verdict_PROVED_UP_TO:
		return holds
	case s.Verdict == pb.Verdict_REFUTED && !s.Inner:
		return fails
	}
	return open
}

const (
	holds = iota
	open
	fails
)

// maxChanges bounds the changes of a kind that a person is shown; report.json has all.
const maxChanges = 40

// Changes writes what differs from the report that r was compared with: new
// failures as Failure does, the rest a line each.
func Changes(w io.Writer, r *pb.Report, dir string) {
	c := r.Against
	for _, x := range c.Worse {
		Failure(w, r.Sites[x.Site], dir)
		fmt.Fprintf(w, "  = before: %s\n\n", before(x))
	}
	changeLines(w, r, "no longer decided", c.Lost)
	changeLines(w, r, "better", c.Better)
	of := c.File
	if c.Version != "" {
		of = fmt.Sprintf("Linux %s (%s)", c.Version, c.File)
	}
	fmt.Fprintf(w, "since %s: %d fail that did not, %d undecided that were not, %d better, %d gone\n", of, len(c.Worse), len(c.Lost), len(c.Better), c.Gone)
}

func changeLines(w io.Writer, r *pb.Report, what string, all []*pb.Change) {
	for _, x := range all[:min(len(all), maxChanges)] {
		s := r.Sites[x.Site]
		fmt.Fprintf(w, "%s: %s %s: %s, was %s\n", what, Clip(at(s)), s.Kind, siteVerdict(s), before(x))
	}
	if more := len(all) - maxChanges; more > 0 {
		fmt.Fprintf(w, "%s: %d more\n", what, more)
	}
	if len(all) > 0 {
		fmt.Fprintln(w)
	}
}

func before(x *pb.Change) string {
	if x.IsNew {
		return "not there"
	}
	return x.Was.String()
}
