package job

import (
	"context"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/report"
)

// An inner root has a part of an outer one's budget: there are many of them, and
// those that are decided at all are decided early.
const (
	innerBudget = 500_000 // where outer roots have the engine's default
	innerPart   = 20
)

// budget is that of c's proof.
func (j *Job) budget(c cut) int64 {
	switch {
	case c.root.Kind != position.Inner:
		return j.Budget
	case j.Budget == 0:
		return innerBudget
	}
	return max(1, j.Budget/innerPart)
}

// owners are the functions of a crate that hold panic locations.
type owners struct {
	crate string
	list  []report.Owner
}

// inner chooses the inner roots of u whose proofs could decide a site that its
// automatic roots left undecided, after it has noted every owner there is.
func (j *Job) inner(ctx context.Context, u unit, cuts []cut) ([]cut, error) {
	all := owners{crate: u.source}
	var holding []cut
	for _, c := range cuts {
		if len(c.root.Owns) == 0 {
			continue
		}
		m, err := j.positions(ctx, c)
		if err != nil {
			return nil, err
		}
		o, err := report.NewOwner(c.root, m)
		if err != nil {
			return nil, err
		}
		holding, all.list = append(holding, c), append(all.list, o)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.owners = append(j.owners, all)
	var out []cut
	for i, c := range holding {
		if c.root.Kind == position.Inner && j.live.Open(u.source, all.list[i]) {
			out = append(out, c)
		}
	}
	return out, nil
}
