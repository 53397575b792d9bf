package smt

import "github.com/kvfarm/kvfarm/engine/smt/sat"

// cnf hands the gates that a query needs to SAT, each once, as clauses.
type cnf struct {
	c     *circuit
	s     sat.Solver
	vars  sat.Lit // variables in use; variable 1 is the constant true
	stack []uint32
	stats *Stats
}

func newCNF(c *circuit, s sat.Solver, st *Stats) *cnf {
	f := &cnf{c: c, s: s, vars: 1, stats: st}
	f.c.gates[0].v = -1
	f.clause(1)
	return f
}

// lit returns the literal of SAT for l, after handing over what it depends on.
func (f *cnf) lit(l lit) sat.Lit {
	f.need(l)
	for len(f.stack) > 0 {
		id := f.stack[len(f.stack)-1]
		f.stack = f.stack[:len(f.stack)-1]
		f.emit(&f.c.gates[id])
	}
	return f.at(l)
}

// need gives l's gate a variable and queues its clauses.
func (f *cnf) need(l lit) {
	g := &f.c.gates[l.gate()]
	if g.v != 0 {
		return
	}
	f.vars++
	g.v = f.vars
	if g.kind != gateInput {
		f.stack = append(f.stack, l.gate())
	}
}

func (f *cnf) at(l lit) sat.Lit {
	v := f.c.gates[l.gate()].v
	if l&1 == 1 {
		return -v
	}
	return v
}

func (f *cnf) clause(lits ...sat.Lit) {
	f.stats.Clauses++
	f.s.AddClause(lits...)
}

func (f *cnf) emit(g *gate) {
	f.need(g.a)
	f.need(g.b)
	o, a, b := g.v, f.at(g.a), f.at(g.b)
	switch g.kind {
	case gateAnd:
		f.clause(-o, a)
		f.clause(-o, b)
		f.clause(o, -a, -b)
		return
	case gateXor:
		f.clause(-o, a, b)
		f.clause(-o, -a, -b)
		f.clause(o, -a, b)
		f.clause(o, a, -b)
		return
	}
	f.need(g.c)
	f.emit3(g.kind, o, a, b, f.at(g.c))
}

func (f *cnf) emit3(kind gateKind, o, a, b, c sat.Lit) {
	switch kind {
	case gateXor3:
		f.clause(-o, a, b, c)
		f.clause(-o, a, -b, -c)
		f.clause(-o, -a, b, -c)
		f.clause(-o, -a, -b, c)
		f.clause(o, -a, -b, -c)
		f.clause(o, -a, b, c)
		f.clause(o, a, -b, c)
		f.clause(o, a, b, -c)
	case gateMaj:
		f.clause(o, -a, -b)
		f.clause(o, -a, -c)
		f.clause(o, -b, -c)
		f.clause(-o, a, b)
		f.clause(-o, a, c)
		f.clause(-o, b, c)
	case gateMux:
		f.clause(-o, -a, b)
		f.clause(-o, a, c)
		f.clause(o, -a, -b)
		f.clause(o, a, -c)
		f.clause(o, -b, -c) // implied; helps propagation where the choice is open
		f.clause(-o, b, c)
	}
}
