package smt

import (
	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// session is a SAT solver with what it was told.
type session struct {
	sat     sat.Solver
	cnf     *cnf
	bound   map[[2]expr.Expr]lit // pairs of reads that give equal elements at equal indices: that they do
	matters []sat.Lit
}

func (on *session) release() {
	if r, ok := on.sat.(sat.Releaser); ok {
		r.Release()
	}
}

// needed returns the conditions that SAT used. There are none if the clauses
// alone contradict each other, which no query can bring about; then all are kept.
func (on *session) needed(conds []expr.Expr, assumptions []sat.Lit) []expr.Expr {
	var out []expr.Expr
	for i, l := range assumptions {
		if on.sat.Value(l) {
			out = append(out, conds[i])
		}
	}
	if len(out) == 0 {
		return conds
	}
	return out
}

// focus tells SAT to give values only to what roots depend on, and to what is
// known of reads that are equal; gates that nobody asks about follow from their
// inputs, whatever these are, and laws leave what they bound a value. The last
// cone is that of roots. It returns how many variables there are to look after.
func (on *session) focus(c *circuit, roots []lit, reads []expr.Expr) int {
	f, ok := on.sat.(sat.Focuser)
	if !ok {
		return int(on.cnf.vars)
	}
	known := len(roots)
	for i, y := range reads {
		for _, x := range reads[:i] {
			if same, ok := on.bound[[2]expr.Expr{x, y}]; ok {
				roots = append(roots, same)
			}
		}
	}
	if len(roots) > known {
		c.cone(roots)
	}
	on.matters = on.matters[:0]
	for _, id := range c.inCone {
		if v := on.cnf.v[id]; v != 0 {
			on.matters = append(on.matters, max(v, -v))
		}
	}
	f.Focus(on.matters)
	return len(c.inCone)
}

// pool keeps sessions for queries of all sizes. SAT assigns every variable it was
// ever told of before it says yes, or at least spreads values to many of them,
// so a small query costs what all before it were about. Therefore queries of one
// size, within a factor, share a session, which begins again when it knows many
// times more than they need.
type pool struct {
	newSAT   func() sat.Solver
	smallest int // gates; smaller queries share one session
	factor   int
	stale    int // times a size that a session may know
	sessions []*session
}

func newPool(newSAT func() sat.Solver) *pool {
	return &pool{newSAT: newSAT, smallest: 1 << 10, factor: 4, stale: 2}
}

// newFocused is a pool for backends that look at what matters only.
func newFocused(newSAT func() sat.Solver) *pool {
	return &pool{newSAT: newSAT, smallest: 1 << 12, factor: 16, stale: 4}
}

// session returns the session for queries that depend on so many gates.
func (p *pool) session(c *circuit, gates int, st *Stats) *session {
	class, on := p.find(gates)
	if on == nil {
		st.Sessions++
		if old := p.sessions[class]; old != nil {
			old.release()
		}
		solver := p.newSAT()
		on = &session{sat: solver, cnf: newCNF(c, solver, st), bound: map[[2]expr.Expr]lit{}}
		p.sessions[class] = on
	}
	return on
}

// find returns the class of such queries and its session, nil if it has to begin again.
func (p *pool) find(gates int) (class int, on *session) {
	size := p.smallest
	for ; gates > size; size *= p.factor {
		class++
	}
	for len(p.sessions) <= class {
		p.sessions = append(p.sessions, nil)
	}
	if on = p.sessions[class]; on != nil && int(on.cnf.vars) > p.stale*size {
		on = nil
	}
	return class, on
}

// untold counts the gates of the last cone that SAT was not yet told of.
func (p *pool) untold(c *circuit, gates int) int {
	_, on := p.find(gates)
	if on == nil {
		return gates
	}
	n := 0
	for _, id := range c.inCone {
		if int(id) >= len(on.cnf.v) || on.cnf.v[id] == 0 {
			n++
		}
	}
	return n
}
