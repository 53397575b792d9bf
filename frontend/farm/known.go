package farm

import (
	"sync"

	"github.com/kvfarm/kvfarm/cas/digest"
)

// known is what the farm was found to hold in this session. Of a directory it
// means all that is below it, so that a toolchain is looked at once.
type known struct {
	mu   sync.Mutex
	have map[digest.Digest]struct{}
}

func (k *known) add(ds ...digest.Digest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.have == nil {
		k.have = map[digest.Digest]struct{}{}
	}
	for _, d := range ds {
		k.have[d] = struct{}{}
	}
}

// forget is for blobs that turned out to be missing.
func (k *known) forget(ds ...digest.Digest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range ds {
		delete(k.have, d)
	}
}

// unknown returns those of ds that are not known.
func (k *known) unknown(ds []digest.Digest) []digest.Digest {
	k.mu.Lock()
	defer k.mu.Unlock()
	var rest []digest.Digest
	for _, d := range ds {
		if _, ok := k.have[d]; !ok {
			rest = append(rest, d)
		}
	}
	return rest
}
