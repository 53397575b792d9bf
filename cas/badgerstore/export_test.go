package badgerstore

import (
	"time"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// SetClock makes s take the time of uses from clock.
func (s *Store) SetClock(clock func() time.Time) {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	s.index.clock = clock
}

// Pinned returns how many extents are pinned.
func (s *Store) Pinned() int { return len(s.packs.snapshot().pins) }

// PutUnchecked stores b under a digest that may not be its own.
func (s *Store) PutUnchecked(d digest.Digest, b []byte) error {
	k, err := keyOf(blobs, d)
	if err != nil {
		return err
	}
	return s.putItem(item{key: k, content: b})
}
