package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"join": strings.Join, "short": func(s string) string { return fmt.Sprintf("%.12s", s) },
}).Parse(pageText))

// HTML is the report as one page that needs nothing else, for people with a
// browser: failures, and all checks by the file that they stand in. dir is the
// report's folder, for the replay commands.
func HTML(r *pb.Report, dir string) ([]byte, error) {
	v := pageView{R: r, What: what(r), Filters: classes, Guarded: int(r.GetTotals().GetGuarded())}
	for _, f := range r.GetTotals().GetFamilies() {
		v.Families = append(v.Families, pageFamily{familyTitle[f.Family], shares(r.Sites, f.Family)})
	}
	for _, s := range r.Sites {
		if s.Verdict == pb.Verdict_REFUTED && !s.Guarded {
			v.Failures = append(v.Failures, card(s, dir))
		}
	}
	if r.Against != nil {
		v.changes(r.Against)
	}
	v.Files = pageFiles(r.Sites)
	for _, c := range r.Cache {
		v.Cache = append(v.Cache, pageCache{c.Kind, c.Cached, c.Actions - c.Cached, seconds(c.CpuSeconds), seconds(c.CpuSecondsSaved)})
	}
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return out.Bytes(), nil
}

// pageView is what the page shows.
type pageView struct {
	R        *pb.Report
	What     string
	Families []pageFamily
	Changes  []pageChange
	Failures []pageCard
	Guarded  int // failures that have no card
	Filters  []class
	Files    []pageFile
	Cache    []pageCache
}

type pageFamily struct {
	Name   string
	Shares []share
}

type pageChange struct{ Class, What, At, Kind, Was string }

type pageCard struct {
	Kind, Short, Headline, Waived string
	Place                         *pb.Place
	Facts                         []fact
}

type fact struct {
	Name, Text string
	Code       bool
}

type pageFile struct {
	Name   string
	Shares []share
	Sites  []pageSite
}

type pageSite struct{ Class, At, Text, Kind, Short, Verdict, Detail, Roots string }

type pageCache struct {
	Kind       string
	Hits, Ran  uint32
	CPU, Saved string
}

// class is what a verdict is to a person who looks for work: how a site is coloured, and what to hide.
type class struct{ Class, Label string }

var classes = []class{{"holds", "proved"}, {"upto", "proved up to a bound"}, {"fails", "can fail"}, {"guarded", "guarded"}, {"open", "undecided"}}

func classOf(s *pb.Site) string {
	switch {
	case s.Verdict == pb.Verdict_PROVED:
		return "holds"
	case s.Verdict == pb.Verdict_PROVED_UP_TO:
		return "upto"
	case s.Guarded:
		return "guarded"
	case s.Verdict == pb.Verdict_REFUTED:
		return "fails"
	}
	return "open"
}

// share is how many sites are of a class.
type share struct {
	class
	N       int
	Percent float64
}

// shares are those of the sites of a family; FAMILY_UNKNOWN is all.
func shares(sites []*pb.Site, of pb.Family) []share {
	count, all := map[string]int{}, 0
	for _, s := range sites {
		if of == pb.Family_FAMILY_UNKNOWN || s.Family == of {
			count[classOf(s)]++
			all++
		}
	}
	var out []share
	for _, c := range classes {
		if n := count[c.Class]; n > 0 {
			out = append(out, share{c, n, 100 * float64(n) / float64(all)})
		}
	}
	return out
}

var familyTitle = map[pb.Family]string{
	pb.Family_COMPILER:  "Checks that the compiler inserted",
	pb.Family_WRITTEN:   "Checks in written checks",
	pb.Family_UNDEFINED: "Undefined behaviour, where it is not excluded",
}

func card(s *pb.Site, dir string) pageCard {
	p := place(s)
	c := pageCard{Kind: s.Kind, Short: kindCalled(s.Kind).Short, Headline: headline(s), Waived: s.Waived, Place: p}
	add := func(name, text string, code bool) {
		if text != "" {
			c.Facts = append(c.Facts, fact{name, text, code})
		}
	}
	add("in", cmp.Or(p.Function, s.Function), true)
	if apart(s, p) {
		add("check", at(s), true)
	}
	if s.RefutedBy != cmp.Or(p.Function, s.Function) {
		add("root", s.RefutedBy, true)
	}
	add("with", values(s.Values), true)
	add("caller", s.Caller, false)
	if s.Witness != "" {
		add("replay", "kvfarm replay "+filepath.Join(dir, s.Witness), true)
	}
	return c
}

func (v *pageView) changes(c *pb.Comparison) {
	add := func(what string, all []*pb.Change) {
		for _, x := range all[:min(len(all), maxChanges)] {
			s := v.R.Sites[x.Site]
			v.Changes = append(v.Changes, pageChange{classOf(s), what, Clip(at(s)), s.Kind, before(x)})
		}
	}
	add("fails", c.Worse)
	add("undecided", c.Lost)
	add("better", c.Better)
}

// pageFiles groups sites by file, those of the tree before those of the standard library.
func pageFiles(sites []*pb.Site) []pageFile {
	byFile := map[string][]*pb.Site{}
	for _, s := range sites {
		byFile[s.File] = append(byFile[s.File], s)
	}
	var files []pageFile
	for name, all := range byFile {
		f := pageFile{Name: cmp.Or(name, "no place"), Shares: shares(all, pb.Family_FAMILY_UNKNOWN)}
		for _, s := range all {
			f.Sites = append(f.Sites, row(s))
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b pageFile) int {
		return cmp.Or(treeFirst(a.Name, b.Name), strings.Compare(a.Name, b.Name))
	})
	return files
}

// maxRoots bounds the roots that a site names.
const maxRoots = 8

func row(s *pb.Site) pageSite {
	x := pageSite{
		Class: classOf(s), At: fmt.Sprintf("%d:%d", s.Line, s.Column), Text: cmp.Or(s.Text, s.Function),
		Kind: s.Kind, Short: kindCalled(s.Kind).Short, Detail: s.Reason,
		Roots: strings.Join(s.Roots[:min(len(s.Roots), maxRoots)], "\n"),
	}
	if more := len(s.Roots) - maxRoots; more > 0 {
		x.Roots += fmt.Sprintf("\nand %d more", more)
	}
	for _, c := range classes {
		if c.Class == x.Class {
			x.Verdict = c.Label
		}
	}
	if s.Verdict == pb.Verdict_REFUTED {
		x.Detail = "with " + values(s.Values)
	}
	return x
}
