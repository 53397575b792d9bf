package expr

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteSMTLIB writes the conjunction of conds, of width 1, as a query in
// SMT-LIB 2.6 for other solvers: every operation is defined once, truth values
// are bit vectors of width 1.
func (b *Builder) WriteSMTLIB(w io.Writer, conds []Expr) error {
	p := smtPrinter{b: b, w: bufio.NewWriter(w), defined: map[Expr]bool{}, arrays: map[Array]bool{}}
	fmt.Fprintln(p.w, "(set-logic QF_ABV)")
	for _, e := range conds {
		b.Walk(e, func(x Expr) bool { return p.defined[x] }, p.define)
		fmt.Fprintf(p.w, "(assert (= %s #b1))\n", p.ref(e))
	}
	fmt.Fprintln(p.w, "(check-sat)")
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write query: %w", err)
	}
	return nil
}

type smtPrinter struct {
	b       *Builder
	w       *bufio.Writer
	defined map[Expr]bool
	arrays  map[Array]bool // declared
}

// ref names e.
func (p *smtPrinter) ref(e Expr) string {
	switch {
	case p.b.IsConst(e):
		v, _ := p.b.Value(e)
		return literal(v, p.b.Width(e))
	case e.neg():
		return fmt.Sprintf("(bvnot e%d)", e.node())
	}
	return fmt.Sprintf("e%d", e.node())
}

func literal(v Value, width int) string {
	if width%4 == 0 {
		return fmt.Sprintf("#x%0*x", width/4, v.Big())
	}
	return fmt.Sprintf("#b%0*b", width, v.Big())
}

func (p *smtPrinter) define(e Expr) {
	p.defined[e] = true
	width := p.b.Width(e)
	switch p.b.Op(e) {
	case OpConst:
	case OpVar:
		fmt.Fprintf(p.w, "(declare-const e%d (_ BitVec %d)) ; %s\n", e.node(), width, oneLine(p.b.VarName(e)))
	case OpRead:
		fmt.Fprintf(p.w, "(define-fun e%d () (_ BitVec %d) %s)\n", e.node(), width, p.read(p.b.ArrayOf(e), p.ref(p.b.Arg(e, 0))))
	default:
		fmt.Fprintf(p.w, "(define-fun e%d () (_ BitVec %d) %s)\n", e.node(), width, p.operation(e))
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p *smtPrinter) operation(e Expr) string {
	b, n := p.b, p.b.NumArgs(e)
	args := make([]string, n)
	for i := range args {
		args[i] = p.ref(b.Arg(e, i))
	}
	switch op := b.Op(e); op {
	case OpEq, OpUlt, OpSlt:
		return fmt.Sprintf("(ite (%v %s %s) #b1 #b0)", op, args[0], args[1])
	case OpUMulOvf, OpSMulOvf:
		return mulOvfSMTLIB(op, b.Width(b.Arg(e, 0)), args)
	case OpITE:
		return fmt.Sprintf("(ite (= %s #b1) %s %s)", args[0], args[1], args[2])
	case OpExtract:
		return fmt.Sprintf("((_ extract %d %d) %s)", b.Lo(e)+b.Width(e)-1, b.Lo(e), args[0])
	case OpZExt, OpSExt:
		return fmt.Sprintf("((_ %v %d) %s)", op, b.Width(e)-b.Width(b.Arg(e, 0)), args[0])
	default:
		return fmt.Sprintf("(%v %s %s)", op, args[0], args[1])
	}
}

// mulOvfSMTLIB asks whether the product at twice the width is the extension of
// its low half: SMT-LIB's own predicates are too new for many solvers.
func mulOvfSMTLIB(op Op, width int, args []string) string {
	extend := "zero_extend"
	if op == OpSMulOvf {
		extend = "sign_extend"
	}
	wide := fmt.Sprintf("(bvmul ((_ %s %d) %s) ((_ %s %d) %s))", extend, width, args[0], extend, width, args[1])
	return fmt.Sprintf("(ite (= %s ((_ %s %d) (bvmul %s %s))) #b0 #b1)", wide, extend, width, args[0], args[1])
}

// read writes an element of a free array, which it declares, or a choice among
// the elements of a table: arrays with content are not in every solver's QF_ABV.
func (p *smtPrinter) read(a Array, at string) string {
	_, index, elem, elems := p.b.ArrayShape(a)
	if !p.b.IsTable(a) {
		if !p.arrays[a] {
			p.arrays[a] = true
			fmt.Fprintf(p.w, "(declare-const a%d (Array (_ BitVec %d) (_ BitVec %d)))\n", a, index, elem)
		}
		return fmt.Sprintf("(select a%d %s)", a, at)
	}
	var s strings.Builder
	n := 0
	for i, v := range elems {
		if uint64(i) > mask(index) {
			break
		}
		fmt.Fprintf(&s, "(ite (= %s %s) %s ", at, literal(ValueOf(uint64(i)), index), literal(ValueOf(v&mask(elem)), elem))
		n++
	}
	s.WriteString(literal(Value{}, elem))
	s.WriteString(strings.Repeat(")", n))
	return s.String()
}
