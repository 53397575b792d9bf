package exec

// trial is one round of a loop, executed aside to see what it does. Nothing
// that happens in it is decided there: what had to hold is noted, and decided
// if the trial is made good.
type trial struct {
	prefix string // position of the call whose loop it is
	loop   int
	limit  int64

	arrivals []*state // back at the loop's head
	exits    []*state // out of the loop
	demands  []question
	failed   error // why the round is not fully known
}

// try executes a round from s, which stands at a loop's head, until every path
// is back at the head, has left the loop or is given up.
func (x *exec) try(s *state, loop int, limit int64) *trial {
	t := &trial{prefix: s.top.prefix, loop: loop, limit: limit}
	outer, waiting, wait := x.trial, x.queue, x.wait
	if outer != nil {
		t.limit = min(limit, outer.limit)
	}
	x.trial, x.queue, x.wait = t, queue{}, map[string]*state{}
	defer func() { x.trial, x.queue, x.wait = outer, waiting, wait }()
	x.run(s)
	for x.queue.Len() > 0 && t.failed == nil {
		x.run(x.next())
	}
	return t
}

// takes ends the path of s in the trial if the edge that it took, from inside
// the loop, leads out of it or back to its head.
func (t *trial) takes(s *state) bool {
	f := s.top
	if t == nil || f.prefix != t.prefix {
		return false
	}
	switch {
	case !f.flow.contains(t.loop, f.block):
		t.exits = append(t.exits, s)
	case f.flow.loops[t.loop].head == f.block:
		t.arrivals = append(t.arrivals, s)
	default:
		return false
	}
	return true
}

// fail notes that a path of the trial was given up.
func (t *trial) fail(err error) {
	if t.failed == nil {
		t.failed = err
	}
}
