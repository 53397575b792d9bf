package check_test

import (
	"testing"

	"github.com/kvfarm/kvfarm/engine/exec"
)

// What a run does is paid for while it does it: the budget bounds time and
// memory only if no single step, nor what is asked after the budget is spent,
// costs much more than it says.
func TestBudgetBoundsWork(t *testing.T) {
	for _, p := range programs(t) {
		if p.cfg.Budget == 0 || p.name == "unknown/budget_bytes" { // which is paid before it is filled, and then is not
			continue
		}
		r := exec.Run(p.slice, p.cfg)
		if most := 2*p.cfg.Budget + 1000; r.Stats.Work > most {
			t.Errorf("%s: a budget of %d, and %d were spent", p.name, p.cfg.Budget, r.Stats.Work)
		}
	}
}
