package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"text/tabwriter"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// slicePlace is a place in a slice, "3:17" for function and instruction, as
// reasons name it. Two places are no two reasons.
var slicePlace = regexp.MustCompile(`\b\d+:\d+\b`)

// reasons counts why sites are undecided, what keeps most of them first: that
// is where the next piece of work pays.
func reasons(sites []*pb.Site) []*pb.Reason {
	byText := map[string]*pb.Reason{}
	var out []*pb.Reason
	for _, s := range sites {
		if s.Verdict != pb.Verdict_UNKNOWN {
			continue
		}
		text := slicePlace.ReplaceAllString(cmp.Or(s.Reason, "none given"), "…")
		r := byText[text]
		if r == nil {
			r = &pb.Reason{Text: text}
			byText[text] = r
			out = append(out, r)
		}
		r.Sites++
	}
	slices.SortFunc(out, func(a, b *pb.Reason) int {
		return cmp.Or(cmp.Compare(b.Sites, a.Sites), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// maxReasons is how many reasons a person is shown.
const maxReasons = 10

func reasonTable(w io.Writer, r *pb.Report) {
	if len(r.Reasons) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "UNDECIDED\tBECAUSE OF")
	rest := 0
	for i, x := range r.Reasons {
		if i < maxReasons {
			fmt.Fprintf(t, "%d\t%s\n", x.Sites, Clip(x.Text))
		} else {
			rest += int(x.Sites)
		}
	}
	if rest > 0 {
		fmt.Fprintf(t, "%d\t%d other reasons\n", rest, len(r.Reasons)-maxReasons)
	}
	t.Flush()
	fmt.Fprintln(w)
}
