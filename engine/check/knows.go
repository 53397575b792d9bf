package check

import (
	"fmt"
	"math/big"

	"github.com/kvfarm/kvfarm/engine/exec"
	"github.com/kvfarm/kvfarm/engine/interp"
	"github.com/kvfarm/kvfarm/engine/ir"
)

// knowBudget is ample for a slice of a few instructions.
const knowBudget = 100_000

// Knows says what in a slice the executor, or the interpreter that replays what
// it finds, cannot execute; empty if nothing. It is meant for slices of a few
// instructions: it looks at one run of each.
func Knows(s *ir.Slice) (string, error) {
	p, err := interp.Compile(s)
	if err != nil {
		return "", fmt.Errorf("prepare a run: %w", err)
	}
	all := func(*exec.Site, *exec.Witness) error { return nil }
	if r := exec.Run(s, exec.Config{Budget: knowBudget, Confirm: all}); len(r.Stopped) > 0 {
		return r.Stopped[0].Reason, nil
	}
	if o := p.Run(roomy{}, interp.Limits{Steps: knowBudget}); o.Kind == interp.Unsupported {
		return "replay: " + o.What, nil
	}
	return "", nil
}

// roomy gives inputs that are zero, and large objects behind pointers.
type roomy struct{}

func (roomy) Dynamic(string, int, int) (*big.Int, error) { return new(big.Int), nil }

func (roomy) Root(_ string, bits int, valid []ir.Span) *big.Int {
	if bits == 64 && len(valid) > 0 {
		return big.NewInt(4096)
	}
	return nil
}
