package badgerstore

import "time"

// SetClock makes s take the time of uses from clock.
func (s *Store) SetClock(clock func() time.Time) {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	s.index.clock = clock
}

// Pinned returns how many extents are pinned.
func (s *Store) Pinned() int { return len(s.packs.snapshot().pins) }
