package exec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kvfarm/kvfarm/engine/expr"
	"github.com/kvfarm/kvfarm/engine/smt"
)

// induction puts one state in the place of all that may still come to a loop's
// head: what rounds change are holes, any number each, restrained by guesses
// that every round preserves. From there one round, executed once, stands for
// every further round, and what leaves the loop from it for every later exit.
//
// What soundness rests on is that each state that a round leads back to the head
// is an instance of the general one: widen and keep see to that. Which holes and
// which guesses are tried only decides how much can be proved.
type induction struct {
	x     *exec
	loop  int
	limit int64
	from  *state    // what came to the head
	cur   *state    // the general state, without the conditions on its holes
	plain *state    // cur before numbers that count rounds became sums
	mark  expr.Expr // says that a run is general; variables made after it do not belong to the state

	holes  map[string]*hole // by place
	order  []*hole
	trials int
	clock  clock
	laws   map[string]expr.Expr // by place: one guard of a pointer holds
	starts map[string]int       // by place: the object that a pointer which is not set in from stands for
	guess  []expr.Expr
	tried  map[expr.Expr]bool
	free   map[int]*base // objects whose whole content is a hole
}

// hole is a number at the head that a round may change.
type hole struct {
	v     expr.Expr // any number
	e     expr.Expr // what stands at the place: v, or a sum that counts rounds
	init  expr.Expr // the number in from
	step  expr.Expr // what each round was seen to add to v; None if that is not known or varies
	born  int       // trials before it
	fixed bool      // e stays v: some round moves it by another step, or not at all
	off   bool      // offset of a pointer
}

// goBeyond follows what the bound left over, with a part of the effort that all
// before it took: what is not done then is what it was without.
func (x *exec) goBeyond() {
	x.wide = true
	so := x.work()
	x.limit = min(half(so, x.limit), so+so/4+x.cfg.Budget/40)
	for _, s := range x.later {
		x.put(s)
	}
	x.later = nil
	x.drain()
}

// half is half way from what was done to a limit.
func half(so, limit int64) int64 { return so + max(0, limit-so)/2 }

// beyond follows all further rounds of the loop at whose head s stands, or
// leaves them to the bound.
func (x *exec) beyond(s *state) {
	if s.due = false; x.exhausted() || !x.induct(s) {
		x.finish(s, &stop{reason: "loop bound", bound: x.cfg.LoopBound})
	}
}

// maxTrials bounds the rounds that one induction executes, maxHopeless how often one loop is tried in vain.
const (
	maxTrials   = 24
	maxHopeless = 3
)

// induct follows all further rounds of the loop at whose head s stands. It
// reports whether it could; then what leaves the loop waits as states of its own.
func (x *exec) induct(s *state) bool {
	loop := s.top.flow.pos[s.top.block].loop
	key := [2]int{s.top.flow.index, loop}
	if loop < 0 || s.top.flow.loops[loop].head != s.top.block || x.hopeless[key] >= maxHopeless {
		return false
	}
	l := x.newInduction(s, loop)
	t := l.solve()
	if t == nil {
		x.hopeless[key]++
		return false
	}
	if x.trial != nil {
		x.trial.demands = append(x.trial.demands, t.demands...)
	} else {
		for _, q := range t.demands {
			x.decide(q)
		}
	}
	for _, e := range t.exits {
		if !x.taken(e) { // else it leaves the loop around as well
			x.put(e)
		}
	}
	return true
}

func (x *exec) newInduction(s *state, loop int) *induction {
	l := &induction{x: x, loop: loop, from: s, holes: map[string]*hole{}, laws: map[string]expr.Expr{}, starts: map[string]int{}, tried: map[expr.Expr]bool{}, free: map[int]*base{}}
	l.limit = half(x.work(), x.limit)
	l.mark = x.b.Var("mark", 1)
	l.clock = clock{v: l.variable("rounds", 64), step: x.b.Const(1, 64), init: x.b.Const(0, 64)}
	l.cur = s.fork()
	return l
}

// spent reports whether the induction has used up its part of the budget.
func (l *induction) spent() bool { return l.x.work() > l.limit }

func (l *induction) variable(name string, width int) expr.Expr {
	v := l.x.b.Var(name, width)
	l.x.holes[v] = true
	return v
}

// solve looks for a general state that rounds do not leave. It returns the
// round from it, or nil.
func (l *induction) solve() *trial {
	x := l.x
	guessed, counted := false, false
	for ; l.trials < maxTrials; l.trials++ {
		t := x.try(l.state(), l.loop, l.limit)
		if t.failed != nil {
			return nil
		}
		now, changed, err := l.widen(t)
		switch {
		case err != nil:
			return nil
		case l.stands():
			counted = false
		case changed:
		case !counted:
			counted = true
			l.count()
		case !guessed:
			guessed = true
			l.propose(t)
			l.hold(l.from, l.initial())
		case !l.keep(t, now):
			if !l.begins() {
				return nil
			}
			return t
		}
		if x.exhausted() || l.spent() {
			l.guess = nil
		}
	}
	return nil
}

// begins reports whether from is an instance of the general state: else its
// conditions might contradict one another, and everything would follow.
func (l *induction) begins() bool {
	b := l.x.b
	all := expr.True
	for _, at := range slices.Sorted(maps.Keys(l.laws)) {
		all = b.And(all, l.laws[at])
	}
	for _, e := range l.guess {
		all = b.And(all, e)
	}
	r, _ := l.x.sat(l.from, b.Not(b.Subst(all, l.initial())))
	return r == smt.Unsat
}

// state returns the general state, ready to run.
func (l *induction) state() *state {
	x := l.x
	s := l.cur.fork()
	s.general, s.model, s.pc = true, nil, l.from.pc
	x.spoil(s) // rounds before may have written
	for _, at := range slices.Sorted(maps.Keys(l.laws)) {
		s.pc = s.pc.with(x.b, l.laws[at])
	}
	for _, e := range l.guess {
		s.pc = s.pc.with(x.b, e)
	}
	it := &s.top.iters[len(s.top.iters)-1]
	it.open, it.forked = 0, false
	return s
}

// widen makes cur cover every state that came back to the head, and says for
// each of them which numbers its holes are.
func (l *induction) widen(t *trial) (now []map[expr.Expr]expr.Expr, changed bool, err error) {
	for _, a := range t.arrivals {
		w := &widening{induction: l, a: a, moved: map[*hole]bool{}, now: map[expr.Expr]expr.Expr{l.clock.v: l.x.b.Add(l.clock.v, l.clock.step)}}
		if err := w.run(); err != nil {
			return nil, false, err
		}
		w.still()
		now, changed = append(now, w.now), changed || w.changed
	}
	return now, changed, nil
}

// stands reports whether a number that was taken for a sum of rounds does not
// move in every round. Then none is one until they are counted again.
func (l *induction) stands() bool {
	if !slices.ContainsFunc(l.order, func(h *hole) bool { return h.fixed && h.e != h.v }) {
		return false
	}
	for _, h := range l.order {
		h.e = h.v
	}
	l.cur = l.plain.fork()
	return true
}

// keep drops the guesses that a round from the general state does not preserve,
// and reports whether it dropped any.
func (l *induction) keep(t *trial, now []map[expr.Expr]expr.Expr) bool {
	before := len(l.guess)
	for i, a := range t.arrivals {
		l.hold(a, now[i])
	}
	return len(l.guess) < before
}

// clock counts rounds. It is a number of the program if one will do: what is
// compared in the loop is easier to understand then.
type clock struct {
	v, init, step expr.Expr // a variable, its value in from, 1 or -1
}

// count lets every number that each round changes by the same step be a sum of
// its first value and the rounds since.
func (l *induction) count() {
	b := l.x.b
	l.setClock()
	rounds := b.Mul(b.Sub(l.clock.v, l.clock.init), l.clock.step)
	repl := map[expr.Expr]expr.Expr{}
	for _, h := range l.order {
		if w := b.Width(h.v); h.steady(w) {
			h.e = l.after(h, b.Trunc(rounds, w))
			repl[h.v] = h.e
		}
	}
	if len(repl) == 0 {
		return
	}
	l.plain = l.cur.fork()
	r := refiner{x: l.x, s: l.cur, values: map[*value]*value{}, cells: map[*cell]*cell{}}
	sub := b.NewSubstitution(repl)
	r.subst = func(e expr.Expr) expr.Expr {
		if e == expr.None || b.IsConst(e) {
			return e
		}
		return sub.Apply(e)
	}
	l.cur.owner = new(token)
	r.eachValue(r.rewrite)
}

// after is what h is after so many rounds: a multiple of its step if it begins as one.
func (l *induction) after(h *hole, rounds expr.Expr) expr.Expr {
	b := l.x.b
	first, ok := b.Uint64(h.init)
	if step, _ := b.Uint64(h.step); ok && step != 0 && first%step == 0 {
		return b.Mul(b.Add(rounds, b.Const(first/step, b.Width(h.v))), h.step)
	}
	return b.Add(h.init, b.Mul(rounds, h.step))
}

// steady reports whether each round moves h by one step.
func (h *hole) steady(width int) bool {
	return !h.fixed && h.step != expr.None && h.e == h.v && width <= 64
}

// setClock finds a number of which the rounds are an easy function: one that
// moves by 1, or from a multiple of its step by that step.
func (l *induction) setClock() {
	b := l.x.b
	found := false
	for _, h := range l.order {
		if b.Width(h.v) != 64 || !h.steady(64) {
			continue
		}
		step, _ := b.Uint64(h.step)
		if step == 1 || step == ^uint64(0) {
			l.clock.init, l.clock.step = h.init, h.step
			return
		}
		first, ok := b.Uint64(h.init)
		if ok && !found && step > 1 && step < 1<<32 && first%step == 0 {
			l.clock.init, found = b.Const(first/step, 64), true
		}
	}
}

// initial says which numbers the holes are in from.
func (l *induction) initial() map[expr.Expr]expr.Expr {
	out := map[expr.Expr]expr.Expr{l.clock.v: l.clock.init}
	for _, h := range l.order {
		out[h.v] = h.init
	}
	return out
}

// hole returns the hole of a place, made with the number that stands there in from.
func (l *induction) hole(at string, init expr.Expr) *hole {
	width := l.x.b.Width(init)
	at = fmt.Sprint(at, ":", width)
	h := l.holes[at]
	if h == nil {
		h = &hole{v: l.variable("hole "+at, width), init: init, born: l.trials}
		h.e = h.v
		l.holes[at] = h
		l.order = append(l.order, h)
	}
	return h
}
