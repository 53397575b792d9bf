package certificate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// stepConflicts bounds the search for one proof. A run's own queries may spend a
// few thousand; a proof begins from nothing.
const stepConflicts = 20_000

// tooHard is the reason of steps that the chain found as numbers, mostly.
const tooHard = "no proof within the conflicts that a step may take"

// Writer collects the contradictions of a run, and writes them down after it:
// what it makes while it looks for proofs must not change the run. A root may
// take two runs, each with expressions of a Builder of its own.
type Writer struct {
	dir     string
	index   Index
	b       *expr.Builder // of the run whose queries are being told
	unsat   [][]expr.Expr // in that run
	refuter *smt.Refuter
	cores   map[expr.Expr][]core // by each of their conditions
	err     error                // the first of a run that is over
}

// core is conditions that a step is about, ascending.
type core struct {
	conds []expr.Expr
	step  int
}

// NewWriter returns a Writer into a folder, which it makes.
func NewWriter(dir string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	return &Writer{dir: dir, index: Index{Version: Version, Steps: []Step{}}}, nil
}

// Query takes note of an answer. With the first one about expressions of another
// Builder the run before is over.
func (w *Writer) Query(b *expr.Builder, conds []expr.Expr, r smt.Result) {
	if b != w.b {
		w.flush()
		w.b = b
	}
	w.index.Queries++
	if r == smt.Unsat {
		w.unsat = append(w.unsat, slices.Clone(conds))
	}
}

// step adds an answer to the step that it rests on, which is made if need be.
func (w *Writer) step(conds []expr.Expr) error {
	all := w.refuter.Conjuncts(conds)
	for _, e := range all {
		for _, c := range w.cores[e] {
			if subset(c.conds, all) {
				w.index.Steps[c.step].Answers++
				return nil
			}
		}
	}
	return w.add(all)
}

// subset reports whether all of x are in y, which is ascending.
func subset(x, y []expr.Expr) bool {
	for _, e := range x {
		if _, ok := slices.BinarySearch(y, e); !ok {
			return false
		}
	}
	return true
}

// add makes a step of a contradiction.
func (w *Writer) add(conds []expr.Expr) error {
	s := Step{Name: stepName(len(w.index.Steps)), Answers: 1}
	base := filepath.Join(w.dir, s.Name)
	r, c := w.refuter.Refute(conds)
	if r == smt.Sat { // for who looks into it
		err := create(base+".smt2", func(f *bufio.Writer) error { return w.b.WriteSMTLIB(f, conds) })
		return errors.Join(fmt.Errorf("certify step %s: the conditions have a model", s.Name), err)
	}
	if c == nil {
		s.Reason = tooHard
		c = &smt.Contradiction{Core: conds}
	} else if err := w.prove(&s, base, c.Clauses); err != nil {
		return err
	}
	for _, e := range c.Core {
		w.cores[e] = append(w.cores[e], core{c.Core, len(w.index.Steps)})
	}
	w.index.Steps = append(w.index.Steps, s)
	return create(base+".smt2", func(f *bufio.Writer) error { return w.b.WriteSMTLIB(f, c.Core) })
}

// prove writes formula and proof of a step, if a proof is found.
func (w *Writer) prove(s *Step, base string, clauses [][]sat.Lit) error {
	if err := create(base+".cnf", func(f *bufio.Writer) error { return writeFormula(f, clauses) }); err != nil {
		return err
	}
	r, err := sat.Prove(base+".cnf", stepConflicts, base+".lrat")
	switch {
	case err != nil:
		return fmt.Errorf("certify step %s: %w", s.Name, err)
	case r == smt.Sat:
		return fmt.Errorf("certify step %s: the formula has a model", s.Name)
	case r == smt.Unsat:
		s.Proved, s.Clauses = true, len(clauses)
		return nil
	}
	s.Reason = tooHard
	return nil
}

func writeFormula(f *bufio.Writer, clauses [][]sat.Lit) error {
	vars := sat.Lit(0)
	for _, c := range clauses {
		for _, l := range c {
			vars = max(vars, l, -l)
		}
	}
	fmt.Fprintf(f, "p cnf %d %d\n", vars, len(clauses))
	for _, c := range clauses {
		for _, l := range c {
			fmt.Fprintf(f, "%d ", l)
		}
		f.WriteString("0\n")
	}
	return nil
}

// flush looks for proofs of what a run found.
func (w *Writer) flush() {
	unsat := w.unsat
	w.unsat, w.index.Unsat = nil, w.index.Unsat+len(unsat)
	if w.b == nil || w.err != nil {
		return
	}
	w.refuter, w.cores = smt.NewRefuter(w.b, stepConflicts), map[expr.Expr][]core{}
	for _, conds := range unsat {
		if w.err = w.step(conds); w.err != nil {
			return
		}
	}
}

// Close writes all files. An error may be that a contradiction is none.
func (w *Writer) Close() error {
	if w.flush(); w.err != nil {
		return w.err
	}
	return create(filepath.Join(w.dir, indexName), func(f *bufio.Writer) error {
		e := json.NewEncoder(f)
		e.SetIndent("", " ")
		return e.Encode(w.index)
	})
}

// create writes a file. Errors of f are found when it is flushed.
func create(name string, write func(*bufio.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	w := bufio.NewWriter(f)
	err = write(w)
	if ferr := w.Flush(); err == nil {
		err = ferr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}
