package sat

// learn turns a false clause into one that prevents its cause, goes back to
// where that one implies something, and assigns it.
func (s *cdcl) learn(clash uint32) {
	s.resolve(clash)
	s.minimise()
	back, grade := s.levels()
	s.backtrack(back)
	for _, l := range s.clear {
		s.seen[l.v()] = false
	}
	s.clear = s.clear[:0]
	s.order.decay()
	if len(s.clause) == 1 {
		s.assign(s.clause[0], 0)
		return
	}
	at := s.store(s.clause, grade)
	s.learnt++
	s.attach(at)
	s.assign(s.clause[0], at)
}

// resolve collects in s.clause the first unique implication point, negated, and
// what lies on earlier levels.
func (s *cdcl) resolve(clash uint32) {
	s.clause = append(s.clause[:0], 0)
	open := 0 // marked literals of this level that are not yet resolved
	at, i := clash, len(s.trail)
	p := none
	for {
		for _, q := range s.lits(at) {
			q := lit(q)
			v := s.vars[q.v()]
			if q == p || s.seen[q.v()] || v.level == 0 {
				continue
			}
			s.mark(q)
			s.order.bump(q.v())
			if int(v.level) == len(s.limits) {
				open++
			} else {
				s.clause = append(s.clause, q)
			}
		}
		for i--; !s.seen[s.trail[i].v()]; i-- {
		}
		p = s.trail[i]
		if open--; open == 0 {
			s.clause[0] = p ^ 1
			return
		}
		at = s.vars[p.v()].reason
	}
}

func (s *cdcl) mark(l lit) {
	s.seen[l.v()] = true
	s.clear = append(s.clear, l)
}

// minimise drops literals that the others of s.clause imply.
func (s *cdcl) minimise() {
	kept := s.clause[:1]
	for _, l := range s.clause[1:] {
		if !s.implied(l) {
			kept = append(kept, l)
		}
	}
	s.clause = kept
}

// implied follows reasons from l as long as they lead to marked literals only.
func (s *cdcl) implied(l lit) bool {
	undo := len(s.clear)
	s.stack = append(s.stack[:0], l)
	for len(s.stack) > 0 {
		at := s.vars[s.stack[len(s.stack)-1].v()].reason
		s.stack = s.stack[:len(s.stack)-1]
		if at == 0 {
			s.unmark(undo)
			return false
		}
		for _, q := range s.lits(at) {
			q := lit(q)
			v := s.vars[q.v()]
			if s.seen[q.v()] || v.level == 0 {
				continue
			}
			if v.reason == 0 {
				s.unmark(undo)
				return false
			}
			s.mark(q)
			s.stack = append(s.stack, q)
		}
	}
	return true
}

func (s *cdcl) unmark(from int) {
	for _, l := range s.clear[from:] {
		s.seen[l.v()] = false
	}
	s.clear = s.clear[:from]
}

// levels moves the literal of the highest level behind the first to place 1,
// and returns that level and how many levels s.clause touches.
func (s *cdcl) levels() (back int, grade uint32) {
	s.touched.clear()
	for i, l := range s.clause {
		level := s.vars[l.v()].level
		if !s.touched.has(int(level)) {
			s.touched.set(int(level))
			grade++
		}
		if i > 0 && int(level) > back {
			back = int(level)
			s.clause[1], s.clause[i] = s.clause[i], s.clause[1]
		}
	}
	return back, grade
}

// explain sets failed to the assumptions that imply that assumption p is false.
func (s *cdcl) explain(p lit) {
	s.failed.set(int(p))
	if s.vars[p.v()].level == 0 {
		return
	}
	s.mark(p)
	for i := len(s.trail) - 1; i >= s.limits[0]; i-- {
		l := s.trail[i]
		if !s.seen[l.v()] {
			continue
		}
		if at := s.vars[l.v()].reason; at == 0 {
			s.failed.set(int(l)) // decisions are assumptions as long as any is open
		} else {
			for _, q := range s.lits(at) {
				if q := lit(q); !s.seen[q.v()] && s.vars[q.v()].level > 0 {
					s.mark(q)
				}
			}
		}
	}
	s.unmark(0)
}
