package expr_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/expr"
)

// TestRuleExamples checks what testdata/rules.txt says of each rule, and that
// it says of each where it applies and where it does not.
func TestRuleExamples(t *testing.T) {
	text, err := os.ReadFile("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]expr.Rule{}
	for _, r := range expr.Rules() {
		rules[r.Name] = r
	}
	applies, left := map[string]bool{}, map[string]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		name, example, _ := strings.Cut(line, ": ")
		result, err := checkExample(rules[name], example)
		if err != nil {
			t.Errorf("rules.txt:%d: %s: %v", i+1, name, err)
		}
		applies[name] = applies[name] || result
		left[name] = left[name] || !result
	}
	for name := range rules {
		if !applies[name] || !left[name] {
			t.Errorf("%s: no example, or no counterexample", name)
		}
	}
}

func checkExample(r expr.Rule, example string) (applies bool, err error) {
	example, result, applies := strings.Cut(example, " => ")
	p := newParser(strings.TrimSuffix(example, " no"))
	op, width, lo, args := p.operation()
	if op != r.Op {
		return applies, fmt.Errorf("%q is no %v", example, r.Op)
	}
	got := r.Apply(p.b, width, lo, args...)
	want := expr.None
	if applies {
		p.rest = tokens(result)
		want = p.expr()
	}
	if got != want {
		return applies, fmt.Errorf("got %s, want %s", p.b.String(got), p.b.String(want))
	}
	return applies, nil
}

// parser reads expressions as rules.txt writes them.
type parser struct {
	b    *expr.Builder
	vars map[string]expr.Expr
	rest []string
}

func newParser(text string) *parser {
	p := &parser{b: expr.NewBuilder(), vars: map[string]expr.Expr{}, rest: tokens(text)}
	for _, name := range strings.Fields("x y z u a b p q r") {
		width := 8
		switch {
		case name == "a" || name == "b":
			width = 4
		case name >= "p" && name <= "r":
			width = 1
		}
		p.vars[name] = p.b.Var(name, width)
	}
	return p
}

func tokens(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

func (p *parser) next() string {
	tok := p.rest[0]
	p.rest = p.rest[1:]
	return tok
}

func (p *parser) number() int {
	n, err := strconv.Atoi(p.next())
	if err != nil {
		panic(err)
	}
	return n
}

func (p *parser) expr() expr.Expr {
	if p.rest[0] == "(" {
		return p.call()
	}
	tok := p.next()
	if value, width, ok := strings.Cut(tok, ":"); ok {
		v, _ := strconv.ParseUint(value, 10, 64)
		w, _ := strconv.Atoi(width)
		return p.b.Const(v, w)
	}
	return p.vars[tok]
}

func (p *parser) call() expr.Expr {
	b := p.b
	if name := p.rest[1]; name == "not" || name == "neg" || name == "or" || name == "sub" {
		p.rest = p.rest[2:]
		args := p.args()
		switch name {
		case "not":
			return b.Not(args[0])
		case "neg":
			return b.Neg(args[0])
		case "or":
			return b.Or(args[0], args[1])
		}
		return b.Sub(args[0], args[1])
	}
	op, width, lo, args := p.operation()
	if op == expr.OpExtract || op == expr.OpZExt || op == expr.OpSExt {
		if width == b.Width(args[0]) {
			return args[0]
		}
	}
	return b.Make(op, width, lo, args...)
}

func (p *parser) args() (out []expr.Expr) {
	for p.rest[0] != ")" {
		out = append(out, p.expr())
	}
	p.next()
	return out
}

var opsByName = map[string]expr.Op{
	"and": expr.OpAnd, "xor": expr.OpXor, "add": expr.OpAdd, "mul": expr.OpMul,
	"udiv": expr.OpUDiv, "urem": expr.OpURem, "sdiv": expr.OpSDiv, "srem": expr.OpSRem,
	"shl": expr.OpShl, "lshr": expr.OpLShr, "ashr": expr.OpAShr,
	"umulovf": expr.OpUMulOvf, "smulovf": expr.OpSMulOvf,
	"eq": expr.OpEq, "ult": expr.OpUlt, "slt": expr.OpSlt, "ite": expr.OpITE,
	"concat": expr.OpConcat, "extract": expr.OpExtract, "zext": expr.OpZExt, "sext": expr.OpSExt,
}

// operation reads one operation without making it.
func (p *parser) operation() (op expr.Op, width, lo int, args []expr.Expr) {
	p.next()
	op = opsByName[p.next()]
	switch op {
	case expr.OpExtract:
		lo = p.number()
		width = p.number() - lo
		return op, width, lo, p.args()
	case expr.OpZExt, expr.OpSExt:
		width = p.number()
		return op, width, 0, p.args()
	}
	args = p.args()
	width = p.b.Width(args[0])
	switch op {
	case expr.OpEq, expr.OpUlt, expr.OpSlt, expr.OpUMulOvf, expr.OpSMulOvf:
		width = 1
	case expr.OpConcat:
		width += p.b.Width(args[1])
	case expr.OpITE:
		width = p.b.Width(args[1])
	}
	return op, width, 0, args
}
