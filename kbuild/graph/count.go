package graph

import (
	"github.com/kvfarm/kvfarm/kbuild/plan"
)

// prepared is how many actions Open takes.
const prepared = 2

// Count returns how many actions it takes to configure, to plan, to compile
// units to bitcode and again for their types, and to compile so many crates of
// checks. It counts each once, whoever needs it.
func (g *Graph) Count(units []*Unit, checks int) (int, error) {
	c := counter{graph: g, crates: map[*plan.Crate]bool{}, steps: map[*plan.Step]bool{}}
	for _, u := range units {
		if _, err := c.add(u.crate); err != nil {
			return 0, err
		}
	}
	types := 0 // compiles for types: of units and of what they need, but not of what checks do
	for k := range c.crates {
		if k.Role >= plan.Library {
			types++
		}
	}
	if checks > 0 {
		if _, err := c.needs(g.check); err != nil {
			return 0, err
		}
	}
	return prepared + len(c.crates) + types + checks + len(c.steps), nil
}

type counter struct {
	graph  *Graph
	crates map[*plan.Crate]bool
	steps  map[*plan.Step]bool
}

// needs counts what crate k needs and returns the crates among that.
func (c *counter) needs(k *plan.Crate) ([]*plan.Crate, error) {
	var deps []*plan.Crate
	for _, name := range c.graph.externs(k) {
		more, err := c.add(c.graph.byName[name])
		if err != nil {
			return nil, err
		}
		deps = append(deps, more...)
	}
	return deps, nil
}

// add counts crate k with what it needs, and returns the crates among that.
func (c *counter) add(k *plan.Crate) ([]*plan.Crate, error) {
	deps, err := c.needs(k)
	if err != nil {
		return nil, err
	}
	if !c.crates[k] {
		c.crates[k] = true
		r, err := c.graph.readsOf(k, deps)
		if err != nil {
			return nil, err
		}
		for _, s := range r.generated {
			c.steps[s] = true
		}
	}
	if k.Role == plan.Macro {
		return []*plan.Crate{k}, nil
	}
	return append(deps, k), nil
}
