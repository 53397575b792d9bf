package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/engine/verdict"
)

// Nobody checks the callers of a function that C calls. That it fails is then a
// fact about the kernel, not about some Rust code that could be called wrongly,
// if the input is one that C may pass: any number that the type allows. What lies
// behind a pointer is not: C has its own reasons to believe that it is valid. Nor
// are the arguments of an unsafe function, whose Safety section may exclude them.

var (
	externC = regexp.MustCompile(`\bextern\b.*\bfn\b`)
	unsafeC = regexp.MustCompile(`\bunsafe\b.*\bfn\b`)
)

// C reports whether C calls the function that r starts from: it can, and its
// source says that it is meant to. A written check looks like that, too, but has
// no caller.
func C(tree Source, r position.Root) bool {
	return r.Kind != position.Check && r.Called != "" && externC.MatchString(header(tree, r))
}

// header is the line that declares r's function; "" if it is not to be seen.
func header(tree Source, r position.Root) string {
	line, _ := tree.Line(r.File, r.Line)
	return line
}

// alwaysSafe reports whether the comment above r's function says in its Safety
// section that there is nothing to keep to: the kernel exports a function to C by
// an attribute that wants it to be unsafe, whatever it does.
func alwaysSafe(tree Source, r position.Root) bool {
	section := ""
	for n := r.Line - 1; n > 0; n-- {
		line, _ := tree.Line(r.File, n)
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "#[") {
			return false
		}
		doc, ok := strings.CutPrefix(line, "///")
		if doc = strings.TrimSpace(doc); ok && doc == "# Safety" {
			return strings.TrimSpace(section) == "Always safe to call."
		}
		if ok {
			section = doc + "\n" + section
		}
	}
	return false
}

// What a failure of a function that C calls hangs on.
const (
	anyCaller   = "C calls it, and may pass these numbers"
	noArgument  = "C calls it, and no argument of it matters"
	pointed     = "C calls it, and may know that what it points to is not like this"
	unsafeInput = "C calls it, but it is an unsafe fn, whose Safety section may exclude these arguments"
	undefinedC  = "C calls it, and may know that its pointers lead to what they should"
)

// trap is the kind of a place that ends the kernel on purpose.
const trap = "trap"

// validByC is why undefined behaviour in a function that C calls by its address is
// not told as a failure. Nothing but C's tables leads to it, and what they are
// called with is C's contract: any pointer at all would be a false alarm.
const validByC = "hangs on pointers from C, which answers for them"

// trusting returns sites without the refutations of p that hang on C's pointers alone,
// and whether there were any.
func (b *Builder) trusting(p *Proof, sites []verdict.Site) ([]verdict.Site, bool) {
	if p.Root.Called != position.ByAddress || !C(b.tree, p.Root) {
		return sites, false
	}
	any := false
	for i := range sites {
		s := &sites[i]
		if s.Verdict == verdict.Refuted && p.undefined(s) && s.Kind != trap {
			s.Verdict, s.Reason, any = verdict.Unknown, validByC, true
		}
	}
	return sites, any
}

// fromC says what the failure of s in p, whose root C calls, hangs on, and
// whether C's callers can bring it about.
func (b *Builder) fromC(p *Proof, s *verdict.Site) (why string, direct bool) {
	arguments, behind := reads(&p.Verdict.Witnesses[s.Witness])
	switch {
	case p.undefined(s) && s.Kind != trap:
		return undefinedC, false
	case behind:
		return pointed, false
	case len(p.Verdict.Witnesses[s.Witness].Zero) > 0:
		return byC, false
	case !arguments:
		return noArgument, true
	case unsafeC.MatchString(header(b.tree, p.Root)) && !alwaysSafe(b.tree, p.Root):
		return unsafeInput, false
	}
	return anyCaller, true
}

// What a failure hangs on that some caller in Rust may not be able to bring about.
const (
	byField  = "may not exist: it hangs on a private field, which only the module of its type sets"
	byType   = "may not exist: it hangs on what lies behind a pointer, which a type may exclude"
	bySafety = "may not exist: it is an unsafe fn, whose Safety section may exclude these arguments"
	byLead   = "may not exist: it hangs on where pointers lead, of which a type may promise more"
	byC      = "may not exist: it hangs on what C returned, which may never be 0"
)

// hangsOn says what the failure of s in p hangs on, and whether that may be excluded by what the
// slice does not tell: then it is no mistake of the function.
func (b *Builder) hangsOn(p *Proof, s *verdict.Site) (why string, fromC, guarded bool) {
	if p.Root.Kind == position.Check {
		return "", false, false
	}
	if C(b.tree, p.Root) {
		why, fromC = b.fromC(p, s)
		return why, fromC, !fromC
	}
	w := &p.Verdict.Witnesses[s.Witness]
	_, behind := reads(w)
	switch {
	case behind:
		return byType, false, true
	case p.hidden(w):
		return byField, false, true
	case unsafeC.MatchString(header(b.tree, p.Root)):
		return bySafety, false, true
	case p.undefined(s) && slices.ContainsFunc(w.Inputs, ofPointer):
		return byLead, false, true
	case len(w.Zero) > 0:
		return byC, false, true
	}
	return "", false, false
}

// hidden reports whether a witness names a number of p's root that is a private field of its type. It may
// keep to an invariant that no type tells.
func (p *Proof) hidden(w *verdict.Witness) bool {
	return slices.ContainsFunc(w.Inputs, func(in verdict.Input) bool {
		i, err := strconv.Atoi(strings.TrimPrefix(in.Name, "arg"))
		return err == nil && strings.HasPrefix(in.Name, "arg") && slices.Contains(p.Positions.Private, i)
	})
}

// ofPointer reports whether an input of a root says of a pointer where it leads.
func ofPointer(in verdict.Input) bool {
	return strings.HasPrefix(in.Name, "arg") && strings.Contains(in.Name, ".")
}

// reads reports whether a witness names arguments of its root, and whether the
// failure may hang on what they point to: on content that was read, or on a pointer
// that is null. That there is some object of some size behind it hangs on nothing.
func reads(w *verdict.Witness) (arguments, behind bool) {
	for _, in := range w.Inputs {
		if !strings.HasPrefix(in.Name, "arg") {
			continue
		}
		arguments = true
		switch {
		case strings.Contains(in.Name, ".data["):
			behind = true
		case strings.HasSuffix(in.Name, ".null"):
			behind = behind || in.Value != "0"
		}
	}
	return arguments, behind
}
