package exec

import "github.com/kvfarm/kvfarm/engine/expr"

// Memory behind addresses that came in as numbers holds anything, but the same thing
// as long as nothing is written to it: what is read twice at one address is equal, if
// every write in between went to objects that no such address leads to. Which reads are
// of the same memory an epoch tells: a number that changes with every other write. Two
// paths that part and write nothing stay in one epoch.

// wildKey is a place in memory of which nothing is known: n bytes at an address.
type wildKey struct {
	epoch int
	at    expr.Expr
	n     int
}

// wildWord is what n bytes at an address hold.
func (x *exec) wildWord(s *state, at expr.Expr, n int) expr.Expr {
	k := wildKey{s.epoch, at, n}
	if v, ok := x.wilds[k]; ok {
		x.note(quiet)
		return v
	}
	x.show(s)
	v := x.outsider(8 * n)
	x.wilds[k] = v
	return v
}

// show notes which objects an address may lead to that is read now: those which the
// run stored the address of where code outside, and so an unknown address, leads to.
func (x *exec) show(s *state) {
	if s.shownIn == s.epoch {
		return
	}
	s.shownIn = s.epoch
	c := x.newClosure(s)
	for _, e := range s.mem {
		if x.inSight(s, e.id) {
			c.content(s, e.id)
		}
	}
	c.run()
	for _, id := range c.order {
		if x.private(id) {
			s.shown = union(s.shown, []int{id})
		}
	}
}

// private reports whether an unknown address leads to an object only if the run told it.
func (x *exec) private(id int) bool {
	o := x.infos[id]
	return o.kind == objStack || o.kind == objHeap || o.own
}

// inSight reports whether an unknown address may lead to an object.
func (x *exec) inSight(s *state, id int) bool {
	return !x.private(id) || s.general || contains(s.leaked, id) || contains(s.shown, id)
}

// spoil begins a new epoch: something was written, or is about to be.
func (x *exec) spoil(s *state) {
	x.epochs++
	s.epoch, x.spoiled = x.epochs, true
}

// spoils begins a new epoch if a write to objects may be seen through unknown addresses.
func (x *exec) spoils(s *state, live []alt) {
	for _, a := range live {
		if x.inSight(s, a.obj) {
			x.spoil(s)
			return
		}
	}
}

// respoil begins a new epoch after an instruction that wrote, since it may have read before it did.
func (x *exec) respoil(s *state) {
	if x.spoiled {
		x.spoil(s)
		x.spoiled = false
	}
}
