// Package lrat checks proofs that clauses cannot hold together, as SAT solvers
// write them: formulas in DIMACS, proofs in LRAT, both as text. It shares
// nothing with the solvers, and is small so that one can read it.
//
// A proof is a list of clauses. Each follows from those before it by unit
// propagation, and says from which, in the order in which they are used; the
// last is empty. Steps that need more than propagation (RAT) are refused: the
// solver in use makes none.
package lrat

import (
	"errors"
	"fmt"
	"io"
)

// ErrIncomplete is that a proof ends before it derives the empty clause.
var ErrIncomplete = errors.New("proof does not derive the empty clause")

// Check reports why proof does not show that the formula has no model, nil if it
// does. It reads both to the end of the proof's empty clause at most.
func Check(formula, proof io.Reader) error {
	c := &checker{clauses: map[int64][]int32{}}
	if err := c.formula(newReader(formula)); err != nil {
		return fmt.Errorf("check proof: formula: %w", err)
	}
	r := newReader(proof)
	for {
		done, err := c.step(r)
		switch {
		case err == io.EOF:
			return fmt.Errorf("check proof: %w", ErrIncomplete)
		case err != nil:
			return fmt.Errorf("check proof: line %d: %w", r.line, err)
		case done:
			return nil
		}
	}
}

type checker struct {
	clauses map[int64][]int32
	last    int64  // greatest clause number
	value   []int8 // by variable: 1 true, -1 false
	trail   []int32
}

// MaxVariables bounds a formula, so that a header cannot claim all memory.
const MaxVariables = 1 << 26

func (c *checker) formula(r *reader) error {
	vars, clauses, err := r.header()
	if err != nil {
		return err
	}
	if vars < 0 || vars > MaxVariables || clauses < 0 {
		return fmt.Errorf("%d variables and %d clauses", vars, clauses)
	}
	c.value = make([]int8, vars+1)
	for c.last < clauses {
		lits, err := c.literals(r)
		if err == io.EOF {
			return fmt.Errorf("%d clauses, header says %d", c.last, clauses)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", r.line, err)
		}
		c.last++
		c.clauses[c.last] = lits
	}
	if _, err := r.number(); err != io.EOF {
		return fmt.Errorf("more than %d clauses", clauses)
	}
	return nil
}

// literals reads a clause up to its 0. Its end is io.EOF only before the first number.
func (c *checker) literals(r *reader) ([]int32, error) {
	var out []int32
	for {
		n, err := r.number()
		if err == io.EOF && out != nil {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		if max(n, -n) >= int64(len(c.value)) {
			return nil, fmt.Errorf("literal %d of %d variables", n, len(c.value)-1)
		}
		out = append(out, int32(n))
	}
}

// step reads and checks a line of the proof, and reports whether it is the empty clause.
func (c *checker) step(r *reader) (done bool, err error) {
	id, err := r.number()
	if err != nil {
		return false, err
	}
	if r.deletes() {
		return false, noEOF(c.delete(r))
	}
	if id <= c.last {
		return false, fmt.Errorf("clause %d after clause %d", id, c.last)
	}
	lits, err := c.literals(r)
	if err != nil {
		return false, noEOF(err)
	}
	if err := c.implied(r, lits); err != nil {
		return false, fmt.Errorf("clause %d: %w", id, noEOF(err))
	}
	c.last = id
	c.clauses[id] = lits
	return len(lits) == 0, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *checker) delete(r *reader) error {
	for {
		id, err := r.number()
		if err != nil || id == 0 {
			return err
		}
		if _, ok := c.clauses[id]; !ok {
			return fmt.Errorf("deletes clause %d, which is not there", id)
		}
		delete(c.clauses, id)
	}
}

// implied assumes that lits are false and propagates through the clauses that
// the proof names, until one has no literal left.
func (c *checker) implied(r *reader, lits []int32) error {
	defer c.undo()
	conflict := false
	for _, l := range lits {
		conflict = conflict || c.is(l) == 1 // l and its complement
		c.set(-l)
	}
	for {
		id, err := r.number()
		switch {
		case err != nil:
			return err
		case id == 0 && !conflict:
			return errors.New("does not follow from the clauses named")
		case id == 0:
			return nil
		case id < 0:
			return errors.New("needs more than unit propagation")
		case conflict:
			continue // proofs may name more than they need
		}
		if conflict, err = c.propagate(id); err != nil {
			return err
		}
	}
}

// propagate makes the one open literal of a clause true, or reports that there is none.
func (c *checker) propagate(id int64) (conflict bool, err error) {
	clause, ok := c.clauses[id]
	if !ok {
		return false, fmt.Errorf("names clause %d, which is not there", id)
	}
	var open int32
	for _, l := range clause {
		switch v := c.is(l); {
		case v == 1:
			return false, fmt.Errorf("names clause %d, which holds", id)
		case v == 0 && open != 0 && open != l:
			return false, fmt.Errorf("names clause %d, which is not a unit", id)
		case v == 0:
			open = l
		}
	}
	if open == 0 {
		return true, nil
	}
	c.set(open)
	return false, nil
}

func (c *checker) is(l int32) int8 {
	if l < 0 {
		return -c.value[-l]
	}
	return c.value[l]
}

func (c *checker) set(l int32) {
	v, value := l, int8(1)
	if l < 0 {
		v, value = -l, -1
	}
	if c.value[v] == 0 {
		c.value[v] = value
		c.trail = append(c.trail, v)
	}
}

func (c *checker) undo() {
	for _, v := range c.trail {
		c.value[v] = 0
	}
	c.trail = c.trail[:0]
}
