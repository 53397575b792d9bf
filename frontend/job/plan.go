package job

import (
	"sync"

	"github.com/kvfarm/kvfarm/engine/position"
	"github.com/kvfarm/kvfarm/frontend/event"
)

// plan counts the actions of a submit, so that a person sees how far it is. How
// many proofs there are is known when the last unit is cut: from then on the
// total stands, but for shards of roots that turn out to be hard. Inner roots and calls of them count all, though only those
// are proved that could decide something; the others are told as skipped.
type plan struct {
	events event.Sink

	mu    sync.Mutex
	total int
	uncut int // units whose number of roots is not known yet
}

// count plans what comes before the proofs of units.
func (j *Job) count(units []unit) error {
	var crates []Crate
	checks := 0
	for _, u := range units {
		if u.check != nil {
			checks++
		} else {
			crates = append(crates, *u.crate)
		}
	}
	n, err := j.kernel.Actions(crates, checks)
	if err != nil {
		return err
	}
	j.plan.start(n+len(units), len(units))
	return nil
}

func (p *plan) start(actions, units int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.uncut = actions, units
	p.tell()
}

// cut says that one more unit is cut, into so many slices that could be proved.
func (p *plan) cut(roots int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += roots
	p.uncut--
	p.tell()
}

// more says that so many actions are needed that nobody counted.
func (p *plan) more(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += n
	p.tell()
}

func (p *plan) tell() {
	p.events.Emit(event.Event{Kind: event.Planned, Total: p.total, Fixed: p.uncut == 0})
}

func (p *plan) skip(n int) {
	for range n {
		p.events.Emit(event.Event{Kind: event.Skipped})
	}
}

// proofs is how many it takes of functions that own a panic location, if none of them can be done without.
func (u unit) proofs(holding []cut) int {
	n := len(holding)
	for _, c := range holding {
		if u.twice(c) {
			n++
		}
	}
	return n
}

// twice reports whether c, which owns a panic location, is also proved with all that it calls, if it has to be.
func (u unit) twice(c cut) bool { return c.root.Kind != position.Auto || u.core() }

// calls is how many calls of functions that own a panic location there are to look at.
func (u unit) calls(cuts []cut) int {
	if u.check != nil {
		return 0
	}
	n := 0
	for _, c := range cuts {
		n += len(c.root.Calls)
	}
	return n
}

// holding are the functions of u that own a panic location, as inner roots that are proved alone.
func (u unit) holding(cuts []cut) []cut {
	if u.check != nil {
		return nil
	}
	var out []cut
	for _, c := range cuts {
		if c.root.Kind == position.Check || len(c.root.Owns) == 0 {
			continue
		}
		out = append(out, c)
	}
	return out
}
