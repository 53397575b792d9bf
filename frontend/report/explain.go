package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// meaning says what each word of a verdict claims.
var meaning = map[pb.Verdict]string{
	pb.Verdict_UNKNOWN:      "nothing is claimed",
	pb.Verdict_PROVED:       "no input makes a check in its slice fail, under the assumptions below",
	pb.Verdict_PROVED_UP_TO: "no input makes a check in its slice fail, up to the stated bound",
	pb.Verdict_REFUTED:      "an input that makes a check fail was found and replayed",
	pb.Verdict_VACUOUS:      "no input reaches its end: its assumptions contradict one another, so it proves nothing",
}

// Explain writes what is known of the roots, or of the sites' functions, that
// are called name. It reports false if r has none.
func Explain(w io.Writer, r *pb.Report, name, dir string) bool {
	found := false
	for _, x := range r.Roots {
		if x.Symbol == name || called(x.Name, name) {
			explainRoot(w, r, x, dir)
			found = true
		}
	}
	return found
}

// called reports whether a demangled path is, or ends in, name.
func called(path, name string) bool {
	return path == name || strings.HasSuffix(path, "::"+name)
}

func explainRoot(w io.Writer, r *pb.Report, x *pb.Root, dir string) {
	kind := "automatic root: the function is called with every input its types allow"
	switch x.Kind {
	case position.Check:
		kind = "written check"
	case position.Inner:
		kind = "inner root: a function that holds checks which other roots leave open, called with every input its types allow"
	}
	if x.CCalls {
		kind += ", and by C, whose calls nobody checks"
	}
	fmt.Fprintf(w, "%s\n  %s, of %s\n", x.Name, kind, x.Crate)
	field := func(name, text string) {
		if text != "" && text != "/0" {
			fmt.Fprintf(w, "  %-11s %s\n", name+":", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n              "))
		}
	}
	field("states", x.States)
	field("verdict", rootVerdict(x)+": "+meaning[x.Verdict])
	field("cost", fmt.Sprintf("%.0f instructions, %.0f queries, %.0f conflicts", x.Instructions, x.Queries, x.Conflicts))
	if x.Shards > 0 {
		field("shards", fmt.Sprintf("%d; one budget did not suffice for all of it", x.Shards))
	}
	field("slice", x.Slice)
	field("engine", r.GetTree().GetEngine())
	field("proved by", provenance(r, x.Action, x.Cached))
	field("cut by", provenance(r, x.LoweredBy, false))
	for _, a := range x.Assumptions {
		field("assumes", a)
	}
	explainSites(w, r, x, dir)
	fmt.Fprintln(w)
}

func provenance(r *pb.Report, action string, cached bool) string {
	for _, a := range r.Actions {
		if a.Digest != action {
			continue
		}
		how := "ran"
		if a.Cached || cached {
			how = "from the cache; it once took"
		}
		return fmt.Sprintf("action %s (%s on %s, %s CPU)", action, how, cmp.Or(a.Worker, "the farm"), seconds(a.CpuSeconds))
	}
	return "action " + action
}

func explainSites(w io.Writer, r *pb.Report, x *pb.Root, dir string) {
	for _, s := range r.Sites {
		if slices.Contains(s.Roots, x.Name) {
			fmt.Fprintf(w, "  site        %s %s: %s\n", at(s), s.Kind, siteVerdict(s))
		}
	}
	for _, s := range r.Sites {
		if s.Verdict == pb.Verdict_REFUTED && slices.Contains(s.Roots, x.Name) {
			Failure(w, s, dir)
		}
	}
}

// Find returns the first root called name, nil if r has none.
func Find(r *pb.Report, name string) *pb.Root {
	for _, x := range r.Roots {
		if x.Symbol == name || called(x.Name, name) {
			return x
		}
	}
	return nil
}

// Key says which part of a proof's key, beside its slice, is not the same.
func Key(w io.Writer, old *pb.Report, was *pb.Root, now *pb.Report, is *pb.Root) {
	same := true
	differ := func(what, a, b string) {
		if a != b {
			fmt.Fprintf(w, "the slice is the same; %s: %s before, %s now\n", what, a, b)
			same = false
		}
	}
	differ("the engine is not", old.GetTree().GetEngine(), now.GetTree().GetEngine())
	differ("the budget is not", fmt.Sprint(was.Budget), fmt.Sprint(is.Budget))
	if same {
		fmt.Fprintln(w, "nothing that its proof depends on changed")
	}
}
