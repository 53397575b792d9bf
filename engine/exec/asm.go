package exec

import (
	"strings"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// asmKind is what a piece of inline assembly is known to do.
type asmKind uint8

const (
	asmUnknown asmKind = iota
	asmNothing         // a barrier, a pause, a WARN: goes on
	asmBug             // ends the machine
	asmBranch          // goes to any of its targets: a static branch
)

// harmless are instructions that a single thread does not notice.
var harmless = map[string]bool{
	"nop": true, "pause": true, "rep": true, "mfence": true, "lfence": true, "sfence": true, "endbr64": true,
	"lock": true, "addl $$0,-4(%rsp)": true, "lock addl $$0,-4(%rsp)": true,
	"yield": true, "isb": true, "dmb ish": true, "dmb ishld": true, "dmb ishst": true, "dsb sy": true, "hint #20": true,
}

// traps are the instructions by which the kernel comes to its table of bugs.
var traps = map[string]bool{"ud2": true, "brk 0x800": true}

// jumpsAway reports whether c does nothing but go to a target of the assembly.
func jumpsAway(c string) bool {
	return strings.HasPrefix(c, "jmp ${") || strings.HasPrefix(c, "b ${")
}

// classify recognises the templates that have a model. Assembly with results has none.
func classify(a *ir.Asm, branches bool) asmKind {
	code, warn, bug := statements(a.Template)
	switch {
	case strings.Contains(a.Constraints, "="):
		return asmUnknown
	case branches:
		if len(code) == 1 && (code[0] == "nop" || jumpsAway(code[0]) || strings.HasPrefix(code[0], ".byte 0x0f,0x1f")) {
			return asmBranch
		}
		return asmUnknown
	case bug && len(code) == 1 && traps[code[0]]:
		if warn {
			return asmNothing
		}
		return asmBug
	}
	for _, c := range code {
		if !harmless[c] {
			return asmUnknown
		}
	}
	return asmNothing
}

// statements lists the instructions of a template, without labels, comments and
// what goes into other sections. It also says whether it makes an entry of the
// kernel's table of bugs, and whether that entry is a warning: its flags are odd.
func statements(template string) (code []string, warn, bug bool) {
	var sections []string
	flags := "0"
	for _, line := range strings.Split(template, "\n") {
		line, comment, _ := strings.Cut(line, "# ")
		for _, c := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' }) {
			c = instruction(c)
			switch {
			case c == "":
			case strings.HasPrefix(c, ".pushsection"):
				sections = append(sections, c)
				bug = bug || strings.Contains(c, bugTable)
			case strings.HasPrefix(c, ".popsection"):
				sections = sections[:max(len(sections)-1, 0)]
			case len(sections) > 0:
				if n, ok := bugFlags(c, comment); ok && strings.Contains(sections[len(sections)-1], bugTable) {
					flags = n
				}
			default:
				code = append(code, strings.ReplaceAll(c, ", ", ","))
			}
		}
	}
	return code, strings.ContainsRune("13579", rune(flags[len(flags)-1])), bug
}

const bugTable = "__bug_table"

// instruction is c with single spaces, and without comments and the label in front.
func instruction(c string) string {
	c = strings.Join(strings.Fields(c), " ")
	if i := strings.Index(c, "*/"); strings.HasPrefix(c, "/*") && i > 0 {
		c = strings.TrimSpace(c[i+2:])
	}
	if label, rest, ok := strings.Cut(c, ":"); ok && strings.Trim(label, "0123456789") == "" {
		c = strings.TrimSpace(rest)
	}
	return c
}

// bugFlags returns the number that c puts into a bug's entry, if it may be its
// flags: x86 says so in a comment; on arm64 they are the last short number.
func bugFlags(c, comment string) (string, bool) {
	if n, ok := strings.CutPrefix(c, ".word "); ok {
		return n, n != "" && strings.Contains(comment, "bug_entry::flags")
	}
	n, ok := strings.CutPrefix(c, ".short ")
	return n, ok && n != ""
}

// assembly executes a call of inline assembly.
func (x *exec) assembly(s *state, in *ir.Inst) (bool, error) {
	args, err := x.operands(s, in.Args[1:])
	if err != nil {
		return false, err
	}
	switch classify(in.Args[0].Asm, false) {
	case asmNothing:
		x.note("inline assembly that only orders, waits or warns does nothing")
		s.top.inst++
		return true, nil
	case asmBug:
		x.fails(s, expr.True, x.site(Trap, -1, s.top.place()))
		return false, errOver
	}
	return x.unknownCall(s, in, "inline assembly", args, nil)
}

// callBr is assembly that ends a block. A static branch goes any way; what other
// assembly does is not known, but it goes to one of its targets.
func (x *exec) callBr(s *state, in *ir.Inst) (bool, error) {
	asm := in.Args[0].Kind == ir.AsmRef
	if !asm || classify(in.Args[0].Asm, true) != asmBranch {
		args, err := x.operands(s, in.Args[1:])
		if err != nil {
			return false, err
		}
		if more, err := x.unknownCall(s, in, "inline assembly", args, nil); !more || err != nil {
			return more, err
		}
		s.top.inst-- // it ends the block
	} else {
		x.note("static branches go any way")
	}
	n := len(in.Targets)
	which := x.ask(s, "asm", 8, expr.True)
	var ways []way
	rest := expr.True
	for i, to := range in.Targets[:n-1] {
		eq := x.b.Eq(which, x.b.Const(uint64(i), 8))
		ways = addWay(x.b, ways, way{eq, to})
		rest = x.b.And(rest, x.b.Not(eq))
	}
	return x.branch(s, addWay(x.b, ways, way{rest, in.Targets[n-1]}))
}
