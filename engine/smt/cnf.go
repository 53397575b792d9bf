package smt

import "github.com/kvfarm/kvfarm/engine/smt/sat"

// cnf hands the gates that a query needs to SAT, each once, as clauses.
type cnf struct {
	c     *circuit
	s     sat.Solver
	v     []sat.Lit    // by gate: its variable, 0 while it has none
	vars  sat.Lit      // variables in use; variable 1 is the constant true
	laws  map[lit]bool // those that SAT was told of
	stack []uint32
	lits  []sat.Lit
	stats *Stats

	sketch bool // gates that are dear are inputs
}

func newCNF(c *circuit, s sat.Solver, st *Stats) *cnf {
	f := &cnf{c: c, s: s, v: []sat.Lit{-1}, vars: 1, laws: map[lit]bool{}, stats: st}
	f.clause(1)
	return f
}

// lit returns the literal of SAT for l, after handing over what it depends on.
func (f *cnf) lit(l lit) sat.Lit {
	if n := len(f.c.gates) - len(f.v); n > 0 {
		f.v = append(f.v, make([]sat.Lit, n)...)
	}
	f.need(l)
	for len(f.stack) > 0 {
		id := f.stack[len(f.stack)-1]
		f.stack = f.stack[:len(f.stack)-1]
		f.emit(f.v[id], &f.c.gates[id])
	}
	return f.at(l)
}

// need gives l's gate a variable and queues its clauses.
func (f *cnf) need(l lit) {
	id := l.gate()
	if f.v[id] != 0 {
		return
	}
	f.vars++
	f.v[id] = f.vars
	if g := &f.c.gates[id]; g.kind != gateInput && !(f.sketch && g.dear) {
		f.stack = append(f.stack, id)
	}
}

// has reports whether l is known to SAT.
func (f *cnf) has(l lit) bool { return int(l.gate()) < len(f.v) && f.v[l.gate()] != 0 }

func (f *cnf) at(l lit) sat.Lit {
	v := f.v[l.gate()]
	if l&1 == 1 {
		return -v
	}
	return v
}

func (f *cnf) clause(lits ...sat.Lit) {
	f.stats.Clauses++
	f.lits = append(f.lits[:0], lits...) // what lits are in need not leave the stack
	f.s.AddClause(f.lits...)
}

func (f *cnf) emit(o sat.Lit, g *gate) {
	f.need(g.a)
	if g.kind == gateBound {
		f.law(g.a)
		return
	}
	f.need(g.b)
	a, b := f.at(g.a), f.at(g.b)
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

// law adds that l holds, once.
func (f *cnf) law(l lit) {
	if !f.laws[l] {
		f.laws[l] = true
		f.clause(f.at(l))
	}
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
