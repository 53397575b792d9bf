package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

func totals(r *pb.Report) *pb.Totals {
	t := &pb.Totals{Sites: uint32(len(r.Sites)), Roots: uint32(len(r.Roots)), Actions: uint32(len(r.Actions))}
	for _, s := range r.Sites {
		countSite(t, s)
	}
	t.Families = families(r.Sites)
	for _, x := range r.Roots {
		if x.Kind != position.Auto {
			continue
		}
		t.Automatic++
		if x.Verdict == pb.Verdict_PROVED || x.Verdict == pb.Verdict_PROVED_UP_TO {
			t.AutomaticProved++
		}
	}
	for _, c := range r.Cache {
		t.ActionsCached += c.Cached
		t.CpuSeconds += c.CpuSeconds
		t.CpuSecondsSaved += c.CpuSecondsSaved
	}
	return t
}

func countSite(t *pb.Totals, s *pb.Site) {
	proved := s.Verdict == pb.Verdict_PROVED || s.Verdict == pb.Verdict_PROVED_UP_TO
	if s.Optimised == pb.Optimised_REMOVED {
		t.Removed++
		if proved {
			t.RemovedProved++
		}
	}
	switch s.Verdict {
	case pb.Verdict_PROVED, pb.Verdict_PROVED_UP_TO:
		t.Proved++
		if s.Cached {
			t.ProvedCached++
		}
		if s.Verdict == pb.Verdict_PROVED_UP_TO {
			t.ProvedUpTo++
		}
	case pb.Verdict_REFUTED:
		t.Refuted++
		if s.Waived != "" {
			t.Waived++
		}
		if s.Precondition {
			t.Preconditions++
		}
		if s.FromC {
			t.FromC++
		}
		if s.Guarded {
			t.Guarded++
		}
	case pb.Verdict_VACUOUS:
		t.Vacuous++
	default:
		t.Undecided++
	}
}

// actions sorts actions and keeps one for each digest: the one that ran, if any did.
func actions(all []*pb.Action) []*pb.Action {
	cached := map[bool]int{true: 1}
	slices.SortFunc(all, func(x, y *pb.Action) int {
		return cmp.Or(cmp.Compare(x.Digest, y.Digest), cmp.Compare(cached[x.Cached], cached[y.Cached]), cmp.Compare(x.Name, y.Name))
	})
	all = slices.CompactFunc(all, func(x, y *pb.Action) bool { return x.Digest == y.Digest })
	slices.SortFunc(all, func(x, y *pb.Action) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Digest, y.Digest))
	})
	return all
}

func cacheRows(actions []*pb.Action) []*pb.CacheRow {
	byKind := map[string]*pb.CacheRow{}
	for _, a := range actions {
		row := byKind[a.Kind]
		if row == nil {
			row = &pb.CacheRow{Kind: a.Kind}
			byKind[a.Kind] = row
		}
		row.Actions++
		if a.Cached {
			row.Cached++
			row.CpuSecondsSaved += a.CpuSeconds
		} else {
			row.CpuSeconds += a.CpuSeconds
		}
	}
	rows := make([]*pb.CacheRow, 0, len(byKind))
	for _, row := range byKind {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *pb.CacheRow) int { return strings.Compare(a.Kind, b.Kind) })
	return rows
}

// Exit statuses of a submit. Where it compares with an earlier report, only what is worse than there counts.
const (
	ExitDecided   = 0 // all decided, nothing refuted that is not waived
	ExitRefuted   = 1
	ExitFailed    = 2 // the farm or the input
	ExitUndecided = 3
)

// ExitStatus is the exit status of a submit with this report.
func ExitStatus(r *pb.Report) int {
	t := r.Totals
	switch {
	case len(r.Errors) > 0:
		return ExitFailed
	case r.Against != nil && len(r.Against.Worse) > 0:
		return ExitRefuted
	case r.Against != nil && len(r.Against.Lost) > 0:
		return ExitUndecided
	case r.Against != nil:
		return ExitDecided
	case slices.ContainsFunc(r.Sites, func(s *pb.Site) bool { return outcome(s) == fails && s.Waived == "" }):
		return ExitRefuted
	case slices.ContainsFunc(r.Sites, func(s *pb.Site) bool { return s.Inner && s.Waived == "" }):
		return ExitUndecided
	case t.Undecided > 0 || t.Vacuous > 0 || unknownRoot(r):
		return ExitUndecided
	}
	return ExitDecided
}

// unknownRoot reports a root that came to nothing, which sites alone do not
// show: a root without a single site can still be stuck. Inner roots only help.
func unknownRoot(r *pb.Report) bool {
	return slices.ContainsFunc(r.Roots, func(x *pb.Root) bool {
		return x.Kind != position.Inner && (x.Verdict == pb.Verdict_UNKNOWN || x.Verdict == pb.Verdict_VACUOUS)
	})
}
