package interp

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/kvfarm/kvfarm/engine/ir"
)

// form is an expression that is compiled when it is needed: few slices have assembly. At the start of each
// process all of them, and verdict's, took 1.2 of the 5.6 million instructions of a small check.
type form func() *regexp.Regexp

func newForm(text string) form {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Inline assembly is understood where one thread does not notice it (barriers,
// pauses, warnings), where it ends the machine (BUG), and where it is a static branch.
var (
	remarks   = newForm(`# [^\n]*|/\*[^\n]*?\*/`)
	labels    = newForm(`(?m)^[\s;]*[0-9]+:`)
	unnoticed = newForm(`^((lock\s*;?\s*addl\s+\$\$0,\s*-4\(%rsp\)|rep\s*;\s*nop|nop|pause|[mls]fence|endbr64|yield|isb|dmb ish(ld|st)?|dsb sy|hint #20)\s*;?\s*)*$`)
	static    = newForm(`^(nop|(jmp|b)\s+\$\{\d+:l\}|\.byte 0x0f,\s*0x1f\S*)$`)
	// Sections within which there are none.
	inner = newForm(`(?s)\.pushsection(?:[^.]|\.[^p]|\.p[^uo]|\.po[^p]|\.pu[^s])*?\.popsection`)
	bug   = newForm(`^(ud2|brk\s+0x800)$`)
	// x86 names the flags of an entry of the table of bugs; on arm64 they come last.
	warning = newForm(`(?s)\.pushsection __bug_table.*(\.word\s+\d*[13579]\s*# bug_entry::flags|\.short\s+\d*[13579]\s*;\s*\.align 2;\s*\.popsection)`)
)

// body is a template without labels, comments and what goes into other sections.
func body(template string) string {
	// Sections nest: the innermost go first.
	for {
		t := inner().ReplaceAllString(template, "")
		if t == template {
			break
		}
		template = t
	}
	template = labels().ReplaceAllString(remarks().ReplaceAllString(template, ""), "")
	return strings.TrimSpace(template)
}

func doAsm(m *machine, in *inst) *Outcome {
	a := in.x.ir.Args[0].Asm
	if a == nil || in.dst >= 0 || strings.Contains(a.Constraints, "=") {
		return m.unsupported("asm")
	}
	text := body(a.Template)
	switch {
	case unnoticed().MatchString(text):
		return nil
	case !bug().MatchString(text) || !strings.Contains(a.Template, "__bug_table"):
		return m.unsupported("asm")
	case warning().MatchString(a.Template):
		return nil
	}
	return m.ub(UBTrap, "BUG")
}

func decodeCallBr(d *decoder, in *ir.Inst, c *inst, b int) error {
	if len(in.Targets) == 0 || len(in.Args) == 0 {
		return errors.New("no target or callee")
	}
	a := in.Args[0].Asm
	if a == nil || in.Result >= 0 || strings.Contains(a.Constraints, "=") || !static().MatchString(body(a.Template)) {
		c.do = func(m *machine, _ *inst) *Outcome { return m.unsupported("asm") }
		return nil
	}
	c.do = doStaticBranch
	return d.edges(in, c, b)
}

// doStaticBranch goes where an input says.
func doStaticBranch(m *machine, in *inst) *Outcome {
	v, end := m.dynamic("asm", 8, 8)
	if end != nil {
		return end
	}
	return m.follow(&in.x.edges[min(v.Uint64(), uint64(len(in.x.edges)-1))])
}
