package smttest

import (
	"math/rand"
	"testing"

	"github.com/kvfarm/kvfarm/engine/smt/sat"
)

// gates is a circuit: some inputs, and conjunctions of what is before them.
type gates struct {
	inputs int
	ands   [][2]sat.Lit
}

// value returns what l is, inputs being the bits of in.
func (g *gates) value(l sat.Lit, in uint) bool {
	if l < 0 {
		return !g.value(-l, in)
	}
	if int(l) <= g.inputs {
		return in>>(l-1)&1 == 1
	}
	and := g.ands[int(l)-g.inputs-1]
	return g.value(and[0], in) && g.value(and[1], in)
}

// cone collects what l depends on.
func (g *gates) cone(l sat.Lit, in map[sat.Lit]bool) {
	if l = max(l, -l); in[l] {
		return
	}
	in[l] = true
	if int(l) > g.inputs {
		g.cone(g.ands[int(l)-g.inputs-1][0], in)
		g.cone(g.ands[int(l)-g.inputs-1][1], in)
	}
}

// focus asks about some gates of a circuit that grows, looking at nothing but what
// they depend on, and compares with trying all inputs.
func focus(t *testing.T, newSAT func() sat.Solver) {
	const seed, inputs = 8, 8
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	s, g := newSAT(), &gates{inputs: inputs}
	answers := map[sat.Result]int{}
	for o := sat.Lit(inputs + 1); o < 150; o++ {
		and := randomLits(rnd, int(o)-1, 2)
		g.ands = append(g.ands, [2]sat.Lit{and[0], and[1]})
		s.AddClause(-o, and[0])
		s.AddClause(-o, and[1])
		s.AddClause(o, -and[0], -and[1])
		answers[g.ask(t, s, randomLits(rnd, int(o), 1+rnd.Intn(4)))]++
	}
	if answers[sat.Sat] < 20 || answers[sat.Unsat] < 20 {
		t.Errorf("the answers were %v", answers)
	}
}

func (g *gates) ask(t *testing.T, s sat.Solver, assume []sat.Lit) sat.Result {
	t.Helper()
	all := func(in uint) bool {
		for _, l := range assume {
			if !g.value(l, in) {
				return false
			}
		}
		return true
	}
	want := sat.Unsat
	for in := uint(0); in < 1<<g.inputs; in++ {
		if all(in) {
			want = sat.Sat
		}
	}
	cone := map[sat.Lit]bool{}
	for _, l := range assume {
		g.cone(l, cone)
	}
	var matter []sat.Lit
	for v := sat.Lit(1); int(v) <= g.inputs+len(g.ands); v++ {
		if cone[v] {
			matter = append(matter, v)
		}
	}
	s.(sat.Focuser).Focus(matter)
	r, _ := s.Solve(unlimited, assume...)
	if r != want {
		t.Fatalf("%v: got %v, want %v", assume, r, want)
	}
	in := uint(0)
	for v := range g.inputs {
		if r == sat.Sat && s.Value(sat.Lit(v+1)) {
			in |= 1 << v
		}
	}
	if r == sat.Sat && !all(in) {
		t.Fatalf("%v do not hold under inputs %b", assume, in)
	}
	return r
}
