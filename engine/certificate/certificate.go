// Package certificate keeps evidence for what a proof rests on: each
// contradiction that the solver found, as a formula in clauses with an LRAT
// proof, and as an SMT-LIB query for other solvers. What has no such evidence is
// listed as open, with the query.
//
// Evidence starts where the solver starts, from conditions. That the conditions
// are the right ones is up to the executor, and that rewriting them keeps their
// meaning is up to the proofs of its rules.
package certificate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Version is the version of an index.
const Version = 1

// indexName is the file of a certificate's folder that lists the others.
const indexName = "index.json"

// Index lists the steps of a certificate.
type Index struct {
	Version int    `json:"version"`
	Queries int    `json:"queries"` // that the solver was asked
	Unsat   int    `json:"unsat"`   // of these, contradictions
	Steps   []Step `json:"steps"`
}

// Step is one contradiction. Its query is in Name.smt2; a proved one has its
// formula in Name.cnf and its proof in Name.lrat.
type Step struct {
	Name    string `json:"name"`
	Proved  bool   `json:"proved"`
	Reason  string `json:"reason,omitempty"` // why there is no proof
	Answers int    `json:"answers"`          // of the solver that rest on it
	Clauses int    `json:"clauses,omitempty"`
}

// Open returns the steps without a proof.
func (x *Index) Open() []Step {
	var out []Step
	for _, s := range x.Steps {
		if !s.Proved {
			out = append(out, s)
		}
	}
	return out
}

// Read reads the index of a certificate.
func Read(dir string) (*Index, error) {
	b, err := os.ReadFile(filepath.Join(dir, indexName))
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	var x Index
	if err := json.Unmarshal(b, &x); err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", dir, err)
	}
	if x.Version != Version {
		return nil, fmt.Errorf("read certificate %s: version %d, want %d", dir, x.Version, Version)
	}
	answers := 0
	for i, s := range x.Steps {
		if s.Name != stepName(i) {
			return nil, fmt.Errorf("read certificate %s: step %d is called %q", dir, i, s.Name)
		}
		answers += s.Answers
	}
	if answers != x.Unsat {
		return nil, fmt.Errorf("read certificate %s: %d of %d contradictions have a step", dir, answers, x.Unsat)
	}
	return &x, nil
}

func stepName(i int) string { return fmt.Sprintf("%05d", i+1) }
