package certificate

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kvfarm/kvfarm/engine/smt/lrat"
)

// Check checks the proofs of a certificate and returns its index. An error says
// which proof does not hold; what is open is no error.
func Check(dir string) (*Index, error) {
	x, err := Read(dir)
	if err != nil {
		return nil, err
	}
	for _, s := range x.Steps {
		if !s.Proved {
			continue
		}
		if err := checkStep(filepath.Join(dir, s.Name)); err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Name, err)
		}
	}
	return x, nil
}

func checkStep(name string) error {
	formula, err := os.Open(name + ".cnf")
	if err != nil {
		return fmt.Errorf("read formula: %w", err)
	}
	defer formula.Close()
	proof, err := os.Open(name + ".lrat")
	if err != nil {
		return fmt.Errorf("read proof: %w", err)
	}
	defer proof.Close()
	return lrat.Check(formula, proof)
}
