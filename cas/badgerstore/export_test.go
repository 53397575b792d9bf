package badgerstore

import (
	"fmt"
	"path/filepath"
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

// Forge returns what an extent with content b looks like at an offset of a pack,
// written by s or by somebody else.
func (s *Store) Forge(pack string, off int, own bool, b []byte) []byte {
	var id uint32
	if _, err := fmt.Sscanf(filepath.Base(pack), "%08x.pack", &id); err != nil {
		panic(err)
	}
	var by seal
	if own {
		by = s.packs.seal
	}
	k, err := keyOf(blobs, digest.Of(b))
	if err != nil {
		panic(err)
	}
	content := appendFrames(nil, k, b)
	e := extent{pack: id, off: int64(off), len: extentLen(int64(len(content)), 1)}
	out := append(by.head(e, 1), content...)
	return by.appendList(out, e, []entry{{k, loc{pack: id, off: e.content(), size: int64(len(b))}}})
}
