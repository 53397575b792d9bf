package interp_test

import (
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// TestArithmetic runs the lines of testdata/arith.txt, each of the form
//
//	instruction = result ...
//
// An operand "poison" or a number is written with its type, as in the text
// form; the result is "poison", a word of undefined behaviour, or numbers, one
// per field.
func TestArithmetic(t *testing.T) {
	text, err := os.ReadFile("testdata/arith.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, ";")
		if strings.TrimSpace(line) == "" {
			continue
		}
		what, want, ok := strings.Cut(line, " = ")
		if !ok {
			t.Fatalf("line %d: no result", i+1)
		}
		got, err := evaluate(strings.TrimSpace(what))
		if err != nil {
			t.Errorf("line %d: %v", i+1, err)
			continue
		}
		if got != strings.TrimSpace(want) {
			t.Errorf("line %d: %s = %s, want %s", i+1, what, got, strings.TrimSpace(want))
		}
	}
}

// evaluate runs "T: instruction" and shows the outcome.
func evaluate(what string) (string, error) {
	typ, inst, ok := strings.Cut(what, ": ")
	if !ok {
		return "", fmt.Errorf("%s: no type", what)
	}
	var externs string
	if name, rest, ok := strings.Cut(inst, "("); ok && strings.HasPrefix(name, "llvm.") {
		args := strings.TrimSuffix(rest, ")")
		externs = fmt.Sprintf("extern @e %q (%s) -> %s\n", name, types(args), typ)
		inst = fmt.Sprintf("call %s @e(%s)", typ, args)
	}
	s, err := ir.Parse([]byte(fmt.Sprintf("kvslice 1\narch x86_64\n%sfunc @f () -> %s {\n%%r = %s\nret %s %%r\n}\n", externs, typ, inst, typ)))
	if err != nil {
		return "", err
	}
	o, err := interp.Run(s, interp.Witness(nil), interp.Limits{})
	if err != nil {
		return "", err
	}
	if o.Kind != interp.Returned {
		return o.What, nil
	}
	return numbers(o.Result), nil
}

// types keeps the types of a list of operands.
func types(args string) string {
	var out []string
	for _, a := range strings.Split(args, ", ") {
		out = append(out, a[:strings.LastIndex(a, " ")])
	}
	return strings.Join(out, ", ")
}

func numbers(vs []*big.Int) string {
	var out []string
	for _, v := range vs {
		if v == nil {
			out = append(out, "poison")
		} else {
			out = append(out, v.String())
		}
	}
	return strings.Join(out, " ")
}
