package smt

import (
	"fmt"

	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// Stages are those that a chain can do without; the folder makes queries what
// the others take them for.
var Stages = []string{"recent", "slicer", "cache", "numbers", "lazy", "ranges", "repair"}

// Without returns a Config whose chain lacks a stage.
func Without(stage string) Config { return Config{without: stage} }

// Division is one division in circuits and clauses, as tests see it.
type Division struct {
	sat    sat.Solver
	c      *circuit
	cnf    *cnf
	x, y   []lit
	number uint64
	result []lit // the quotient above the remainder
}

// NewDivision makes a division by the number y, as a constant or in a variable.
func NewDivision(newSAT func() sat.Solver, width int, y uint64, sign, constant bool) *Division {
	c, s := newCircuit(), newSAT()
	d := &Division{sat: s, c: c, cnf: newCNF(c, s, new(Stats)), x: c.inputs(width), y: word(y, width), number: y}
	if !constant {
		d.y = c.inputs(width)
	}
	quo, rem := c.divide(d.x, d.y, sign)
	d.result = append(append([]lit(nil), rem...), quo...)
	return d
}

// Only reports whether x divides into quo and rem and into nothing else.
func (d *Division) Only(x, quo, rem uint64) error {
	width := len(d.x)
	inputs := d.c.and(d.c.eq(d.x, word(x, width)), d.c.eq(d.y, word(d.number, width)))
	same := d.c.eq(d.result, append(word(rem, width), word(quo, width)...))
	for _, q := range []struct {
		l    lit
		want sat.Result
	}{{same, sat.Sat}, {same ^ 1, sat.Unsat}} {
		if r, _ := d.sat.Solve(1<<30, d.cnf.lit(inputs), d.cnf.lit(q.l)); r != q.want {
			return fmt.Errorf("result %d and %d: got %v, want %v", quo, rem, r, q.want)
		}
	}
	return nil
}

// Strongest is strongest, for tests.
var Strongest = strongest
