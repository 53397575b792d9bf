package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/kvfarm/kvfarm/engine/position"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// maxOpen is how many places a person is shown of what one written check leaves
// undecided for one reason.
const maxOpen = 5

// Open writes what written checks leave undecided, by check and reason. Who
// wrote a check asked for an answer; what automatic roots leave open are
// hundreds of lines and stands in the tables only.
func Open(w io.Writer, r *pb.Report) {
	for _, root := range r.Roots {
		if root.Kind != position.Check {
			continue
		}
		if root.Verdict == pb.Verdict_VACUOUS {
			fmt.Fprintf(w, "warning: %s: vacuous: what it assumes contradicts itself, or it never comes to an assertion\n\n", Clip(root.Name))
			continue
		}
		openSites(w, root, r.Sites)
	}
}

func openSites(w io.Writer, root *pb.Root, all []*pb.Site) {
	byReason := map[string][]*pb.Site{}
	var order []string
	for _, s := range all {
		if s.Verdict != pb.Verdict_UNKNOWN || !slices.Contains(s.UndecidedBy, root.Name) {
			continue
		}
		if byReason[s.Reason] == nil {
			order = append(order, s.Reason)
		}
		byReason[s.Reason] = append(byReason[s.Reason], s)
	}
	for _, reason := range order {
		sites := byReason[reason]
		fmt.Fprintf(w, "warning: %s: %d undecided: %s\n", Clip(root.Name), len(sites), cmp.Or(reason, "no reason given"))
		for _, s := range sites[:min(len(sites), maxOpen)] {
			fmt.Fprintf(w, "  --> %s %s\n", at(s), s.Kind)
		}
		if more := len(sites) - maxOpen; more > 0 {
			fmt.Fprintf(w, "  --> and %d more\n", more)
		}
		if reason == "budget" {
			fmt.Fprintln(w, "   = help: it used all of its budget, which --budget raises; --shards 8 divides it among as many actions")
		}
		fmt.Fprintln(w)
	}
}
