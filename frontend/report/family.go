package report

import (
	"fmt"
	"io"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// A report counts checks that the compiler inserted apart from undefined
// behaviour, which the engine looks for at each instruction and lists where it is
// not proved: of the former there are as many as the code has, whatever is proved.

// assertion is the kind of what a written check asserts.
const assertion = "assert"

// family says who put s there.
func (s *site) family() pb.Family {
	switch {
	case s.panics && s.inKernel:
		return pb.Family_COMPILER
	case s.panics || s.key.kind == assertion:
		return pb.Family_WRITTEN
	}
	return pb.Family_UNDEFINED
}

// families counts sites by family, those without any left out.
func families(sites []*pb.Site) []*pb.FamilyTotals {
	byFamily := map[pb.Family]*pb.FamilyTotals{}
	for _, s := range sites {
		t := byFamily[s.Family]
		if t == nil {
			t = &pb.FamilyTotals{Family: s.Family}
			byFamily[s.Family] = t
		}
		t.Sites++
		switch s.Verdict {
		case pb.Verdict_PROVED, pb.Verdict_PROVED_UP_TO:
			t.Proved++
		case pb.Verdict_REFUTED:
			t.Refuted++
			if s.Inner {
				t.Inner++
			}
		}
	}
	var out []*pb.FamilyTotals
	for _, f := range []pb.Family{pb.Family_COMPILER, pb.Family_UNDEFINED, pb.Family_WRITTEN} {
		if t := byFamily[f]; t != nil {
			t.DecidedPercent = 100 * float64(t.Proved+t.Refuted) / float64(t.Sites)
			out = append(out, t)
		}
	}
	return out
}

// familyName says in a person's words what a family is.
var familyName = map[pb.Family]string{
	pb.Family_COMPILER: "checks that the compiler inserted",
	pb.Family_WRITTEN:  "checks in written checks",
}

// familyLines says how much of each family is decided. Of undefined behaviour
// only the places are known where it is not excluded, so that no share of them
// would mean anything: roots that are free of it say how much is proved.
func familyLines(w io.Writer, t *pb.Totals) {
	for _, f := range t.Families {
		if name := familyName[f.Family]; name != "" {
			fmt.Fprintf(w, "decided: %.1f%% of %d %s (%d proved, %d can fail%s)\n", f.DecidedPercent, f.Sites, name, f.Proved, f.Refuted, innerWords(f))
			continue
		}
		fmt.Fprintf(w, "undefined behaviour: can happen in %d places, undecided in %d\n", f.Refuted, f.Sites-f.Proved-f.Refuted)
	}
	if t.Automatic > 0 {
		fmt.Fprintf(w, "roots: %d of %d automatic ones are proved whole: nothing that they lead to fails or is undefined\n", t.AutomaticProved, t.Automatic)
	}
}

// innerWords says how many failures of a family only inner roots show.
func innerWords(f *pb.FamilyTotals) string {
	if f.Inner == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them an inner function whose callers were tried and did not decide it", f.Inner)
}
