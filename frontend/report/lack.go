package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// AddLacks notes checks that were left out.
func (b *Builder) AddLacks(lacks []*pb.Lack) {
	b.report.Lacks = append(b.report.Lacks, lacks...)
	slices.SortFunc(b.report.Lacks, func(x, y *pb.Lack) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Check, y.Check))
	})
}

// lackLines writes what was left out, a line for those of a file for which the reason is the same.
func lackLines(w io.Writer, lacks []*pb.Lack) {
	if len(lacks) == 0 {
		return
	}
	fmt.Fprintf(w, "note: %d checks that come with kvfarm are about what this kernel lacks, and are left out:\n", len(lacks))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i := 0; i < len(lacks); {
		n := 1
		for i+n < len(lacks) && lacks[i+n].File == lacks[i].File && lacks[i+n].Why == lacks[i].Why {
			n++
		}
		what := lacks[i].Check
		if n > 1 {
			what = fmt.Sprintf("%d checks", n)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", lacks[i].File, what, lacks[i].Why)
		i += n
	}
	t.Flush()
	fmt.Fprintln(w)
}
