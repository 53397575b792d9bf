package expr

import (
	"fmt"
	"strings"
)

// String returns e in the notation of SMT-LIB, without let: for people, and for
// small expressions. Numbers are decimal; below maxDepth operators it says "…".
func (b *Builder) String(e Expr) string {
	var s strings.Builder
	b.print(&s, e, 0)
	return s.String()
}

const maxDepth = 12

func (b *Builder) print(s *strings.Builder, e Expr, depth int) {
	if e == None {
		s.WriteString("none")
		return
	}
	op := b.Op(e)
	switch {
	case op == OpConst:
		v, _ := b.Value(e)
		s.WriteString(v.String())
		return
	case op == OpVar:
		s.WriteString(b.VarName(e))
		return
	case depth == maxDepth:
		s.WriteString("…")
		return
	}
	s.WriteByte('(')
	switch op {
	case OpExtract:
		fmt.Fprintf(s, "extract[%d,%d)", b.Lo(e), b.Lo(e)+b.Width(e))
	case OpZExt, OpSExt:
		fmt.Fprintf(s, "%v[%d]", op, b.Width(e))
	case OpRead:
		fmt.Fprintf(s, "read %s", b.arrays[b.ArrayOf(e)].name)
	default:
		s.WriteString(op.String())
	}
	for i := range b.NumArgs(e) {
		s.WriteByte(' ')
		b.print(s, b.Arg(e, i), depth+1)
	}
	s.WriteByte(')')
}
