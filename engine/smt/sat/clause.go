package sat

import "slices"

// A clause in the arena is its size, its grade and its literals; it is named by
// where its size stands. The grade of a learnt clause is the number of decision
// levels it touched when it was learnt, 0 marks a given clause.

func (s *cdcl) store(c []lit, grade uint32) uint32 {
	at := uint32(len(s.arena))
	s.arena = append(s.arena, uint32(len(c)), grade)
	for _, l := range c {
		s.arena = append(s.arena, uint32(l))
	}
	return at
}

func (s *cdcl) lits(at uint32) []uint32 { return s.arena[at+2 : at+2+s.arena[at]] }

func (s *cdcl) attach(at uint32) {
	c, mark := s.lits(at), uint32(0)
	if len(c) == 2 {
		mark = isPair
	}
	s.watches[c[0]] = append(s.watches[c[0]], watch{at | mark, lit(c[1])})
	s.watches[c[1]] = append(s.watches[c[1]], watch{at | mark, lit(c[0])})
}

// reduce drops the half of the learnt clauses that touched most levels, except
// reasons and those of at most two levels, and packs the rest.
func (s *cdcl) reduce() {
	var grades []uint32
	for at := 1; at < len(s.arena); at += int(s.arena[at]) + 2 {
		if s.arena[at+1] > 0 {
			grades = append(grades, s.arena[at+1])
		}
	}
	slices.Sort(grades)
	limit := max(grades[len(grades)/2], 3)
	isReason := map[uint32]bool{}
	for _, l := range s.trail {
		isReason[s.vars[l.v()].reason] = true
	}
	drop := len(grades) / 2 // as many at most: grades are often equal
	moved := map[uint32]uint32{}
	to := 1
	for at := 1; at < len(s.arena); {
		size := int(s.arena[at]) + 2
		if s.arena[at+1] >= limit && drop > 0 && !isReason[uint32(at)] {
			drop--
			s.learnt--
		} else {
			if isReason[uint32(at)] {
				moved[uint32(at)] = uint32(to)
			}
			copy(s.arena[to:], s.arena[at:at+size])
			to += size
		}
		at += size
	}
	s.arena = s.arena[:to]
	for _, l := range s.trail {
		v := &s.vars[l.v()]
		v.reason = moved[v.reason]
	}
	s.rewatch()
	s.keep += s.keep / 8
}

func (s *cdcl) rewatch() {
	for l := range s.watches {
		s.watches[l] = s.watches[l][:0]
	}
	for at := 1; at < len(s.arena); at += int(s.arena[at]) + 2 {
		s.attach(uint32(at))
	}
}
