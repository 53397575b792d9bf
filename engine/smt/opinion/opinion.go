// Package opinion asks SMT solvers that others wrote, as processes, for a second
// opinion. No verdict rests on what they say.
package opinion

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kvfarm/kvfarm/engine/smt"
)

// Solver is a solver that is installed.
type Solver struct {
	Name string
	argv []string
}

// ErrNone is that no solver is installed.
var ErrNone = errors.New("no second solver: none of z3, bitwuzla and cvc5 is installed")

// known says how each solver reads queries from its input.
var known = []struct {
	name string
	args []string
}{
	{"z3", []string{"-in"}},
	{"bitwuzla", nil},
	{"cvc5", []string{"--lang", "smt2", "--incremental"}},
}

// Names are the solvers that are known, the one to prefer first.
func Names() []string {
	var out []string
	for _, k := range known {
		out = append(out, k.name)
	}
	return out
}

// Find returns the solver of a name or path, or for "" the first that is installed.
func Find(name string) (*Solver, error) {
	for _, k := range known {
		if name != "" && filepath.Base(name) != k.name {
			continue
		}
		program := name
		if name == "" {
			program = k.name
		}
		at, err := exec.LookPath(program)
		if err == nil {
			return &Solver{k.name, append([]string{at}, k.args...)}, nil
		}
		if name != "" {
			return nil, fmt.Errorf("find solver: %w", err)
		}
	}
	if name != "" {
		return nil, fmt.Errorf("find solver: how to run %q is not known; known are %s", name, strings.Join(Names(), ", "))
	}
	return nil, ErrNone
}

// Ask decides queries in SMT-LIB, each with one (check-sat), in one process. It
// ends when ctx does: bounds of solvers' own are not kept in all of their phases.
func (s *Solver) Ask(ctx context.Context, queries [][]byte) ([]smt.Result, error) {
	if len(queries) == 0 {
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, s.argv[0], s.argv[1:]...)
	cmd.Stdin = bytes.NewReader(bytes.Join(queries, []byte("(reset)\n")))
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	answers := strings.Fields(string(out))
	if len(answers) != len(queries) {
		return nil, fmt.Errorf("ask %s: %d answers to %d queries: %w: %.200s", s.Name, len(answers), len(queries), errors.Join(err, errAnswers), out)
	}
	results := make([]smt.Result, len(queries))
	for i, a := range answers {
		switch a {
		case "sat":
			results[i] = smt.Sat
		case "unsat":
			results[i] = smt.Unsat
		case "unknown", "timeout":
		default:
			return nil, fmt.Errorf("ask %s: answer %q", s.Name, a)
		}
	}
	return results, nil
}

var errAnswers = errors.New("not what was asked for")
