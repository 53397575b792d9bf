package graph

import (
	"fmt"
	"slices"
	"strings"
)

// checkCircles refuses crates that need one another: compiling them would wait
// for ever.
func (g *Graph) checkCircles() error {
	done := map[string]bool{}
	for _, c := range g.crates {
		for _, name := range g.externs(c) {
			if err := g.follow(name, nil, done); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow visits crate name, which the crates of way need one after the other.
func (g *Graph) follow(name string, way []string, done map[string]bool) error {
	if i := slices.Index(way, name); i >= 0 {
		return fmt.Errorf("crates need one another: %s", strings.Join(append(way[i:], name), ", "))
	}
	if done[name] {
		return nil
	}
	done[name] = true
	for _, next := range g.externs(g.byName[name]) {
		if err := g.follow(next, append(way, name), done); err != nil {
			return err
		}
	}
	return nil
}
